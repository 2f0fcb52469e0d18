"""What one window shows and a hand works, where nothing learns: a game, an editor, agents that are watched."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gridrl.studio.shown import Button, Shown

MESSAGE_S = 6.0  # how long a sentence is shown
SLIDER_STEP = 1 / 40  # of its line, for a press of an arrow key
ARROWS = ("up", "down", "left", "right")


def _no() -> bool:
    return False


def _nothing() -> str:
    return ""


class Control(NamedTuple):
    """A button and its keys, and what it does."""

    name: str
    label: str
    key: str
    hint: str
    group: str
    do: Callable[[], object]
    on: Callable[[], bool] = _no
    why_not: Callable[[], str] = _nothing
    aliases: tuple[str, ...] = ()  # other keys that do the same


class Room:
    """The state of one window: its loop calls what is below, by what a hand did, and draws what `shown` returns.

    `closed` ends the loop; `now` is the time in seconds that the loop last told.
    """

    title = "gridrl"

    def __init__(self) -> None:
        self.controls: Sequence[Control] = ()
        self.closed = False
        self.help = False
        self.selected = ""  # the slider that the arrow keys move
        self.now = 0.0
        self._message, self._said = "", -math.inf

    def shown(self) -> Shown:
        """Return all that a frame shows."""
        raise NotImplementedError

    def tick(self, now: float) -> bool:
        """Do what is due at `now`; return whether anything changed."""
        self.now = now
        return False

    def due_in(self) -> float:
        """Return after how many seconds there is something to do; inf: not before a hand does something."""
        return math.inf

    @property
    def following(self) -> "Room | None":
        """The room that takes over this one's window now; None: it goes on."""
        return None

    def press(self, name: str) -> None:
        """Press a button."""
        control = next(control for control in self.controls if control.name == name)
        why_not = control.why_not()
        if why_not:
            self.say(why_not)
        else:
            control.do()

    def key(self, key: str) -> None:
        """Press a key, by its name in a window's `Event`."""
        sliders = [slider.name for slider in self.shown().sliders]
        if key in ("tab", "shift tab") and sliders:
            names = ["", *sliders]
            self.selected = names[(names.index(self.selected) + (1 if key == "tab" else -1)) % len(names)]
        elif self.selected and key in ARROWS:
            self.nudge(self.selected, 1 if key in ("right", "up") else -1)
        else:
            for control in self.controls:
                if key == control.key or key in control.aliases:
                    return self.press(control.name)
            if key in ARROWS:
                self.arrow(key)

    def arrow(self, direction: str) -> None:
        """Press an arrow key that moves no slider."""

    def point(self, cell: int | None) -> None:
        """Move the pointer over a cell, or off the board."""

    def begin(self, cell: int) -> None:
        """Press the mouse on a cell."""

    def release(self) -> None:
        """Let the mouse go."""

    def slide(self, name: str, position: float, same_stroke: bool = False) -> None:
        """Draw a slider to a place from 0 to 1; `same_stroke`: the same hand goes on drawing it."""

    def nudge(self, name: str, direction: int) -> None:
        """Move a slider a little."""

    def leave(self) -> None:
        """Close the window."""
        self.closed = True

    def toggle_help(self) -> None:
        """Show or hide the legend and the keys."""
        self.help = not self.help

    def say(self, sentence: str) -> None:
        """Show a sentence for some seconds."""
        self._message, self._said = sentence, self.now

    @property
    def message(self) -> str:
        """The sentence that is shown now."""
        return self._message if self.now - self._said < MESSAGE_S else ""

    def buttons(self) -> tuple[Button, ...]:
        """Return the controls as they are drawn."""
        return tuple(
            Button(control.name, control.label, control.key, control.hint, control.group, control.on(), why_not)
            for control in self.controls
            for why_not in (control.why_not(),)
        )
