"""The level that a session's minds live in, under a hand that paints it."""

from typing import TYPE_CHECKING, Any

from gridrl.errors import UserError
from gridrl.studio.names import numbered
from gridrl.studio.painting.hand import Hand
from gridrl_envs.level import LevelError

if TYPE_CHECKING:
    from gridrl.studio.live.session import Session
    from gridrl_envs.level import Level


class World:
    """A session's level and the `hand` over it. What is painted becomes the world as soon as it is right."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self.hand = Hand(session.mind.level)
        self._applied: Level = session.mind.level  # that the hand's sketch has come to, or comes from
        self._aside = self.hand.sketch

    def follow(self) -> None:
        """Draw the minds' level, where it has become another one in another way than by this hand."""
        if self._session.mind.level != self._applied:
            self._applied = self._session.mind.level
            self.hand.follow(self._applied)

    def set_aside(self) -> None:
        """Draw the minds' level as it is, and keep what is drawn, right or wrong, until `take_up`."""
        self._aside = self.hand.sketch
        self.hand.follow(self._applied)

    def take_up(self) -> None:
        """Go on with what was set aside, whose level the minds live in again."""
        self.hand.follow(self._session.mind.level)
        self.hand.sketch, self._applied = self._aside, self._session.mind.level

    def press(self, cell: int) -> None:
        """Put the brush, if there is one in the hand, down on a cell."""
        self.hand.cursor = cell
        if self.hand.brush and not self._session.is_refused():
            self.hand.begin(cell)

    def point(self, cell: int | None) -> None:
        """Move the cursor to a cell, or off the board; a brush that is down paints on the way."""
        if cell is not None and self.hand.painting:
            self.hand.draw_on(cell)
        self.hand.cursor = cell

    def release(self) -> None:
        """Lift the brush: the stroke is done."""
        if self.hand.painting:
            self.hand.lift()
            self.apply()

    def paint(self) -> None:
        """Paint the cursor's cell."""
        if self.hand.cursor is None or not self.hand.brush:
            return self._session.say("Take a brush (1 to 8), and move the cursor with the arrow keys.")
        self.press(self.hand.cursor)
        self.release()

    @property
    def why_no_undo(self) -> str:
        """Why nothing can be taken back now; empty: it can."""
        return self._session.why_not_now or ("" if self.hand.sketch.can_undo else "Nothing was painted.")

    @property
    def why_no_redo(self) -> str:
        """Why nothing can be painted again now; empty: it can."""
        return self._session.why_not_now or ("" if self.hand.sketch.can_redo else "Nothing was taken back.")

    def undo(self) -> None:
        """Take the last stroke back."""
        if not self._session.is_refused() and self.hand.sketch.undo():
            self.apply()

    def redo(self) -> None:
        """Paint again what was taken back."""
        if not self._session.is_refused() and self.hand.sketch.redo():
            self.apply()

    def change(self, **settings: Any) -> None:
        """Give the level other settings, as its slip."""
        if not self._session.is_refused() and self.hand.sketch.change(**settings):
            self.apply()

    def apply(self) -> None:
        """Let the minds learn on in what is drawn; what is wrong is told, and waits until it is mended."""
        session, fault = self._session, self.hand.sketch.fault
        if fault:
            return session.say(f"Not yet in the world: {fault}.")
        level = self.hand.sketch.level()
        if level == self._applied:
            return
        step = session.step
        lost = [sentence for mind in session.minds for sentence in mind.change_level(level)]
        self._applied = session.mind.level
        if any(mind.step < step for mind in session.minds):  # one could not learn on: they stay in step
            for mind in session.minds:
                mind.begin_anew()
            session.past.clear()
        session.changed()
        if lost:
            session.say(" ".join(dict.fromkeys(lost)))

    def save(self) -> None:
        """Write the level as a file, under the next free name in the present folder."""
        path = numbered("level", ".toml")
        try:
            self.hand.sketch.save(path)
        except (LevelError, UserError) as error:
            return self._session.say(str(error))
        self._session.say(f"wrote {path}: gridrl train {self._session.mind.name} --level {path}")
