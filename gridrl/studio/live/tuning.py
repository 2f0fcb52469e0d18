"""The settings of a session's agents and of its level, as sliders and switches change them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gridrl.errors import UserError
from gridrl.studio.live.dials import DIALS, Dial
from gridrl_agents.errors import SettingsError

if TYPE_CHECKING:
    from gridrl.studio.live.session import Session
    from gridrl.studio.minds.mind import Mind

SWITCHES: dict[str, tuple[Any, Any]] = {  # a setting: its values for off and on
    "double": (False, True),
    "dueling": (False, True),
    "replay": ("uniform", "proportional"),
}


class Tuning:
    """What can be set, and is set in every mind that knows it.

    `selected` is the slider that the keys move, "" none; `dragged` the one that the mouse draws, and where it is: it
    is set when the mouse lets it go.
    """

    def __init__(self, session: "Session") -> None:
        self._session = session
        self.selected = ""
        self.dragged: tuple[str, float] | None = None
        self._wanted: dict[str, Any] = {}  # switches that wait until it begins anew

    def dials(self) -> list[tuple[Dial, float]]:
        """Return the sliders that any of the minds knows, with the first such mind's number."""
        found = []
        for dial in DIALS:
            values = [value for mind in self._session.minds if (value := dial.read(mind)) is not None]
            if values:
                found.append((dial, values[0]))
        return found

    def slide(self, name: str, position: float) -> None:
        """Set a slider to a place from 0 to 1."""
        dial = next(dial for dial, _ in self.dials() if dial.name == name)
        number = dial.along.number(min(max(position, 0.0), 1.0))
        if dial.of_level:
            self._session.world.change(**{name: number})
        elif not self._session.is_refused():
            self._change([mind for mind in self._session.minds if dial.read(mind) is not None], {name: number})

    def drop(self) -> None:
        """Let go the slider that the mouse draws."""
        if self.dragged is not None:
            (name, position), self.dragged = self.dragged, None
            self.slide(name, position)

    def nudge(self, step: float) -> None:
        """Move the selected slider by a part of its line, or by as much as makes a difference."""
        for dial, value in self.dials():
            if dial.name == self.selected:
                place = dial.along.place(value) + step
                while dial.along.number(place) == value and 0 < place < 1:
                    place += step
                self.slide(dial.name, place)

    def select(self, direction: int) -> None:
        """Select the next slider (1), or the one before (-1); after the last one none."""
        names = ["", *(dial.name for dial, _ in self.dials())]
        here = names.index(self.selected) if self.selected in names else 0
        self.selected = names[(here + direction) % len(names)]

    def is_on(self, name: str) -> bool:
        """Whether a setting is switched on, or is to be once it begins anew."""
        off, _ = SWITCHES[name]
        return any(self._wanted.get(name, mind.settings[name]) != off for mind in self._knowing(name))

    def why_no_switch(self, name: str) -> str:
        """Why a setting cannot be switched now; empty: it can."""
        return self._session.why_not_now or ("" if self._knowing(name) else "No agent here has this setting.")

    def switch(self, name: str) -> None:
        """Switch a setting in all minds that know it; where it needs to begin anew, say so and wait for that."""
        if self._session.is_refused():
            return
        value = SWITCHES[name][not self.is_on(name)]
        self._wanted.pop(name, None)
        minds = [mind for mind in self._knowing(name) if mind.settings[name] != value]
        failure = self._change(minds, {name: value})
        if failure:
            self._wanted[name] = value
            self._session.say(f"{failure} It will be so when you begin anew (M).")

    def begin_anew(self) -> None:
        """Forget what was learned and begin with the settings as they stand, switches that wait for it included."""
        session = self._session
        if session.is_refused():
            return
        before = [mind.moment() for mind in session.minds]
        try:
            for mind in session.minds:
                mind.begin_anew(**{name: value for name, value in self._wanted.items() if name in mind.settings})
        except (SettingsError, UserError) as error:
            for mind, moment in zip(session.minds, before, strict=True):
                mind.go_back(moment)
            session.changed()
            return session.say(str(error))
        self._wanted.clear()
        session.clock.goal = ""
        session.past.clear()
        session.changed()
        session.say("It begins anew.")

    def _knowing(self, name: str) -> "list[Mind]":
        return [mind for mind in self._session.minds if name in mind.settings]

    def _change(self, minds: "Sequence[Mind]", settings: dict[str, Any]) -> str:
        """Change the settings of minds; say, and return, why one of them cannot."""
        lost: list[str] = []
        failure = ""
        for mind in minds:
            try:
                lost += mind.change(**settings)
            except (SettingsError, UserError) as error:
                failure = str(error)
        self._session.changed()
        if failure or lost:
            self._session.say(" ".join(dict.fromkeys([failure] if failure else lost)))
        return failure
