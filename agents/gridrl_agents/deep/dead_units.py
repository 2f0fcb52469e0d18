"""Rectified units that nothing wakes: their output is zero, and so is the gradient that would change them."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

LOOKED_AT = 512  # observations of each run that are shown to the units


def dead_share(rectified: Sequence[Tensor]) -> np.ndarray | None:
    """Return the share of units that are zero for everything they were shown, [R]; None where there are no units.

    `rectified` are what rectifiers let through, each [R, B, units].
    """
    if not rectified:
        return None
    dead = [(layer == 0).all(dim=1).numpy() for layer in rectified]  # [R, units] each
    return np.concatenate(dead, axis=1).mean(axis=1)
