"""The planners on random models, which they take in parts: beside one dense system, each other, and other numbers."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridrl_agents.tabular import planning
from gridrl_agents.tabular.planning import policy_evaluation, policy_iteration, value_iteration


class Model(NamedTuple):
    next_state: np.ndarray
    probability: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray


def random_model(rng, states, actions, outcomes, upwards=True):
    """Any model; without `upwards` no state leads to one with a higher number, but for its neighbour in a pair."""
    shape = (states, actions, outcomes)
    next_state = rng.integers(states, size=shape)
    if not upwards:
        next_state = np.minimum(next_state, (np.arange(states) | 1).clip(max=states - 1)[:, None, None])
    probability = rng.dirichlet(np.ones(outcomes), shape[:2])
    return Model(next_state, probability, rng.normal(size=shape), rng.random(shape) < 0.1)


def evaluated_densely(model, policy, gamma):
    """V = r + gamma P V, written out as one dense matrix."""
    states, actions, outcomes = model.next_state.shape
    matrix, reward = np.eye(states), np.zeros(states)
    for state in range(states):
        for action in range(actions):
            for k in range(outcomes):
                at = state, action, k
                chance = policy[state, action] * model.probability[at]
                reward[state] += chance * model.reward[at]
                matrix[state, model.next_state[at]] -= 0 if model.terminated[at] else gamma * chance
    return np.linalg.solve(matrix, reward)


@pytest.mark.parametrize("upwards", [True, False])
@pytest.mark.parametrize("gamma", [0.0, 0.7, 0.99, 1.0])
def test_any_policy_beside_one_dense_system(monkeypatch, gamma, upwards):
    """Also where the states fall into parts, which are then solved one after the other."""
    monkeypatch.setattr(planning, "PART", 5)
    rng = np.random.default_rng(3)
    for outcomes in (1, 2, 3):
        model = random_model(rng, 40, 3, outcomes, upwards)
        if gamma == 1:
            model.terminated[:, :, 0] = True  # every policy ends
        assert (len(list(planning._parts(model))) > 5) != upwards
        policies = rng.dirichlet(np.ones(3), 40), np.eye(3)[rng.integers(3, size=40)], np.full((40, 3), 1 / 3)
        for policy in policies:
            found = policy_evaluation(model, policy, gamma)
            np.testing.assert_allclose(found, evaluated_densely(model, policy, gamma), atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    states=st.integers(1, 30),
    actions=st.integers(1, 4),
    outcomes=st.integers(1, 3),
    gamma=st.sampled_from([0.0, 0.3, 0.9, 0.99]),
    upwards=st.booleans(),
    part=st.integers(1, 12),
)
def test_value_iteration_beside_policy_iteration(seed, states, actions, outcomes, gamma, upwards, part):
    model = random_model(np.random.default_rng(seed), states, actions, outcomes, upwards)
    exact, exact_q, policy = policy_iteration(model, gamma)  # in one part, as it has fewer states than `PART`
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "PART", part)
        values, q_values, _ = value_iteration(model, gamma, tolerance=1e-7)
        np.testing.assert_allclose(policy_evaluation(model, np.eye(actions)[policy], gamma), exact, atol=1e-9)
    np.testing.assert_allclose(values, exact, rtol=0, atol=1e-7)
    np.testing.assert_allclose(q_values, exact_q, rtol=0, atol=1e-7)


def test_the_numbers_of_the_states_do_not_matter(monkeypatch):
    """A model in parts and the same one with its states shuffled, which has none."""
    monkeypatch.setattr(planning, "PART", 4)
    rng = np.random.default_rng(11)
    model = random_model(rng, 60, 2, 2, upwards=False)
    place = rng.permutation(60)  # state s is number place[s]
    order = np.argsort(place)
    shuffled = Model(*(array[order] for array in model._replace(next_state=place[model.next_state])))
    assert len(list(planning._parts(model))) > 10 * len(list(planning._parts(shuffled)))
    ours, theirs = value_iteration(model, 0.95), value_iteration(shuffled, 0.95)
    np.testing.assert_allclose(ours.values, theirs.values[place], atol=2e-9)
    np.testing.assert_allclose(ours.q_values, theirs.q_values[place], atol=2e-9)
    policy = rng.dirichlet(np.ones(2), 60)
    np.testing.assert_allclose(
        policy_evaluation(model, policy, 0.95), policy_evaluation(shuffled, policy[order], 0.95)[place], atol=1e-9
    )


def test_parts_are_whole_and_none_leads_upwards(monkeypatch):
    monkeypatch.setattr(planning, "PART", 6)
    model = random_model(np.random.default_rng(2), 50, 2, 2, upwards=False)
    parts = list(planning._parts(model))
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
    assert parts[-1].stop == 50
    for part in parts:
        assert model.next_state[part].max() < part.stop
        assert part.stop - part.start >= 6 or part == parts[-1]
