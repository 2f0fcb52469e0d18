"""What reads an observation before the fully connected layers do."""

from typing import TYPE_CHECKING

import numpy as np

from gridrl_agents.deep.convolutional import NATURE, SMALL, Convolutions
from gridrl_agents.errors import SettingsError

if TYPE_CHECKING:
    from gymnasium import Space


def make_torso(name: str, space: "Space") -> Convolutions | None:
    """Return the torso `name` ("auto", "mlp", "conv" or "nature") for observations of `space`; None: fully connected.

    "auto" is "nature" for pictures (uint8 up to 255, [rows, columns, channels]), "conv" for pictures too small for it,
    and "mlp" for all else. Raises `SettingsError` where a torso does not suit the observations.
    """
    from gymnasium.spaces import Box

    if name == "mlp" or (name == "auto" and not is_picture(space)):
        return None
    if not isinstance(space, Box) or len(space.shape) != 3:
        raise SettingsError(
            f"torso {name!r} reads observations [rows, columns, channels], not {space}; take torso 'mlp', or an "
            "environment that shows planes or pixels."
        )
    rows, columns, channels = space.shape
    if name != "conv":
        try:
            return Convolutions((rows, columns, channels), NATURE)
        except ValueError as error:
            if name == "nature":
                raise SettingsError(
                    f"{error} for torso 'nature', which needs 36 x 36; take torso 'conv', or a larger tile_size."
                ) from None
    return Convolutions((rows, columns, channels), SMALL)


def is_picture(space: "Space") -> bool:
    """Say whether observations are pictures: uint8 [rows, columns, channels], up to 255."""
    from gymnasium.spaces import Box

    return isinstance(space, Box) and len(space.shape) == 3 and space.dtype == np.uint8 and space.high.max() == 255
