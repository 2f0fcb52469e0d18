"""Which of two groups of runs is better, and how sure that is."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import mannwhitneyu, permutation_test, rankdata

FEW = 8  # runs of a group; up to here all 12 870 ways to share the runs out to the groups are counted


class Improvement(NamedTuple):
    """How probable it is that a run of one group beats a run of another, with its interval."""

    probability: float
    low: float  # NaN where a group has one run only
    high: float
    p_value: float  # two-sided: how probable as much would be if neither were better; NaN as above

    @property
    def is_sure(self) -> bool:
        """Whether chance alone would do as much in less than one of twenty cases; three runs of each never say so."""
        return self.p_value < 0.05


def probability_of_improvement(
    ours: ArrayLike, theirs: ArrayLike, rng: np.random.Generator, *, level: float = 0.95, num_resamples: int = 2000
) -> Improvement:
    """Return P(X > Y) + P(X = Y) / 2 for a run X of `ours` [N] and Y of `theirs` [M], and its bootstrap interval.

    It is the share of the N M pairs that are won, a tie being half a win: Mann and Whitney's U over N M. The percentile
    bootstrap draws the runs of each group anew, apart from each other. Where all pairs are won, or lost, every draw
    says the same, and the interval has no width; how certain that is tells `p_value`. A missing value (NaN) leaves no
    number. Raises ValueError for a group without runs, or a level outside (0, 1). Source: Agarwal et al. 2021, "Deep RL
    at the Edge of the Statistical Precipice".
    """
    x, y = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    if x.ndim != 1 or y.ndim != 1 or not x.size or not y.size:
        raise ValueError(f"expected two groups of at least one run, got shapes {x.shape} and {y.shape}")
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    if np.isnan(x).any() or np.isnan(y).any():
        return Improvement(np.nan, np.nan, np.nan, np.nan)
    won = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    if min(x.size, y.size) == 1:
        return Improvement(float(won.mean()), np.nan, np.nan, np.nan)
    # How often each run is drawn is all that a mean over pairs asks of a draw.
    drawn_x, drawn_y = (rng.multinomial(n, np.full(n, 1 / n), size=num_resamples) / n for n in (x.size, y.size))
    resampled = ((drawn_x @ won) * drawn_y).sum(axis=1)
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return Improvement(float(won.mean()), float(low), float(high), _p_value(x, y))


def _p_value(x: np.ndarray, y: np.ndarray) -> float:
    """Return Mann and Whitney's p-value of x [N] beside y [M], two-sided: exact for few runs, also where runs tie."""
    ranks = rankdata(np.concatenate([x, y]))
    if np.ptp(ranks) == 0:
        return 1.0
    if max(x.size, y.size) > FEW:
        return float(mannwhitneyu(x, y, method="asymptotic").pvalue)

    def far(one: np.ndarray, other: np.ndarray, axis: int) -> np.ndarray:
        return np.abs(one.mean(axis=axis) - ranks.mean())

    groups = ranks[: x.size], ranks[x.size :]
    return float(permutation_test(groups, far, vectorized=True, n_resamples=20_000, alternative="greater").pvalue)
