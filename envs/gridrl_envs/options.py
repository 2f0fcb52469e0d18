"""The keywords that both environments share: a level with other settings, and the kind of observation."""

import os
from typing import Any

import numpy as np
from gymnasium import spaces

from gridrl_envs.dynamics import Dynamics
from gridrl_envs.level import Level, LevelError
from gridrl_envs.observations import StateIndex, scene
from gridrl_envs.settings import suggest

OBSERVATIONS = ("planes", "state")


def configure(level: "Level | str | os.PathLike[str]", coins: int | None, **settings: Any) -> Level:
    """Return a level, loaded if need be, with `coins` of its coins and those settings that are not None."""
    level = Level.load(level)
    if coins is not None:
        level = level.keep_coins(coins)
    return level.replace(**{key: value for key, value in settings.items() if value is not None})


def observation_space(dynamics: Dynamics, observation: str) -> "tuple[spaces.Box | spaces.Discrete, StateIndex | None]":
    """Return the space of one observation, and for "state" the numbering of the states.

    Raises `LevelError` for an unknown kind, or one that the level cannot give.
    """
    if observation == "planes":
        return spaces.Box(0, 1, scene(dynamics).shape, np.uint8), None
    if observation == "state":
        index = StateIndex(dynamics)
        return spaces.Discrete(index.num_states), index
    raise LevelError(f"unknown observation {observation!r}; {suggest(str(observation), OBSERVATIONS)}")
