"""The observation "pixels": the renderer's picture. pygame is imported when the first one is drawn."""

import numpy as np
from numpy.typing import NDArray

from gridrl_envs.dynamics import Outcome, State, States
from gridrl_envs.level import Level
from gridrl_envs.rendering import draw

TILE_SIZE = 6  # dense is then 60 x 120, and every built-in level large enough for the network of Mnih et al. (2015)


def pixels(level: Level, states: States, tile_size: int) -> NDArray[np.uint8]:
    """Return the pictures of states: RGB, uint8 [N, rows * tile_size, columns * tile_size, 3]."""
    obs = np.empty((len(states.cell), level.rows * tile_size, level.columns * tile_size, 3), np.uint8)
    for number in range(len(obs)):
        obs[number] = draw(level, states.one(number), tile=tile_size)
    return obs


class PixelsView:
    """The picture of one environment."""

    def __init__(self, level: Level, tile_size: int) -> None:
        self._level, self._tile_size = level, tile_size
        self._items: list[bool] = []

    def begin(self, state: State) -> None:
        """Go on from this state."""
        self._items = list(state.items)

    def take(self, item: int) -> None:
        """Note that an item is gone."""
        self._items[item] = False

    def observe(self, cell: int, phase: int) -> NDArray[np.uint8]:
        """Return the picture, uint8 [rows * tile_size, columns * tile_size, 3]."""
        return draw(self._level, State(cell, phase, tuple(self._items)), tile=self._tile_size)


class PixelsViews:
    """The pictures of many environments."""

    def __init__(self, level: Level, tile_size: int, num_envs: int) -> None:
        self._level, self._tile_size = level, tile_size
        self.obs = np.zeros((num_envs, level.rows * tile_size, level.columns * tile_size, 3), np.uint8)

    def begin(self, rows: NDArray[np.intp], cell: NDArray[np.intp]) -> None:
        """Begin episodes in some rows [M], the players on these cells [M]."""
        items = (True,) * (len(self._level.coins) + len(self._level.poisons))
        for row, start in zip(rows.tolist(), cell.tolist(), strict=True):
            self.obs[row] = draw(self._level, State(start, 0, items), tile=self._tile_size)

    def put(self, states: States) -> None:
        """Go on from these states in all rows."""
        self.obs[:] = pixels(self._level, states, self._tile_size)

    def step(self, before: States, outcome: Outcome) -> None:
        """Follow a step of all environments."""
        self.put(outcome.states)
