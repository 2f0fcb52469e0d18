"""Exact values of a finite Markov decision process whose model is known (Bellman 1957).

A model is any object with four arrays over [S, A, K]: `next_state`, `probability`, `reward` and `terminated`, K
outcomes for each action in each state. What lies behind a terminating outcome is worth nothing.
"""

from typing import Protocol

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from gridrl_agents.errors import SettingsError, check_number

MAX_SWEEPS = 1_000_000


class Model(Protocol):
    """The arrays of a finite Markov decision process, each [S, A, K]."""

    @property
    def next_state(self) -> np.ndarray:
        """The state that an outcome leads to, whole numbers."""

    @property
    def probability(self) -> np.ndarray:
        """The outcome's probability; those of a state and action sum to 1."""

    @property
    def reward(self) -> np.ndarray:
        """What the outcome earns."""

    @property
    def terminated(self) -> np.ndarray:
        """Whether the outcome ends the episode, bool."""


def value_iteration(model: Model, gamma: float, tolerance: float = 1e-9) -> tuple[np.ndarray, np.ndarray]:
    """Return the optimal values V* [S] and Q* [S, A], wrong by at most `tolerance`, in units of reward.

    V <- max_a (r + gamma P V) shrinks the greatest error by gamma, so that the change of a sweep bounds what is left:
    |V - V*| <= gamma / (1 - gamma) * change. At gamma 1 there is no such bound; sweeps, which begin at 0, go on until
    no value changes by more than `tolerance` / 1000, and the episodes must end under every optimal policy. Raises
    `SettingsError` if values are still changing after a million sweeps, or for a gamma or tolerance out of range.
    """
    check_number("gamma", gamma, 0, 1)
    check_number("tolerance", tolerance, 0, np.inf, above=True)
    reward, continuation = _backup_parts(model, gamma)
    enough = tolerance / 1000 if gamma == 1 else tolerance * (1 - gamma) / max(gamma, 1e-300)
    values = np.zeros(reward.shape[0])
    for _ in range(MAX_SWEEPS):
        q_values = reward + (continuation @ values).reshape(reward.shape)
        old, values = values, q_values.max(axis=1)
        if np.abs(values - old).max() <= enough:
            return values, q_values
    raise SettingsError(
        f"values still change after {MAX_SWEEPS} sweeps; use a gamma below {gamma:g} or a greater tolerance."
    )


def policy_evaluation(model: Model, policy: np.ndarray, gamma: float) -> np.ndarray:
    """Return the exact values V [S] of a policy, probabilities [S, A], by solving V = r + gamma P V.

    Raises `SettingsError` for probabilities that are none, and where the values are not finite: at gamma 1 an episode
    must end in the end.
    """
    check_number("gamma", gamma, 0, 1)
    reward, continuation = _backup_parts(model, gamma)
    states, actions = reward.shape
    if policy.shape != reward.shape or policy.min() < 0 or not np.allclose(policy.sum(axis=1), 1):
        raise SettingsError(
            f"a policy must be probabilities [S, A] = {reward.shape} that sum to 1 in each state, not an array "
            f"{policy.shape} with sums from {policy.sum(axis=-1).min():g} to {policy.sum(axis=-1).max():g}."
        )
    rows = np.arange(states).repeat(actions)
    mix = sparse.csr_array((policy.ravel(), (rows, np.arange(states * actions))), shape=(states, states * actions))
    equations = sparse.eye_array(states, format="csc") - (mix @ continuation).tocsc()
    try:
        values = splu(equations).solve((policy * reward).sum(axis=1))
    except RuntimeError:  # SuperLU: the matrix is exactly singular
        values = np.full(states, np.nan)
    if not np.isfinite(values).all():
        raise SettingsError(f"the policy never ends an episode from some state, so gamma {gamma:g} must be below 1.")
    return values


def policy_iteration(model: Model, gamma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the optimal values V* [S] and Q* [S, A], exact but for rounding, and an optimal policy, actions [S].

    Evaluates a policy exactly and makes it greedy, until that changes nothing (Howard 1960; Sutton & Barto, 2nd ed.,
    section 4.3); it begins with the policy that chooses evenly. An action that is better by no more than rounding does
    not replace another, so that equal policies are not taken in turns for ever. Raises `SettingsError` for a gamma out
    of range, and at gamma 1 where a policy on the way never ends an episode; `value_iteration` may then still do.
    """
    check_number("gamma", gamma, 0, 1)
    reward, continuation = _backup_parts(model, gamma)
    states, actions = reward.shape
    policy = np.full((states, actions), 1.0 / actions)
    chosen = np.full(states, -1)
    while True:
        values = policy_evaluation(model, policy, gamma)
        q_values = reward + (continuation @ values).reshape(reward.shape)
        best = q_values.max(axis=1)
        kept = np.where(chosen < 0, -np.inf, q_values[np.arange(states), chosen])
        better = best > kept + 1e-10 * np.maximum(1.0, np.abs(best))
        if not better.any():
            return values, q_values, chosen
        chosen = np.where(better, q_values.argmax(axis=1), chosen)
        policy = np.eye(actions)[chosen]


def _backup_parts(model: Model, gamma: float) -> tuple[np.ndarray, sparse.csr_array]:
    """Return the expected reward [S, A] and gamma * P, sparse [S * A, S], of the Bellman backup."""
    states, actions, outcomes = model.next_state.shape
    probability = np.asarray(model.probability, dtype=np.float64)
    rows = np.arange(states * actions).repeat(outcomes)
    weight = gamma * np.where(model.terminated, 0.0, probability).ravel()
    continuation = sparse.csr_array(
        (weight, (rows, np.asarray(model.next_state).ravel())), shape=(states * actions, states)
    )
    return (probability * model.reward).sum(axis=2), continuation
