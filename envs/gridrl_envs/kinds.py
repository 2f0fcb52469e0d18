"""The kinds of observation by name; each knows its space and support, and who keeps it up to date step by step."""

from typing import Any, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gridrl_envs.dynamics import Dynamics, States
from gridrl_envs.observations import StateIndex, planes, planes_support, scene
from gridrl_envs.pixels import TILE_SIZE, PixelsView, PixelsViews, pixels
from gridrl_envs.settings import LevelError, check_whole, suggest
from gridrl_envs.view import IndexView, PlanesView, View
from gridrl_envs.views import IndexViews, PlanesViews, Views
from gridrl_envs.window_view import WINDOW_RADIUS, WindowView, WindowViews, window, window_support


class Kind(Protocol):
    """One kind of observation on one level."""

    @property
    def space(self) -> spaces.Box | spaces.Discrete:
        """The space of one observation."""

    @property
    def support(self) -> NDArray[np.bool_] | None:
        """The entries that can ever be other than zero, where that is known."""

    def of(self, states: States) -> NDArray[Any]:
        """Return the observations of any states, [N, ...]."""

    def view(self) -> View:
        """Return what follows one environment."""

    def views(self, num_envs: int) -> Views:
        """Return what follows many."""


class _Planes:
    def __init__(self, dynamics: Dynamics) -> None:
        self._dynamics = dynamics
        self.space = spaces.Box(0, 1, scene(dynamics).shape, np.uint8)
        self.support = planes_support(dynamics)

    def of(self, states: States) -> NDArray[np.uint8]:
        return planes(self._dynamics, states)

    def view(self) -> View:
        return PlanesView(self._dynamics)

    def views(self, num_envs: int) -> Views:
        return PlanesViews(self._dynamics, num_envs)


class _State:
    support = None

    def __init__(self, dynamics: Dynamics) -> None:
        self._dynamics, self._index = dynamics, StateIndex(dynamics)
        self.space = spaces.Discrete(self._index.num_states)

    def of(self, states: States) -> NDArray[np.int64]:
        return self._index.encode(states)

    def view(self) -> View:
        return IndexView(self._dynamics, self._index)

    def views(self, num_envs: int) -> Views:
        return IndexViews(self._index, num_envs)


class _Window:
    def __init__(self, dynamics: Dynamics, radius: int) -> None:
        self._dynamics, self._radius = dynamics, radius
        self.support = window_support(dynamics, radius)
        self.space = spaces.Box(0, 1, self.support.shape, np.uint8)

    def of(self, states: States) -> NDArray[np.uint8]:
        return window(self._dynamics, states, self._radius)

    def view(self) -> View:
        return WindowView(self._dynamics, self._radius)

    def views(self, num_envs: int) -> Views:
        return WindowViews(self._dynamics, self._radius, num_envs)


class _Pixels:
    support = None

    def __init__(self, dynamics: Dynamics, tile_size: int) -> None:
        self._level, self._tile_size = dynamics.level, tile_size
        height, width = self._level.rows * tile_size, self._level.columns * tile_size
        self.space = spaces.Box(0, 255, (height, width, 3), np.uint8)

    def of(self, states: States) -> NDArray[np.uint8]:
        return pixels(self._level, states, self._tile_size)

    def view(self) -> View:
        return PixelsView(self._level, self._tile_size)

    def views(self, num_envs: int) -> Views:
        return PixelsViews(self._level, self._tile_size, num_envs)


def make_kind(dynamics: Dynamics, observation: str, window_radius: int | None, tile_size: int | None) -> Kind:
    """Return a kind of observation: "planes", "state", "window" or "pixels".

    `window_radius` (2 where None) is for the window and `tile_size` (6) for pixels. Raises `LevelError` for an unknown
    kind, one that the level cannot give, or a keyword that belongs to another.
    """
    for name, value, owner in (("window_radius", window_radius, "window"), ("tile_size", tile_size, "pixels")):
        if value is not None and observation != owner:
            raise LevelError(f"{name} is for the observation '{owner}', not for '{observation}'; leave it out")
    if observation == "planes":
        return _Planes(dynamics)
    if observation == "state":
        return _State(dynamics)
    if observation == "window":
        radius = WINDOW_RADIUS if window_radius is None else window_radius
        return _Window(dynamics, check_whole("window_radius", radius, 1, 255))
    if observation == "pixels":
        return _Pixels(dynamics, check_whole("tile_size", TILE_SIZE if tile_size is None else tile_size, 1, 64))
    raise LevelError(f"unknown observation {observation!r}; {suggest(str(observation), OBSERVATIONS)}")


OBSERVATIONS = ("planes", "state", "window", "pixels")
