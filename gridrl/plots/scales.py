"""Scales of colours that several maps share."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import CenteredNorm, LogNorm, Normalize
from numpy.typing import ArrayLike, NDArray

WIDE = 20.0  # where the largest is this many times the median, most cells would have one colour on an even scale


def scale_of(grids: Sequence[ArrayLike], signed: bool = False) -> Normalize:
    """Return one scale of colours for several arrays of values; signed, it is symmetric about zero."""
    finite = _finite(grids)
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if signed:
        return CenteredNorm(0.0, max(-low, high) or 1.0)
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-9):
        low, high = low - 0.5, high + 0.5  # one value everywhere: it gets the middle colour
    return Normalize(low, high)


def scale_from_zero(grids: Sequence[ArrayLike]) -> Normalize:
    """Return one scale for several arrays of values from 0 on, where 0 means something."""
    return Normalize(0.0, max(_finite(grids).max(initial=0.0), 1e-9))


def scale_of_counts(grids: Sequence[ArrayLike]) -> Normalize:
    """Return one scale for several arrays of values above 0: from 0 on, logarithmic where a few dwarf the others."""
    finite = _finite(grids)
    if finite.size and finite.max() > WIDE * np.median(finite):
        return LogNorm(float(finite.min()), float(finite.max()))
    return scale_from_zero(grids)


def _finite(grids: Sequence[ArrayLike]) -> NDArray[np.float64]:
    return np.concatenate([np.ravel(grid)[np.isfinite(np.ravel(grid))] for grid in grids])
