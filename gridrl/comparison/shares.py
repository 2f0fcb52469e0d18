"""Returns as shares of the best that is possible, and when a run comes to one."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridrl.truth.known import known

if TYPE_CHECKING:
    from gridrl_envs.level import Level


class Yardstick(NamedTuple):
    """What a return is divided by, and which return: the greedy policy's own, or its discounted one."""

    metric: str  # greedy_return or greedy_discounted_return
    best: float  # the greatest that is possible from the start, by any policy and without the step limit; above 0

    @property
    def words(self) -> str:
        """The yardstick in words."""
        return f"best possible {'return' if self.metric == 'greedy_return' else 'discounted return'}, {self.best:.0f}"


def best_return(level: "Level") -> float | None:
    """Return the greatest undiscounted return that is possible from the start of `level`; None if unknown.

    Known are levels that can be solved, and dense with all or some of its coins: there one walk takes all 41 coins and
    no poison within the step limit, and so it does with any part of them. Noise of rewards has mean zero and counts for
    nothing.
    """
    from gridrl_envs.level import Level

    dense, level = Level.load("dense"), level.replace(reward_noise=0.0)
    if 1 <= len(level.coins) <= len(dense.coins) and level == dense.keep_coins(len(level.coins)):
        return level.rewards.coin * len(level.coins)
    bounds = known(level, 1.0).bounds
    return bounds[1] if bounds is not None and bounds[0] == bounds[1] else None


def yardstick(level: "Level", gamma: float) -> Yardstick | None:
    """Return what a share of the optimum is a share of: the best return or, where that is unknown, the discounted one.

    Of a discounted one that is known by bounds it is the upper, so that a share is the least it can be. None where
    neither is known, or nothing above 0 can be had.
    """
    best = best_return(level)
    if best is not None:
        return Yardstick("greedy_return", best) if best > 0 else None
    bounds = known(level, gamma).bounds
    return Yardstick("greedy_discounted_return", bounds[1]) if bounds is not None and bounds[1] > 0 else None


def first_reached(shares: np.ndarray, threshold: float) -> np.ndarray:
    """Return at which evaluation each run came to `threshold`: shares [R, T] -> [R], T where it never did.

    It is the first of two successive evaluations that are both at or above it: one lucky policy among bad ones, as deep
    agents have them, does not count.
    """
    above = shares >= threshold
    kept = above[:, :-1] & above[:, 1:]
    return np.where(kept.any(axis=1), kept.argmax(axis=1) if kept.shape[1] else 0, shares.shape[1])
