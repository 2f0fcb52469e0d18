"""The moments of a session that were kept: to look at, to go on from, to return from."""

import time
from typing import TYPE_CHECKING, Any

from gridrl.studio.live.history import History

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridrl.studio.live.session import Session
    from gridrl.studio.minds.moments import Moment


class Past:
    """What a session's minds were. While a moment is looked at they are what they were then, and learn nothing.

    `looked_at` is that moment's step; None: this is the present. Keeping them takes at most a `share` of the time: what
    is large is kept less often (None: it takes what it takes, and the same are kept every time).
    """

    def __init__(self, session: "Session", share: float | None) -> None:
        self._session = session
        self._share = share
        self._rests_until = 0.0  # when the next moment may be kept
        self._history = History()
        self.looked_at: int | None = None
        self._present: tuple[Any, ...] = ()  # the moment to return to ...
        self._present_step = 0  # ... and its step

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps of the moments that are kept."""
        return self._history.steps

    @property
    def present_step(self) -> int:
        """The step that learning has come to."""
        return self._session.step if self.looked_at is None else self._present_step

    def remember(self) -> None:
        """Keep a moment, where one is due."""
        step = self._session.step
        if not self._history.is_due(step):
            return
        begun = time.perf_counter()
        if self._share is not None and begun < self._rests_until and self.steps:
            return
        moments = self._moments()
        self._history.keep(step, moments, sum(moment.num_bytes for moment in moments))
        if self._share is not None:
            end = time.perf_counter()
            self._rests_until = end + (end - begun) * (1 / self._share - 1)

    def moments_of(self, number: int) -> "list[Moment]":
        """Return the moments that are kept of one mind."""
        return [self._history.at(step)[number] for step in self.steps]

    def clear(self) -> None:
        """Forget all moments."""
        self._history = History()

    def look(self, direction: int) -> None:
        """Look at the moment before (-1) or after (1) what is looked at now."""
        here = self._session.step
        if direction < 0:
            self.look_at(max((step for step in self.steps if step < here), default=self.looked_at))
        else:
            self.look_at(min((step for step in self.steps if step > here), default=None))

    def look_along(self, position: float) -> None:
        """Look at the moment, or the present, that is nearest to a place from 0 to 1 on the line of all steps."""
        wanted = position * self.present_step
        nearest = min((*self.steps, self.present_step), key=lambda step: abs(step - wanted))
        self.look_at(None if nearest == self.present_step else nearest)

    def look_at(self, step: int | None) -> None:
        """Be what was at one of `steps`; None: the present."""
        if step is None:
            return self.to_present()
        if step != self.looked_at:
            if self.looked_at is None:
                self._present, self._present_step = self._moments(), self._session.step
                self._session.world.set_aside()
            self.looked_at = step
            self._be(self._history.at(step))

    def to_present(self) -> None:
        """Return to the present, as it was left."""
        if self.looked_at is not None:
            self.looked_at = None
            self._be(self._present)
            self._present = ()
            self._session.world.take_up()

    def branch(self) -> None:
        """Go on from the moment that is looked at, and forget what came later."""
        if self.looked_at is not None:
            self._history.forget_after(self.looked_at)
            self._session.say(f"It goes on from step {self.looked_at:,}.")
            self.looked_at, self._present = None, ()
            self._session.changed()

    def _moments(self) -> "tuple[Moment, ...]":
        return tuple(mind.moment() for mind in self._session.minds)

    def _be(self, moments: "Sequence[Moment]") -> None:
        self._session.clock.goal = ""
        for mind, moment in zip(self._session.minds, moments, strict=True):
            mind.go_back(moment)
        self._session.changed()
