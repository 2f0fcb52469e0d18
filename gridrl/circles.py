"""Greedy episodes that go round in circles: seen as soon as a circle closes, and added up to the step limit."""

from typing import TYPE_CHECKING, Protocol

import numpy as np

from gridrl.truth.courses import pick
from gridrl.truth.loops import LoopFinder

if TYPE_CHECKING:
    from gridrl_envs.dynamics import States
    from gridrl_envs.vector import GridworldVectorEnv


class Certain(Protocol):
    """What is asked of a policy."""

    @property
    def certain(self) -> np.ndarray:
        """Whether it would choose the latest action again, bool [R, E]; where it was a tie it would not."""


class Circles:
    """Watches those of a world's R x E episodes, all begun together, that never explore.

    Attribute `found`, four arrays [R, E]: steps of the circle (0: none), the step and the cell at which it was entered,
    and how many different cells it has.
    """

    def __init__(self, world: "GridworldVectorEnv", shape: tuple[int, int], is_greedy: np.ndarray) -> None:
        """`is_greedy`, bool [E], says which of a run's episodes are watched. The world's episodes have just begun."""
        self.found = tuple(np.zeros(shape, dtype=np.int64) for _ in range(4))
        self._world = world
        self._watched = np.flatnonzero(np.tile(is_greedy, shape[0]))
        self._finder = LoopFinder(world.dynamics, self._states())
        self._num_steps = 0

    def step(self, policy: Certain, playing: np.ndarray) -> None:
        """Follow a step of all episodes, and set `playing`, bool [R, E], to False where a circle has closed."""
        self._num_steps += 1
        watched = self._watched
        is_open = playing.take(watched)
        if not np.count_nonzero(is_open):  # all that are watched have ended, or gone round once
            return
        states = self._states()
        begin = self._finder.step(states, (policy.certain & playing).take(watched))
        for course in ((begin >= 0) & is_open).nonzero()[0].tolist():
            entered = int(begin[course])
            circle = (self._num_steps - entered, entered, states.cell[course], self._finder.num_cells(course, entered))
            for array, value in zip(self.found, circle, strict=True):
                array.flat[watched[course]] = value
            playing.flat[watched[course]] = False

    def go_round(self, earned: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rewards [T, R, E] and lengths [R, E] of the episodes with their circles walked to the step limit.

        The steps that circles are walked for are those of their first rounds, one by one: nothing is rounded anew.
        """
        loop_length, loop_begin, *_ = self.found
        circling = np.flatnonzero(loop_length)
        if not circling.size:
            return earned, length
        limit = self._world.level.max_steps
        rewards = np.zeros((limit, loop_length.size))
        rewards[: len(earned)] = earned.reshape(len(earned), -1)
        begin, period = loop_begin.take(circling), loop_length.take(circling)
        step = np.arange(limit)[:, None]
        first_time = np.where(step < begin, step, begin + (step - begin) % period)  # [limit, circling]
        rewards[:, circling] = np.take_along_axis(rewards[:, circling], first_time, axis=0)
        lengths = length.copy()
        lengths.flat[circling] = limit
        return rewards.reshape(limit, *loop_length.shape), lengths

    def _states(self) -> "States":
        return pick(self._world.get_states(), self._watched)
