"""The table of controls: what each is called, its key, what it says of itself, and what it does."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from gridrl.studio.measures import KINDS
from gridrl.studio.painting.strokes import BRUSHES

if TYPE_CHECKING:
    from gridrl.studio.live.session import Session

TIME, PAST, MAP, PAINT, AGENT, KEEP, WINDOW = "time", "past", "map", "paint", "agent", "keep", "window"

ALIASES = {  # keys that do what another one does
    "=": "+",
    "[+]": "+",
    "[-]": "-",
    "f1": "?",
    "ctrl z": "z",
    "ctrl y": "y",
    "ctrl =": "ctrl +",
    "ctrl [+]": "ctrl +",
    "ctrl [-]": "ctrl -",
    "f12": "s",
}


def _never(_session: "Session") -> bool:
    return False


def _always(_session: "Session") -> str:
    return ""


class Control(NamedTuple):
    """A button, and its key. What the window alone can do has no `do`: the application does it, by the name."""

    name: str
    label: str
    key: str
    hint: str
    group: str
    do: Callable[["Session"], None] | None = None
    on: Callable[["Session"], bool] = _never
    why_not: Callable[["Session"], str] = _always


def _map(name: str, label: str, key: str, hint: str) -> Control:
    def choose(session: "Session") -> None:
        session.kind = name

    return Control(f"map-{name}", label, key, hint, MAP, choose, lambda session: session.kind == name)


def _brush(number: int, name: str, hint: str) -> Control:
    return Control(
        f"paint-{name}",
        name,
        str(number),
        hint,
        PAINT,
        lambda session: session.world.hand.take(name),
        lambda session: session.world.hand.brush == name,
        _of_present,
    )


def _switch(name: str, label: str, key: str, hint: str) -> Control:
    return Control(
        f"set-{name}",
        label,
        key,
        hint,
        AGENT,
        lambda session: session.tuning.switch(name),
        lambda session: session.tuning.is_on(name),
        lambda session: session.tuning.why_no_switch(name),
    )


def _film(ending: str, label: str, key: str, kind: str) -> Control:
    hint = f"Record what is seen as {kind}, until pressed again."
    return Control(f"film{ending}", label, key, hint, KEEP, on=lambda session: session.recording == ending)


def _of_present(session: "Session") -> str:
    return session.why_not_now


def _of_past(session: "Session") -> str:
    return "This is the present; look back first." if session.past.looked_at is None else ""


def _until(name: str, label: str, key: str, hint: str, goal: str) -> Control:
    return Control(name, label, key, hint, TIME, lambda session: session.until(goal), why_not=_of_present)


def _toggle_help(session: "Session") -> None:
    session.help = not session.help


def _toggle_greedy(session: "Session") -> None:
    session.greedy = not session.greedy


CONTROLS: tuple[Control, ...] = (
    Control(
        "pause",
        "pause",
        "space",
        "Stand still, or go on.",
        TIME,
        lambda session: session.pause(),
        lambda session: session.clock.paused,
        _of_present,
    ),
    _until("step", "one step", ".", "Learn from one step, then stand still.", "one step"),
    _until("update", "one update", ",", "Learn up to the next update of what is believed.", "an update"),
    _until("episode", "one episode", "e", "Learn up to the end of this episode.", "the episode's end"),
    Control("slower", "slower", "-", "Fewer steps a second.", TIME, lambda session: session.clock.change(-1)),
    Control("faster", "faster", "+", "More, up to flat out.", TIME, lambda session: session.clock.change(1)),
    Control(
        "greedy",
        "watch greedy",
        "w",
        "Watch what it thinks best, without exploring, instead of what it learns from.",
        TIME,
        _toggle_greedy,
        lambda session: session.greedy,
    ),
    Control(
        "earlier",
        "earlier",
        "page up",
        "Look at the moment before: board, map and facts as they were; learning stands still.",
        PAST,
        lambda session: session.past.look(-1),
    ),
    Control("later", "later", "page down", "Look at the moment after.", PAST, lambda session: session.past.look(1)),
    Control(
        "branch",
        "branch here",
        "b",
        "Go on from the moment that is looked at; the later ones are forgotten.",
        PAST,
        lambda session: session.past.branch(),
        why_not=_of_past,
    ),
    Control(
        "present",
        "present",
        "end",
        "Return to the present.",
        PAST,
        lambda session: session.past.to_present(),
        why_not=_of_past,
    ),
    *(_map(*kind) for kind in KINDS),
    *(_brush(number, brush.name, brush.hint) for number, brush in enumerate(BRUSHES, start=1)),
    Control(
        "no-brush",
        "put away",
        "0",
        "Put the brush away.",
        PAINT,
        lambda session: session.world.hand.take(""),
        why_not=lambda session: "" if session.world.hand.brush else "No brush is in the hand.",
    ),
    Control(
        "undo",
        "undo",
        "z",
        "Take the last stroke back.",
        PAINT,
        lambda session: session.world.undo(),
        why_not=lambda session: session.world.why_no_undo,
    ),
    Control(
        "redo",
        "redo",
        "y",
        "Paint again what was taken back.",
        PAINT,
        lambda session: session.world.redo(),
        why_not=lambda session: session.world.why_no_redo,
    ),
    Control("save-level", "save level", "l", "Write the level as a file.", PAINT, lambda session: session.world.save()),
    _switch("double", "double", "o", "One network chooses the next action, the other values it (Double DQN)."),
    _switch("dueling", "dueling", "i", "Value and advantages in streams of their own; needs to begin anew."),
    _switch("replay", "prioritized", "g", "Draw transitions with large errors more often; needs to begin anew."),
    Control(
        "restart",
        "begin anew",
        "m",
        "Forget all that was learned, and begin with the settings as they stand.",
        AGENT,
        lambda session: session.tuning.begin_anew(),
        why_not=_of_present,
    ),
    Control(
        "keep", "keep run", "k", "Write what was learned as a run folder.", KEEP, lambda session: session.try_to_keep()
    ),
    Control("screenshot", "picture", "s", "Write what is seen as a picture.", KEEP),
    _film(".mp4", "film", "r", "an MP4"),
    _film(".gif", "GIF", "f", "a GIF"),
    Control(
        "help", "help", "?", "Show or hide the legend and the keys.", WINDOW, _toggle_help, lambda session: session.help
    ),
    Control("larger", "larger", "ctrl +", "Everything larger.", WINDOW),
    Control("smaller", "smaller", "ctrl -", "Everything smaller.", WINDOW),
    Control("close", "close", "escape", "Close the window.", WINDOW),
)
BY_NAME = {control.name: control for control in CONTROLS}
BY_KEY = {control.key: control for control in CONTROLS}


def control_of(key: str) -> Control | None:
    """Return the control whose key, or whose key's alias, this is."""
    return BY_KEY.get(ALIASES.get(key, key))
