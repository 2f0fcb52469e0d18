"""The n steps from a transition on, as one (Sutton & Barto 2018, equation 7.1), put together when it is drawn."""

import numpy as np


class Windows:
    """Windows of at most n steps in a ring [capacity, R]; each ends with its episode, at the latest at the newest step.

    A window is never dropped: where fewer than n steps are left, k < n steps bootstrap with gamma^k, which is as right.
    """

    def __init__(self, ended: np.ndarray, reward: np.ndarray, n_step: int, gamma: float) -> None:
        """`ended`, bool [capacity, R]: whether a step was its episode's last; `reward` [capacity, R]; both are read."""
        self._capacity, self._num_runs = ended.shape
        self._ended = ended.reshape(-1)
        self._reward = reward.reshape(-1)
        self._run = np.arange(self._num_runs)[:, None]
        self._ahead = np.arange(n_step)[:, None, None] * self._num_runs
        self._factor = np.asarray([gamma**i for i in range(n_step)])
        self._discount = self._factor[:, None, None]

    def gather(self, place: np.ndarray, newest: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the windows that begin at `place` [R, B], as three arrays [R, B].

        These are the place of the last of the k steps; the discounted sum of their rewards, sum_i gamma^i r_i, float64;
        and gamma^(k - 1), the factor of the last step's own discount. `newest` is the ring's newest place.
        """
        steps = place * self._num_runs + self._run + self._ahead  # [n, R, B]; "wrap" leads back to the ring's beginning
        ended = self._ended.take(steps, mode="wrap")
        ended[-1] = True
        last = np.minimum(ended.argmax(axis=0), (newest - place) % self._capacity)
        # Running sums are added up one by one, so that they do not depend on how many stand side by side.
        returns = (self._reward.take(steps, mode="wrap") * self._discount).cumsum(axis=0)
        total = returns.take(last * last.size + np.arange(last.size).reshape(last.shape))
        return (place + last) % self._capacity, total, self._factor.take(last)
