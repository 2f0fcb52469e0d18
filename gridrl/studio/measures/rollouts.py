"""What a mind's own policy earns from a state, played out between the frames while the mind learns on."""

import time
from collections.abc import Generator
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

if TYPE_CHECKING:
    from gridrl.studio.minds.mind import Mind
    from gridrl.truth.returns import Returns
    from gridrl_envs.dynamics import States

SLICE = 0.004  # seconds of a frame; on dense it takes some 60 to 700 ms in all
REST = 1.0  # seconds until it is played again, by what was learned meanwhile


class Earned(NamedTuple):
    """What run 0's greedy policy earns after each action."""

    q: np.ndarray  # Q^pi [4], discounted
    step: int  # of learning, whose policy it is


class Rollouts:
    """Q^pi of one state of each mind at a time, some milliseconds in each frame, and again as the mind learns.

    The policy that is played is that of the moment when it began: the mind believes again what it did then, for the
    length of a slice.
    """

    def __init__(self) -> None:
        self._games: WeakKeyDictionary[Mind, _Game] = WeakKeyDictionary()

    def earned(self, mind: "Mind", here: "States") -> Earned | None:
        """Return what was found last of the state `here` [1]; None as long as it is played for the first time."""
        game = self._games.get(mind)
        if game is None or not game.suits(mind, here):
            game = self._games[mind] = _Game(mind, here)
        game.play(mind)
        return game.found


class _Game:
    def __init__(self, mind: "Mind", here: "States") -> None:
        self._agent, self._level, self._here = mind.agent, mind.level, here
        self._step = mind.step
        self._values: dict[str, object] = {}
        self._rollouts: Generator[None, None, Returns] | None = None
        self._rests_until = 0.0
        self.found: Earned | None = None

    def suits(self, mind: "Mind", here: "States") -> bool:
        """Say whether this is still what is asked for; a mind that was changed, or went back, has another agent."""
        return (
            mind.agent is self._agent
            and mind.level == self._level
            and all(np.array_equal(old, new) for old, new in zip(self._here, here, strict=True))
        )

    def play(self, mind: "Mind") -> None:
        """Go on for the length of a slice, or begin anew where something was learned meanwhile."""
        if self._rollouts is None:
            if self.found is not None and (mind.step == self.found.step or time.monotonic() < self._rests_until):
                return
            from gridrl.truth.returns import action_rollouts

            self._step, self._values = mind.step, self._agent.values_dict()
            self._rollouts = action_rollouts(self._agent, mind.problem.gridworld, self._here)
        now = self._agent.values_dict()
        self._agent.load_values(self._values)
        try:
            self._go_on(self._rollouts)
        finally:
            self._agent.load_values(now)

    def _go_on(self, rollouts: "Generator[None, None, Returns]") -> None:
        end = time.monotonic() + SLICE
        try:
            while time.monotonic() < end:
                next(rollouts)
        except StopIteration as stop:
            self.found = Earned(stop.value.value[0, 0], self._step)
            self._rollouts, self._rests_until = None, time.monotonic() + REST
