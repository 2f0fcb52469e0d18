"""Exact values of a finite Markov decision process whose model is known (Bellman 1957).

A model is any object with four arrays over [S, A, K]: `next_state`, `probability`, `reward` and `terminated`, K
outcomes for each action in each state. What lies behind a terminating outcome is worth nothing.

The states are taken in parts, from the lowest number up. A part ends where no state up to there leads to a higher one,
so that each part, once solved, is a constant for those that follow: values flow from the end of an episode backwards in
one pass, and what a sweep works on fits the processor's cache. A model without such places is one part.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from gridrl_agents.errors import SettingsError, check_number

MAX_SWEEPS = 500_000
PART = 2048  # states; fewer would spend the time on calls, many more would leave the cache
ROUNDING = 1e-15  # relative; a change below it is noise


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


class Optimum(NamedTuple):
    """Optimal values, and what they took."""

    values: np.ndarray  # V* [S]
    q_values: np.ndarray  # Q* [S, A]
    num_sweeps: int  # over the part of the states that took the most


def value_iteration(model: Model, gamma: float, tolerance: float = 1e-9) -> Optimum:
    """Return V* [S] and Q* [S, A], wrong by at most `tolerance`, in units of reward.

    (And by what rounding leaves: about `ROUNDING` / (1 - gamma) of a value.)
    V <- max_a (r + gamma P V) shrinks the greatest error by gamma, so that the change of a sweep bounds what is left:
    |V - V*| <= gamma / (1 - gamma) * change. (Also in parts: the last sweep of each changes its values by no more, with
    those of the parts before it final, so that one more sweep over all states would change none by more than gamma
    times that.) At gamma 1 there is no such bound; sweeps, which begin at 0, go on until no value changes by more than
    `tolerance` / 1000, and the episodes must end under every optimal policy. Raises `SettingsError` if values are still
    changing after half a million sweeps, or for a gamma or tolerance out of range.
    """
    check_number("gamma", gamma, 0, 1)
    check_number("tolerance", tolerance, 0, np.inf, above=True)
    enough = tolerance / 1000 if gamma == 1 else tolerance * (1 - gamma) / max(gamma, 1e-300)
    states, actions, _ = model.next_state.shape
    values, q_values, most = np.zeros(states), np.empty((states, actions)), 0
    for part in _parts(model):
        reward, continuation = _backup(model, part, gamma, values)
        found = values[part]
        for sweep in range(1, MAX_SWEEPS + 1):
            q_part = reward + (continuation @ found).reshape(reward.shape)
            old, found = found, q_part.max(axis=0)
            if (np.abs(found - old) <= enough + ROUNDING * np.abs(found)).all():
                most = max(most, sweep)
                break
        else:
            raise SettingsError(
                f"values still change after {MAX_SWEEPS} sweeps; use a gamma below {gamma:g} or a greater tolerance."
            )
        values[part], q_values[part] = found, q_part.T
    return Optimum(values, q_values, most)


def policy_evaluation(model: Model, policy: np.ndarray, gamma: float) -> np.ndarray:
    """Return the exact values V [S] of a policy, probabilities [S, A], by solving V = r + gamma P V.

    Raises `SettingsError` for probabilities that are none, and where the values are not finite: at gamma 1 an episode
    must end in the end.
    """
    check_number("gamma", gamma, 0, 1)
    shape = model.next_state.shape[:2]
    if policy.shape != shape or policy.min() < 0 or not np.allclose(policy.sum(axis=1), 1):
        raise SettingsError(
            f"a policy must be probabilities [S, A] = {shape} that sum to 1 in each state, not an array "
            f"{policy.shape} with sums from {policy.sum(axis=-1).min():g} to {policy.sum(axis=-1).max():g}."
        )
    values = np.zeros(shape[0])
    for part in _parts(model):
        reward, continuation = _backup(model, part, gamma, values)
        chosen = policy[part].T
        mix = sparse.hstack([sparse.diags_array(probability) for probability in chosen], format="csr")  # [n, A * n]
        equations = sparse.eye_array(reward.shape[1], format="csc") - (mix @ continuation).tocsc()
        try:
            values[part] = splu(equations).solve((chosen * reward).sum(axis=0))
        except RuntimeError:  # SuperLU: the matrix is exactly singular
            values[part] = np.nan
        if not np.isfinite(values[part]).all():
            raise SettingsError(
                f"the policy never ends an episode from some state, so gamma {gamma:g} must be below 1."
            )
    return values


def policy_iteration(model: Model, gamma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the optimal values V* [S] and Q* [S, A], exact but for rounding, and an optimal policy, actions [S].

    Evaluates a policy exactly and makes it greedy, until that changes nothing (Howard 1960; Sutton & Barto, 2nd ed.,
    section 4.3); it begins with the policy that chooses evenly. An action that is better by no more than rounding does
    not replace another, so that equal policies are not taken in turns for ever. Raises `SettingsError` for a gamma out
    of range, and at gamma 1 where a policy on the way never ends an episode; `value_iteration` may then still do.
    """
    check_number("gamma", gamma, 0, 1)
    states, actions, _ = model.next_state.shape
    policy = np.full((states, actions), 1.0 / actions)
    chosen = np.full(states, -1)
    while True:
        values = policy_evaluation(model, policy, gamma)
        q_values = np.empty((states, actions))
        for part in _parts(model):
            reward, continuation = _backup(model, part, gamma, values)
            q_values[part] = (reward + (continuation @ values[part]).reshape(reward.shape)).T
        best = q_values.max(axis=1)
        kept = np.where(chosen < 0, -np.inf, q_values[np.arange(states), chosen])
        better = best > kept + 1e-10 * np.maximum(1.0, np.abs(best))
        if not better.any():
            return values, q_values, chosen
        chosen = np.where(better, q_values.argmax(axis=1), chosen)
        policy = np.eye(actions)[chosen]


def _parts(model: Model) -> Iterator[slice]:
    """Yield the parts of the states, in order; each has `PART` states or more, but the last."""
    states = model.next_state.shape[0]
    highest = np.maximum.accumulate(model.next_state.max(axis=(1, 2)))  # that any state so far leads to
    ends = np.flatnonzero(highest <= np.arange(states)) + 1
    begin = 0
    while begin < states:
        end = int(ends[min(int(np.searchsorted(ends, begin + PART)), ends.size - 1)])
        yield slice(begin, end)
        begin = end


def _backup(model: Model, part: slice, gamma: float, values: np.ndarray) -> tuple[np.ndarray, sparse.csr_array]:
    """Return the Bellman backup of a part of n states: expected reward [A, n] and gamma * P within it, [A * n, n].

    What an outcome in an earlier part is worth, by `values` [S], is in the reward.
    """
    next_state, probability, reward, terminated = (
        np.asarray(array)[part].transpose(1, 0, 2)  # [A, n, K]
        for array in (model.next_state, model.probability, model.reward, model.terminated)
    )
    actions, states, outcomes = next_state.shape
    weight = gamma * np.where(terminated, 0.0, probability)
    inside = next_state >= part.start
    expected = np.einsum("ask,ask->as", probability, reward, dtype=np.float64)
    expected += np.einsum("ask,ask->as", np.where(inside, 0.0, weight), values[next_state])
    continuation = sparse.csr_array(
        (
            np.where(inside, weight, 0.0).ravel(),
            np.where(inside, next_state - part.start, 0).ravel(),
            np.arange(actions * states + 1) * outcomes,
        ),
        shape=(actions * states, states),
    )
    continuation.eliminate_zeros()
    return expected, continuation
