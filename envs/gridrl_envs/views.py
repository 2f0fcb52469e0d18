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
        # What the patrollers' step from each phase changes: their entries and the floor's below them, before and after.
        cells = dynamics.patroller_cells
        entry = cells * self._num_planes + np.array(HEADING_PLANE)[dynamics.patroller_headings]
        floor = cells * self._num_planes + FLOOR
        entry_after, floor_after = np.roll(entry, -1, axis=0), np.roll(floor, -1, axis=0)
        self._patrollers_change = (entry != entry_after).any(axis=1)
        self._any_patroller_moves = bool(self._patrollers_change.any())
        self._patrol = np.stack([entry, floor, entry_after, floor_after, cells]).astype(np.int32)  # [5, phases, K]
        self._patrol_row = np.stack([self._row] * 4 + [self._row_cells])[:, :, None]  # [5, N, 1]

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
        if collected.size:
            flat[self._row[collected] + self._item_entry[item]] = 0
            self._flat_bare[self._row_cells[collected] + self._dynamics.item_cells[item]] = 1

        # First everything leaves, then everything arrives: they may follow each other.
        old = self._row + before.cell * self._num_planes
        flat[old] = 0
        old += FLOOR
        flat[old] = self._flat_bare[self._row_cells + before.cell]
        if self._any_patroller_moves:
            self._step_patrollers(before)
        new = self._row + after.cell * self._num_planes
        flat[new] = 1
        new += FLOOR
        flat[new] = 0

    def _step_patrollers(self, before: States) -> None:
        phase = before.step % self._dynamics.num_phases
        (moving,) = self._patrollers_change[phase].nonzero()
        if not moving.size:
            return
        places = self._patrol.take(phase[moving], axis=1) + self._patrol_row.take(moving, axis=1)
        old, old_floor, new, new_floor, old_cell = places  # each [M, K]
        self._flat[old] = 0
        self._flat[old_floor] = self._flat_bare[old_cell]
        self._flat[new] = 1
        self._flat[new_floor] = 0


class IndexViews:
    """The numbers of the states, as `StateIndex` counts."""

    def __init__(self, index: StateIndex, num_envs: int) -> None:
        # With nothing left the numbers of all (phase, cell) are a table; each item left adds its weight.
        level = index.dynamics.level
        self._index = index
        self._num_phases, self._num_cells = index.dynamics.num_phases, level.rows * level.columns
        self._numbers = index.numbers(np.arange(self._num_phases)[:, None], np.arange(self._num_cells)).ravel()
        self._all_items = index.item_weights.sum()
        self._first_numbers = self._numbers[: self._num_cells] + self._all_items  # by cell, when an episode begins
        self._items = np.zeros(num_envs, np.int64)  # the weights of the items that are left
        self.obs = np.zeros(num_envs, np.int64)

    def begin(self, rows: NDArray[np.intp], cell: NDArray[np.intp]) -> None:
        """Begin episodes in some rows [M], the players on these cells [M]."""
        self._items[rows] = self._all_items
        self.obs[rows] = self._first_numbers[cell]

    def put(self, states: States) -> None:
        """Go on from these states in all rows."""
        self._items[:] = states.items @ self._index.item_weights
        self._look(states)

    def step(self, before: States, outcome: Outcome) -> None:
        """Follow a step of all environments."""
        if outcome.collected.size:
            self._items[outcome.collected] -= self._index.item_weights[outcome.item]
        self._look(outcome.states)

    def _look(self, states: States) -> None:
        place = states.cell
        if self._num_phases > 1:
            place = states.step % self._num_phases * self._num_cells + place
        self._numbers.take(place, out=self.obs, mode="clip")
        if self._all_items:
            self.obs += self._items
