"""What is known of the maximum of estimates that err."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import quad
from scipy.stats import norm


def least_bias(values: ArrayLike) -> NDArray[np.float64]:
    """Return the least that max - mean of m values can be, given their mean squared distance C from their mean.

    sqrt(C / (m - 1)), values [..., m] -> [...]. Where the true values are equal and the errors' mean is zero this is
    the least overestimation of the maximum (van Hasselt, Guez & Silver 2016, theorem 1); where the errors have a mean,
    it comes on top of that.
    """
    values = np.asarray(values, dtype=np.float64)
    return np.sqrt(values.var(axis=-1) / (values.shape[-1] - 1))


def uniform_maximum(num_actions: ArrayLike, half_width: float = 1.0) -> NDArray[np.float64]:
    """Return the expected maximum of m independent errors, each uniform on [-half_width, half_width].

    half_width (m - 1) / (m + 1): van Hasselt, Guez & Silver 2016, theorem 2; in a target of Q-learning it is worth
    gamma times as much (Thrun & Schwartz 1993).
    """
    actions = np.asarray(num_actions, dtype=np.float64)
    return half_width * (actions - 1) / (actions + 1)


def normal_maximum(num_actions: int, std: float = 1.0) -> float:
    """Return the expected maximum of m independent normal errors of mean 0, by integrating x times its density."""

    def integrand(x: float) -> float:
        return x * num_actions * norm.pdf(x) * norm.cdf(x) ** (num_actions - 1)

    return std * quad(integrand, -12, 12, limit=200)[0]


def stationary_std(learning_rate: float) -> float:
    """Return the standard deviation, over that of its targets, of an average that a constant learning rate keeps.

    The weights learning_rate (1 - learning_rate)^k of independent targets give sqrt(c / (2 - c)).
    """
    return float(np.sqrt(learning_rate / (2 - learning_rate)))
