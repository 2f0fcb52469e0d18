"""The observation "window": the square of the planes around the player, which is all that it sees.

What lies beyond the map looks like wall. A wall needs no plane of its own: a cell on which no plane is set is one.
"""

import numpy as np
from numpy.typing import NDArray

from gridrl_envs.dynamics import Dynamics, Outcome, State, States
from gridrl_envs.observations import COIN, FLOOR, PLAYER, POISON, planes, planes_support
from gridrl_envs.view import PlanesView
from gridrl_envs.views import PlanesViews

WINDOW_RADIUS = 2


def window_cells(dynamics: Dynamics, radius: int) -> NDArray[np.intp]:
    """Return the flat cells that are seen from each cell: [cells, (2 radius + 1)^2], rows first.

    Cell 0 stands for all that lies beyond the map: it is a corner of the map's border, and so a wall.
    """
    level = dynamics.level
    offset = np.arange(-radius, radius + 1)
    row, column = np.divmod(np.arange(level.rows * level.columns), level.columns)
    row, column = row[:, None, None] + offset[:, None], column[:, None, None] + offset
    on_map = (row >= 0) & (row < level.rows) & (column >= 0) & (column < level.columns)
    return np.where(on_map, row * level.columns + column, 0).reshape(len(on_map), -1)


def window(dynamics: Dynamics, states: States, radius: int) -> NDArray[np.uint8]:
    """Return the windows of states: uint8 [N, 2 radius + 1, 2 radius + 1, P], the player in the middle.

    The planes are those of `observations.planes`.
    """
    obs = planes(dynamics, states)
    count, side, num_planes = len(obs), 2 * radius + 1, obs.shape[3]
    seen = window_cells(dynamics, radius)[states.cell]
    return obs.reshape(count, -1, num_planes)[np.arange(count)[:, None], seen].reshape(count, side, side, num_planes)


def window_support(dynamics: Dynamics, radius: int) -> NDArray[np.bool_]:
    """Return which entries can be other than zero in an episode: bool [2 radius + 1, 2 radius + 1, P].

    No entry outside is ever met in play; some inside may not be met either.
    """
    support = planes_support(dynamics)
    side, num_planes = 2 * radius + 1, support.shape[2]
    cells = support.reshape(-1, num_planes)
    seen: NDArray[np.bool_] = np.bitwise_or.reduce(cells[window_cells(dynamics, radius)[cells[:, PLAYER]]])
    middle = side * side // 2
    seen[:, PLAYER] = False
    seen[middle, [PLAYER, COIN, POISON, FLOOR]] = [True, False, False, False]  # what the player stands on is collected
    return seen.reshape(side, side, num_planes)


class WindowView:
    """The window of one environment."""

    def __init__(self, dynamics: Dynamics, radius: int) -> None:
        self._planes = PlanesView(dynamics)
        self._seen = list(window_cells(dynamics, radius))
        self._side = 2 * radius + 1

    def begin(self, state: State) -> None:
        """Go on from this state."""
        self._planes.begin(state)

    def take(self, item: int) -> None:
        """Note that an item is gone."""
        self._planes.take(item)

    def observe(self, cell: int, phase: int) -> NDArray[np.uint8]:
        """Return the window, uint8 [2 radius + 1, 2 radius + 1, P]."""
        planes = self._planes.observe(cell, phase)
        seen = planes.reshape(-1, planes.shape[2]).take(self._seen[cell], axis=0)
        return seen.reshape(self._side, self._side, -1)


class WindowViews:
    """The windows of many environments."""

    def __init__(self, dynamics: Dynamics, radius: int, num_envs: int) -> None:
        self._planes = PlanesViews(dynamics, num_envs)
        self._seen = window_cells(dynamics, radius)
        num_cells, num_planes = len(self._seen), self._planes.obs.shape[3]
        self._cells = self._planes.obs.reshape(-1, num_planes)  # [N * cells, P], the same memory
        self._row_cells = np.arange(num_envs)[:, None] * num_cells
        self.obs = np.zeros((num_envs, 2 * radius + 1, 2 * radius + 1, num_planes), np.uint8)
        self._flat = self.obs.reshape(num_envs, -1, num_planes)

    def begin(self, rows: NDArray[np.intp], cell: NDArray[np.intp]) -> None:
        """Begin episodes in some rows [M], the players on these cells [M]."""
        self._planes.begin(rows, cell)
        self._flat[rows] = self._cells.take(self._row_cells[rows] + self._seen[cell], axis=0)

    def put(self, states: States) -> None:
        """Go on from these states in all rows."""
        self._planes.put(states)
        self._look(states)

    def step(self, before: States, outcome: Outcome) -> None:
        """Follow a step of all environments."""
        self._planes.step(before, outcome)
        self._look(outcome.states)

    def _look(self, states: States) -> None:
        self._cells.take(self._row_cells + self._seen.take(states.cell, axis=0), axis=0, out=self._flat, mode="clip")
