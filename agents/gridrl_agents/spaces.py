"""Checks of the spaces that an agent is put on."""

from typing import TYPE_CHECKING

from gridrl_agents.errors import SettingsError

if TYPE_CHECKING:
    from gymnasium import Space


def num_actions(space: "Space") -> int:
    """Return A, the number of actions; raises `SettingsError` unless they are Discrete and counted from 0."""
    from gymnasium.spaces import Discrete

    if not isinstance(space, Discrete):
        raise SettingsError(f"the actions must be a Discrete space, not {space}; choose another environment.")
    if space.start != 0:
        raise SettingsError(f"the actions must be counted from 0, not from {space.start}; wrap the environment.")
    return int(space.n)


def check_array_space(space: "Space") -> None:
    """Raise `SettingsError` unless an observation is one array, or one number, of a fixed shape."""
    from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete

    if not isinstance(space, Box | Discrete | MultiBinary | MultiDiscrete):
        raise SettingsError(
            f"the observations must be Box, Discrete, MultiBinary or MultiDiscrete, not {type(space).__name__}; "
            "wrap the environment in gymnasium.wrappers.FlattenObservation."
        )
