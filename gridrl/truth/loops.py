"""Where play without chance comes back to a state that it was in: from there on it goes round in circles for ever."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gridrl_envs.dynamics import Dynamics, States


def can_loop(dynamics: "Dynamics") -> bool:
    """Say whether the same action in the same state of a level always leads to the same state.

    It does not where actions slip; and where the patrollers' round is longer than an episode, nobody knows when they
    come round.
    """
    return dynamics.level.slip == 0 and dynamics.repeats


class LoopFinder:
    """Watches n courses through a level that `can_loop`, all begun together, and finds the first state met twice.

    A state is a cell, the items left and the patrollers' phase. What was collected never comes back, so that a course
    which has collected nothing since is where it was as soon as cell and phase are.
    """

    def __init__(self, dynamics: "Dynamics", states: "States") -> None:
        """`states` [n] are those that the courses begin in."""
        self._num_phases = dynamics.num_phases
        self._cells = [states.cell]  # by step
        self._items_left = states.items.sum(axis=1)
        self._since = np.zeros(states.cell.size, dtype=np.int64)  # the first step that can be come back to

    def step(self, states: "States", certain: np.ndarray) -> np.ndarray:
        """Return the step [n] at which a course was in its state of `states` [n] before, -1 where it never was.

        `certain`, bool [n], says whether the action that led here would be chosen again. A loop is told once.
        """
        now = len(self._cells)
        items_left = states.items.sum(axis=1)
        self._since[~certain | (items_left != self._items_left)] = now
        self._items_left = items_left
        before = np.full(states.cell.size, -1)
        for step in range(now - self._num_phases, self._since.min(initial=now) - 1, -self._num_phases):
            met = (self._cells[step] == states.cell) & (self._since <= step)
            before[met] = step
            self._since[met] = now
        self._cells.append(states.cell)
        return before

    def num_cells(self, course: int, begin: int) -> int:
        """Return how many different cells a course has been on since step `begin`."""
        return len({int(cell[course]) for cell in self._cells[begin:]})

    def keep(self, index: np.ndarray) -> None:
        """Watch only the courses number `index`, in that order."""
        self._cells = [cell[index] for cell in self._cells]
        self._items_left, self._since = self._items_left[index], self._since[index]
