"""Epsilon-greedy choice of actions."""

from functools import cache

import numpy as np

DRAWS = 2  # uniform numbers for one choice, whichever way it goes


def epsilon_greedy(q_values: np.ndarray, epsilon: float, uniform: np.ndarray) -> np.ndarray:
    """Return a greedy action, or with probability `epsilon` any action; int64 [...].

    `q_values` is [..., A]; `uniform` [..., DRAWS] is in [0, 1): the first number says whether to explore, the second
    which action it is. Actions that share the maximum are chosen evenly among, or a fresh table would never move.
    """
    num_actions = q_values.shape[-1]
    # Actions first: arithmetic on whole rows of many choices is fast, along a last axis of few actions it is slow.
    by_action = q_values.reshape(-1, num_actions).T.copy()  # [A, N]
    explore, which = uniform.reshape(-1, DRAWS).T
    candidates = (by_action == np.maximum.reduce(by_action)) | (explore < epsilon)
    counted = _up_to_each(num_actions).dot(candidates)  # [A, N], how many candidates there are up to each action
    # Counted from 0, the chosen one's number among them is the whole part of which * counted[-1].
    return np.add.reduce(counted[:-1] <= which * counted[-1]).reshape(q_values.shape[:-1])


@cache
def _up_to_each(num_actions: int) -> np.ndarray:
    """Return the matrix whose product with numbers by action sums them up to each action, [A, A]."""
    return np.tri(num_actions)
