"""Averages over runs and how far to trust them: percentile-bootstrap intervals.

A run is one learner with its own seed. Runs are resampled whole, so that an interval says how far the average would
move with other seeds; the values of one run at different steps stay together.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Average = Literal["mean", "iqm"]

# Resampled values held at once: 2 ** 22 float64 take 32 MiB.
_BLOCK = 2**22


class Summary(NamedTuple):
    """An average over `n` runs with its interval; each array is [...], the shape of one run's values."""

    centre: Floats
    low: Floats  # NaN where n = 1: one run says nothing of the others
    high: Floats
    n: int


def mean(values: ArrayLike) -> Floats:
    """The mean over runs, the first axis: values [R, ...] -> [...]."""
    return np.mean(_runs(values), axis=0)


def interquartile_mean(values: ArrayLike) -> Floats:
    """The mean of the middle half of the runs: values [R, ...] -> [...].

    A quarter of the runs, rounded down, is left out at each end; below four runs it is the mean. One lucky or broken
    run does not move it. Source: Agarwal et al. 2021, "Deep RL at the Edge of the Statistical Precipice".
    """
    values = np.sort(_runs(values), axis=0)  # NaN sorts last, yet must not be cut away unseen
    cut = len(values) // 4
    centre = np.mean(values[cut : len(values) - cut], axis=0)
    return np.where(np.isnan(values[-1]), np.nan, centre)


_AVERAGES: dict[str, Callable[[ArrayLike], Floats]] = {"mean": mean, "iqm": interquartile_mean}


def summarise(
    values: ArrayLike,
    rng: np.random.Generator,
    *,
    average: Average = "mean",
    level: float = 0.95,
    num_resamples: int = 2000,
) -> Summary:
    """Average runs and give the percentile-bootstrap interval: values [R, ...] -> Summary of [...].

    All steps share the same resamples, so the cost of drawing does not grow with them. With few runs the interval is
    known to be too narrow (Efron & Tibshirani 1993, chapter 13): read it as the least that must be doubted.
    Raises ValueError without runs, or for a level outside (0, 1).
    """
    values = _runs(values)
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    take = _AVERAGES[average]
    centre = take(values)
    num_runs = len(values)
    if num_runs == 1:
        nothing = np.full_like(centre, np.nan)
        return Summary(centre, nothing, nothing.copy(), 1)
    chosen = rng.integers(num_runs, size=(num_runs, num_resamples))
    tails = [(1 - level) / 2, (1 + level) / 2]
    flat = values.reshape(num_runs, -1)
    ends = np.empty((2, flat.shape[1]))
    width = max(1, _BLOCK // chosen.size)
    for first in range(0, flat.shape[1], width):
        resampled = flat[:, first : first + width][chosen]  # [R, resamples, width]
        ends[:, first : first + width] = np.quantile(take(resampled), tails, axis=0)
    low, high = ends.reshape(2, *centre.shape)
    return Summary(centre, low, high, num_runs)


def _runs(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 or len(array) == 0:
        raise ValueError(f"expected values [R, ...] of at least one run, got shape {array.shape}")
    return array
