"""What is observed of one environment, kept up to date step by step.

The definitions are in `observations.py`; this is the same for one state, in plain Python, since that is faster.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gridrl_envs.dynamics import Dynamics, State
from gridrl_envs.observations import COIN, FLOOR, HEADING_PLANE, PLAYER, POISON, StateIndex, scene

Observation = NDArray[np.uint8] | int


class View(Protocol):
    """Follows one environment: `begin` with a state, `take` each item collected, `observe` at will."""

    def begin(self, state: State) -> None:
        """Go on from this state."""

    def take(self, item: int) -> None:
        """Note that an item is gone."""

    def observe(self, cell: int, phase: int) -> Observation:
        """Return the observation, fresh, with the player on this cell in this phase of the patrollers."""


class PlanesView:
    """Planes, written as bytes: entry (cell, plane) is byte cell * P + plane.

    The board without player and patrollers changes only when something is collected; each step copies it.
    """

    def __init__(self, dynamics: Dynamics) -> None:
        level = dynamics.level
        self._shape, empty_board = scene(dynamics)
        num_planes = self._shape[2]
        self._empty_board = empty_board.tobytes()
        self._player_byte = [cell * num_planes + PLAYER for cell in range(level.rows * level.columns)]
        kinds = [COIN] * len(level.coins) + [POISON] * len(level.poisons)
        self._item_bytes = [
            (cell * num_planes + kind, cell * num_planes + FLOOR)
            for cell, kind in zip(level.coins + level.poisons, kinds, strict=True)
        ]
        tables = zip(dynamics.patroller_cells.tolist(), dynamics.patroller_headings.tolist(), strict=True)
        self._patroller_bytes = [  # by phase
            [
                (cell * num_planes + HEADING_PLANE[heading], cell * num_planes + FLOOR)
                for cell, heading in zip(cells, headings, strict=True)
            ]
            for cells, headings in tables
        ]
        self._board = bytearray(self._empty_board)

    def begin(self, state: State) -> None:
        """Go on from this state."""
        self._board = bytearray(self._empty_board)
        for (item, floor), is_there in zip(self._item_bytes, state.items, strict=True):
            if is_there:
                self._board[item] = 1
                self._board[floor] = 0

    def take(self, item: int) -> None:
        """Note that an item is gone."""
        item_byte, floor = self._item_bytes[item]
        self._board[item_byte] = 0
        self._board[floor] = 1

    def observe(self, cell: int, phase: int) -> NDArray[np.uint8]:
        """Return the planes, uint8 [rows, columns, P]."""
        planes = bytearray(self._board)
        for patroller, floor in self._patroller_bytes[phase]:
            planes[patroller] = 1
            planes[floor] = 0
        player = self._player_byte[cell]
        planes[player] = 1
        planes[player + FLOOR] = 0
        return np.ndarray(self._shape, np.uint8, planes)


class IndexView:
    """The number of the state, as `StateIndex` counts."""

    def __init__(self, dynamics: Dynamics, index: StateIndex) -> None:
        # With nothing left the numbers of all (phase, cell) are a table; item i then adds its weight.
        num_phases, num_cells = dynamics.num_phases, dynamics.level.rows * dynamics.level.columns
        self._numbers = index.numbers(np.arange(num_phases)[:, None], np.arange(num_cells)).tolist()
        self._weights = index.item_weights.tolist()
        self._items = 0

    def begin(self, state: State) -> None:
        """Go on from this state."""
        self._items = sum(weight for weight, is_there in zip(self._weights, state.items, strict=True) if is_there)

    def take(self, item: int) -> None:
        """Note that an item is gone."""
        self._items -= self._weights[item]

    def observe(self, cell: int, phase: int) -> Observation:
        """Return the number of the state."""
        return self._numbers[phase][cell] + self._items
