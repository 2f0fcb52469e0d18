"""Which of two groups of runs is better, and how sure that is."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Improvement(NamedTuple):
    """How probable it is that a run of one group beats a run of another, with its interval."""

    probability: float
    low: float  # NaN where a group has one run only
    high: float

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves out one half, at which neither is better."""
        return self.low > 0.5 or self.high < 0.5


def probability_of_improvement(
    ours: ArrayLike, theirs: ArrayLike, rng: np.random.Generator, *, level: float = 0.95, num_resamples: int = 2000
) -> Improvement:
    """Return P(X > Y) + P(X = Y) / 2 for a run X of `ours` [N] and Y of `theirs` [M], and its bootstrap interval.

    It is the share of the N M pairs that are won, a tie being half a win: Mann and Whitney's U over N M. The percentile
    bootstrap draws the runs of each group anew, apart from each other. Where all pairs are won, or lost, every draw
    says the same, and the interval has no width; that does not make it certain. A missing value (NaN) leaves no number.
    Raises ValueError for a group without runs, or a level outside (0, 1). Source: Agarwal et al. 2021, "Deep RL at the
    Edge of the Statistical Precipice".
    """
    x, y = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    if x.ndim != 1 or y.ndim != 1 or not x.size or not y.size:
        raise ValueError(f"expected two groups of at least one run, got shapes {x.shape} and {y.shape}")
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    if np.isnan(x).any() or np.isnan(y).any():
        return Improvement(np.nan, np.nan, np.nan)
    won = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    if min(x.size, y.size) == 1:
        return Improvement(float(won.mean()), np.nan, np.nan)
    # How often each run is drawn is all that a mean over pairs asks of a draw.
    drawn_x, drawn_y = (rng.multinomial(n, np.full(n, 1 / n), size=num_resamples) / n for n in (x.size, y.size))
    resampled = ((drawn_x @ won) * drawn_y).sum(axis=1)
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return Improvement(float(won.mean()), float(low), float(high))
