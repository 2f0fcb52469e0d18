"""What is observed of many environments, kept up to date in one array step by step.

The definitions are in `observations.py`; here only those entries are written that a step can change.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gridrl_envs.dynamics import Dynamics, Outcome, States
from gridrl_envs.observations import COIN, FLOOR, HEADING_PLANE, PLAYER, POISON, StateIndex, planes, scene


class Views(Protocol):
    """Follows `N` environments; `obs` [N, ...] is always the present observation, the same array all the time."""

    obs: NDArray[Any]

    def begin(self, rows: NDArray[np.intp], cell: NDArray[np.intp]) -> None:
        """Begin episodes in some rows [M], the players on these cells [M]."""

    def put(self, states: States) -> None:
        """Go on from these states in all rows."""

    def step(self, before: States, outcome: Outcome) -> None:
        """Follow a step of all environments."""


class PlanesViews:
    """Planes, as in `observations.planes`.

    Entry (row, cell, plane) is number row * size + cell * P + plane of the flat array.
    """

    def __init__(self, dynamics: Dynamics, num_envs: int) -> None:
        level = dynamics.level
        shape, board = scene(dynamics)
        self._dynamics, self._num_planes = dynamics, shape[2]
        self._row = np.arange(num_envs) * board.size
        self._row_cells = np.arange(num_envs) * len(board)
        self.obs = np.repeat(board[None], num_envs, axis=0).reshape(num_envs, *shape)
        self._flat = self.obs.reshape(-1)
        # Whether floor would show on each cell, were neither the player nor a patroller on it.
        self._empty_floor = board[:, FLOOR]
        self._bare = np.repeat(self._empty_floor[None], num_envs, axis=0)
        self._flat_bare = self._bare.reshape(-1)
        # The board at the beginning of an episode, without the player.
        (self._start_obs,) = planes(dynamics, dynamics.reset(1))
        start = self._start_obs.reshape(-1, self._num_planes)[level.starts[0]]
        start[PLAYER], start[FLOOR] = 0, 1
        self._start_bare = self._empty_floor.copy()
        self._start_bare[dynamics.item_cells] = 0

        kinds = np.repeat([COIN, POISON], [dynamics.num_coins, len(level.poisons)])
        self._item_entry = dynamics.item_cells * self._num_planes + kinds
        cells = dynamics.patroller_cells
        self._patroller_entry = cells * self._num_planes + np.array(HEADING_PLANE)[dynamics.patroller_headings]
        following = np.roll(self._patroller_entry, -1, axis=0)
        self._patrollers_change = (self._patroller_entry != following).any(axis=1)  # with the step from this phase

    def begin(self, rows: NDArray[np.intp], cell: NDArray[np.intp]) -> None:
        """Begin episodes in some rows [M], the players on these cells [M]."""
        self.obs[rows] = self._start_obs
        self._bare[rows] = self._start_bare
        player = self._row[rows] + cell * self._num_planes
        self._flat[player] = 1
        self._flat[player + FLOOR] = 0

    def put(self, states: States) -> None:
        """Go on from these states in all rows."""
        self.obs[:] = planes(self._dynamics, states)
        self._bare[:] = self._empty_floor
        n, item = np.nonzero(states.items)
        self._bare[n, self._dynamics.item_cells[item]] = 0

    def step(self, before: States, outcome: Outcome) -> None:
        """Follow a step of all environments."""
        flat, after = self._flat, outcome.states
        collected, item = outcome.collected, outcome.item
        flat[self._row[collected] + self._item_entry[item]] = 0
        self._bare[collected, self._dynamics.item_cells[item]] = 1

        # First everything leaves, then everything arrives: they may follow each other.
        old = self._row + before.cell * self._num_planes
        flat[old] = 0
        old += FLOOR
        flat[old] = self._flat_bare.take(self._row_cells + before.cell)
        self._step_patrollers(before)
        new = self._row + after.cell * self._num_planes
        flat[new] = 1
        new += FLOOR
        flat[new] = 0

    def _step_patrollers(self, before: States) -> None:
        phase = before.step % self._dynamics.num_phases
        moving = np.flatnonzero(self._patrollers_change.take(phase))
        if not moving.size:
            return
        flat, cells = self._flat, self._dynamics.patroller_cells
        phase = phase[moving]
        row = self._row[moving, None]
        old, old_cell = row + self._patroller_entry[phase], cells[phase]
        phase += 1
        phase[phase == self._dynamics.num_phases] = 0
        new, new_cell = row + self._patroller_entry[phase], cells[phase]
        flat[old] = 0
        flat[row + old_cell * self._num_planes + FLOOR] = self._flat_bare[self._row_cells[moving, None] + old_cell]
        flat[new] = 1
        flat[row + new_cell * self._num_planes + FLOOR] = 0


class IndexViews:
    """The numbers of the states, as `StateIndex` counts."""

    def __init__(self, index: StateIndex, num_envs: int) -> None:
        self._index = index
        self.obs = np.zeros(num_envs, np.int64)

    def begin(self, rows: NDArray[np.intp], cell: NDArray[np.intp]) -> None:
        """Begin episodes in some rows [M], the players on these cells [M]."""
        self.obs[rows] = self._index.numbers(np.zeros_like(cell), cell) + self._index.item_weights.sum()

    def put(self, states: States) -> None:
        """Go on from these states in all rows."""
        self.obs[:] = self._index.encode(states)

    def step(self, before: States, outcome: Outcome) -> None:
        """Follow a step of all environments."""
        self.obs[:] = self._index.encode(outcome.states)
