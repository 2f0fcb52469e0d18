"""Epsilon-greedy choice of actions."""

import numpy as np

DRAWS = 2  # uniform numbers for one choice, whichever way it goes


def epsilon_greedy(q_values: np.ndarray, epsilon: float, uniform: np.ndarray) -> np.ndarray:
    """Return a greedy action, or with probability `epsilon` any action; int64 [...].

    `q_values` is [..., A]; `uniform` [..., DRAWS] is in [0, 1): the first number says whether to explore, the second
    which action it is. Actions that share the maximum are chosen evenly among, or a fresh table would never move.
    """
    candidates = (q_values == q_values.max(axis=-1, keepdims=True)) | (uniform[..., :1] < epsilon)
    rank = (uniform[..., 1] * candidates.sum(axis=-1)).astype(np.int64)  # the rank-th candidate, counted from 0
    return (candidates.cumsum(axis=-1) > rank[..., None]).argmax(axis=-1)
