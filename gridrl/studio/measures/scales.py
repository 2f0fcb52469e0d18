"""Scales that keep still: a board whose colours change their meaning in every frame cannot be read."""

from collections.abc import Sequence

import numpy as np

from gridrl.studio.shown import CellMap, Scale

ENOUGH = 0.5  # a scale narrows when its values fill less of it
CLOSER = 9  # in so many steps, at least, a scale is divided before its ends are rounded
FARTHEST = 4.0  # times the end of a scale, at which the last outlier may lie
STEPS = (1.0, 2.0, 5.0, 10.0)


def calm_scale(
    values: np.ndarray,
    before: Scale | None = None,
    *,
    signed: bool = False,
    from_zero: bool = False,
    share: float = 1.0,
) -> Scale:
    """Return a scale with round ends for `values` (NaN: none); `before` itself as long as that still suits.

    It widens as soon as values lie outside, and narrows when they fill less than half of it. `signed` is symmetric
    about zero; `from_zero` begins there, as do values that are all zero. `share` of the values lie on the scale: a few
    that are too high (`signed`: too far from zero) then do not make all others look alike.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return before if before is not None and before.signed == signed else Scale(-1.0 if signed else 0.0, 1.0, signed)
    sizes = np.abs(finite) if signed else finite
    high = float(np.quantile(sizes, share))
    if share < 1:
        high = max(high, float(sizes.max()) / FARTHEST)
    low = -high if signed else 0.0 if from_zero else float(finite.min())
    if (
        before is not None
        and before.signed == signed
        and before.low <= low <= high <= before.high
        and high - low >= ENOUGH * (before.high - before.low)
    ):
        return before
    return _rounded(low, high, signed)


def shared_scale(maps: Sequence[CellMap]) -> Scale:
    """Return the scale that holds those of all `maps`, one at least."""
    scales = [each.scale for each in maps]
    return Scale(
        min(scale.low for scale in scales), max(scale.high for scale in scales), any(scale.signed for scale in scales)
    )


def _rounded(low: float, high: float, signed: bool) -> Scale:
    size = max(abs(low), abs(high))
    if size < 1e-9:
        return Scale(-1.0 if signed else 0.0, 1.0, signed)
    if high - low < 1e-6 * size:  # one value everywhere: it gets the colour in the middle
        low, high = low - 0.1 * size, high + 0.1 * size
    step = _step((high - low) / CLOSER)
    # A value that is round itself must not lie a rounding error outside, nor its scale end at 1.4000000000000001.
    low, high = (float(f"{end * step:.10g}") for end in (np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)))
    return Scale(low, high, signed)


def _step(least: float) -> float:
    """Return the smallest of 1, 2, 5, 10 times a power of ten that is `least` or more."""
    power = 10.0 ** np.floor(np.log10(least))
    return float(power * next(step for step in STEPS if step * power >= least * (1 - 1e-9)))
