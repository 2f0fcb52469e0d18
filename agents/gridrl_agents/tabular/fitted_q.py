"""Fitted Q-iteration: Q-learning's backup as a regression on a fixed set of transitions (Gordon 1996; Ernst 2005)."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from gridrl_agents.base import Transition
from gridrl_agents.tabular.arrays import Arrays


class Regressor(Protocol):
    """Learns values from examples, all runs at once; what an observation is, is between it and its caller."""

    def fit(self, obs: np.ndarray, action: np.ndarray, target: np.ndarray) -> None:
        """Make Q(obs, action) resemble `target`; `obs` is [R, B, ...], `action` and `target` are [R, B]."""

    def predict(self, obs: np.ndarray) -> np.ndarray:
        """Return the values of all actions, float64 [R, B, A]; `obs` is [R, B, ...]."""


def fitted_q_iteration(transitions: Transition, regressor: Regressor, gamma: float, iterations: int) -> None:
    """Fit `regressor` to r + gamma * max_b Q(s', b), Q being what it predicts by then, `iterations` times."""
    for _ in backups(transitions, regressor, gamma, iterations):
        pass


def backups(transitions: Transition, regressor: Regressor, gamma: float, iterations: int) -> Iterator[np.ndarray]:
    """Do what `fitted_q_iteration` does, and yield after each fit the targets [R, B] that were fitted.

    The fields of `transitions` are [R, B, ...]. What lies behind a terminated transition is worth nothing; a truncated
    one goes on. Iteration begins with what the regressor predicts when it comes: 0 where it is a fresh table, as in
    Ernst, Geurts & Wehenkel (2005), figure 1.
    """
    discount = gamma * (1.0 - np.asarray(transitions.terminated, dtype=np.float64))
    for _ in range(iterations):
        td_target = transitions.reward + discount * regressor.predict(transitions.next_obs).max(axis=-1)
        regressor.fit(transitions.obs, transitions.action, td_target)
        yield td_target


class TableRegressor:
    """The mean of the targets for each state and action, float64 [R, S, A]; observations are rows, counted from 0.

    Rows are added as they are fitted. A state and action without example keep their value. The last row is nobody's: it
    holds the initial value and speaks for all that were never fitted.
    """

    def __init__(self, num_runs: int, num_actions: int, initial_value: float = 0.0) -> None:
        self.runs = np.arange(num_runs)[:, None]
        self._arrays = Arrays(num_runs, 1)
        self._arrays.add("table", num_actions, fill=initial_value)

    @property
    def table(self) -> np.ndarray:
        """The values [R, S, A]."""
        return self._arrays["table"]

    def fit(self, obs: np.ndarray, action: np.ndarray, target: np.ndarray) -> None:
        """Set each entry that has examples to their mean; `obs`, `action` and `target` are [R, B]."""
        self._arrays.make_room(int(obs.max()) + 2)
        shape = self.table.shape
        entry = np.ravel_multi_index((np.broadcast_to(self.runs, obs.shape), obs, action), shape).ravel()
        count = np.bincount(entry, minlength=self.table.size).reshape(shape)
        total = np.bincount(entry, weights=target.ravel(), minlength=self.table.size).reshape(shape)
        np.divide(total, count, out=self.table, where=count > 0)

    def predict(self, obs: np.ndarray) -> np.ndarray:
        """Return the values of rows `obs` [R, B], [R, B, A]."""
        return self.table[self.runs, np.minimum(obs, self._arrays.length - 1)]

    def retire(self, run: int) -> None:
        """Give a run a fresh table."""
        self._arrays.reset(run)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return the table."""
        return self._arrays.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned; raises `KeyError` or `ValueError` for what does not fit."""
        self._arrays.check(state)
        self._arrays.load_state_dict(state)
