"""The planners against published values and against each other."""

import gymnasium
import numpy as np
import pytest

from gridrl_agents.errors import SettingsError
from gridrl_agents.tabular import planning
from gridrl_agents.tabular.planning import policy_evaluation, policy_iteration, value_iteration


def from_gymnasium(make_model, transitions):
    """Arrays of a toy-text environment's `P`; outcomes that are lacking get probability 0."""
    states, actions = len(transitions), len(transitions[0])
    outcomes = max(len(each) for row in transitions.values() for each in row.values())
    arrays = [np.zeros((states, actions, outcomes), dtype=dtype) for dtype in (np.int64, float, float, bool)]
    next_state, probability, reward, terminated = arrays
    for state, row in transitions.items():
        for action, each in row.items():
            for k, outcome in enumerate(each):
                at = state, action, k
                probability[at], next_state[at], reward[at], terminated[at] = outcome
    return make_model(next_state, probability, reward, terminated)


def grid_5x5(make_model):
    """Sutton & Barto, 2nd ed., example 3.5."""
    next_state = np.zeros((25, 4, 1), dtype=np.int64)
    reward = np.zeros((25, 4, 1))
    for row in range(5):
        for column in range(5):
            for action, (down, right) in enumerate([(-1, 0), (1, 0), (0, -1), (0, 1)]):
                to, earned = (row + down, column + right), 0.0
                if not (0 <= to[0] < 5 and 0 <= to[1] < 5):
                    to, earned = (row, column), -1.0
                if (row, column) == (0, 1):
                    to, earned = (4, 1), 10.0
                if (row, column) == (0, 3):
                    to, earned = (2, 3), 5.0
                next_state[row * 5 + column, action] = to[0] * 5 + to[1]
                reward[row * 5 + column, action] = earned
    return make_model(next_state, np.ones((25, 4, 1)), reward, np.zeros((25, 4, 1), dtype=bool))


def grid_4x4(make_model):
    """Sutton & Barto, 2nd ed., example 4.1: two corners end the episode, each step costs 1."""
    next_state = np.zeros((16, 4, 1), dtype=np.int64)
    for row in range(4):
        for column in range(4):
            for action, (down, right) in enumerate([(-1, 0), (1, 0), (0, -1), (0, 1)]):
                to = min(max(row + down, 0), 3) * 4 + min(max(column + right, 0), 3)
                next_state[row * 4 + column, action] = to
    terminated = (next_state == 0) | (next_state == 15)
    reward = np.full((16, 4, 1), -1.0)
    for corner in (0, 15):
        next_state[corner], terminated[corner], reward[corner] = corner, True, 0.0
    return make_model(next_state, np.ones((16, 4, 1)), reward, terminated)


@pytest.mark.parametrize(
    ("size", "slippery", "start_value"),
    [("4x4", True, 0.542026), ("8x8", True, 0.414640), ("4x4", False, 0.950990), ("8x8", False, 0.877521)],
)
def test_value_iteration_on_frozen_lake(make_model, size, slippery, start_value):
    env = gymnasium.make("FrozenLake-v1", map_name=size, is_slippery=slippery)
    values, q_values, _ = value_iteration(from_gymnasium(make_model, env.unwrapped.P), 0.99)
    assert values[0] == pytest.approx(start_value, abs=5e-7)  # six digits are published
    np.testing.assert_allclose(q_values.max(axis=1), values, atol=1e-9)


def test_value_iteration_without_discount(make_model):
    lake = gymnasium.make("FrozenLake-v1", map_name="4x4", is_slippery=True)
    values = value_iteration(from_gymnasium(make_model, lake.unwrapped.P), 1.0).values
    assert values[0] == pytest.approx(14 / 17, abs=1e-7)
    cliff = from_gymnasium(make_model, gymnasium.make("CliffWalking-v1").unwrapped.P)
    assert value_iteration(cliff, 1.0)[0][36] == pytest.approx(-13, abs=1e-9)
    assert value_iteration(cliff, 0.99)[0][36] == pytest.approx(-12.247898, abs=5e-7)


def test_taxi(make_model):
    env = gymnasium.make("Taxi-v4")
    starts = env.unwrapped.initial_state_distrib > 0
    model = from_gymnasium(make_model, env.unwrapped.P)
    assert starts.sum() == 300
    values, q_values, num_sweeps = value_iteration(model, 1.0)
    assert values[starts].mean() == pytest.approx(7.93, abs=0.005)  # two digits are published
    np.testing.assert_array_equal(q_values.max(axis=1), values)
    assert num_sweeps <= 20, "the longest way takes 18 steps, and one more sweep changes nothing"


def test_example_3_5(make_model):
    model = grid_5x5(make_model)
    values = policy_evaluation(model, np.full((25, 4), 0.25), 0.9)
    np.testing.assert_allclose(values[[0, 1, 24]], [3.3090, 8.7893, -1.9752], atol=5e-5)  # four digits
    optimal = value_iteration(model, 0.9).values
    np.testing.assert_allclose(optimal[:5], [21.977, 24.419, 21.977, 19.419, 17.477], atol=5.1e-4)  # three digits
    np.testing.assert_allclose(optimal[5:10], [19.780, 21.977, 19.780, 17.802, 16.022], atol=5.1e-4)


def test_example_4_1(make_model):
    model = grid_4x4(make_model)
    values = policy_evaluation(model, np.full((16, 4), 0.25), 1.0)
    np.testing.assert_allclose(values[:4], [0, -14, -20, -22], atol=1e-9)
    optimal = value_iteration(model, 1.0).values
    np.testing.assert_array_equal(optimal.reshape(4, 4)[0], [0, -1, -2, -3])


def test_the_bound_holds_and_the_greedy_policy_earns_what_is_promised(make_model):
    """On random models: V* is within the tolerance of the greedy policy's exact value."""
    rng = np.random.default_rng(5)
    for gamma in (0.0, 0.5, 0.95):
        shape = (30, 3, 4)
        probability = rng.dirichlet(np.ones(4), (30, 3))
        model = make_model(rng.integers(30, size=shape), probability, rng.normal(size=shape), rng.random(shape) < 0.1)
        values, q_values, _ = value_iteration(model, gamma, tolerance=1e-6)
        exact = policy_evaluation(model, np.eye(3)[q_values.argmax(axis=1)], gamma)
        np.testing.assert_allclose(values, exact, atol=1e-6)
        # The slow way: the Bellman equation, outcome by outcome, holds for the exact values.
        for state in range(30):
            best = max(
                sum(
                    p * (r + gamma * (0 if end else exact[to]))
                    for p, r, to, end in zip(
                        model.probability[state, action],
                        model.reward[state, action],
                        model.next_state[state, action],
                        model.terminated[state, action],
                        strict=True,
                    )
                )
                for action in range(3)
            )
            assert best == pytest.approx(exact[state], abs=1e-9)


def test_what_cannot_be_evaluated_is_said(make_model, monkeypatch):
    loop = make_model(*(np.full((1, 1, 1), value) for value in (0, 1.0, 1.0, False)))
    with pytest.raises(SettingsError, match=r"never ends an episode .* gamma 1 must be below 1"):
        policy_evaluation(loop, np.ones((1, 1)), 1.0)
    with pytest.raises(SettingsError, match=r"probabilities \[S, A\] = \(1, 1\) .* sums from 0.5"):
        policy_evaluation(loop, np.full((1, 1), 0.5), 0.9)
    monkeypatch.setattr(planning, "MAX_SWEEPS", 50)
    with pytest.raises(SettingsError, match=r"values still change after 50 sweeps; use a gamma below 1"):
        value_iteration(loop, 1.0)
    with pytest.raises(SettingsError, match=r"gamma must be a number from 0 to 1, not 1\.5"):
        value_iteration(loop, 1.5)


@pytest.mark.parametrize(
    ("size", "slippery", "start_value"),
    [("4x4", True, 0.542026), ("8x8", True, 0.414640), ("4x4", False, 0.950990), ("8x8", False, 0.877521)],
)
def test_policy_iteration_on_frozen_lake(make_model, size, slippery, start_value):
    lake = gymnasium.make("FrozenLake-v1", map_name=size, is_slippery=slippery)
    model = from_gymnasium(make_model, lake.unwrapped.P)
    values, q_values, policy = policy_iteration(model, 0.99)
    assert values[0] == pytest.approx(start_value, abs=5e-7)
    optimal, optimal_q, _ = value_iteration(model, 0.99, tolerance=1e-10)
    np.testing.assert_allclose(values, optimal, atol=1e-9)
    np.testing.assert_allclose(q_values, optimal_q, atol=1e-9)
    np.testing.assert_allclose(policy_evaluation(model, np.eye(4)[policy], 0.99), values, atol=1e-12)


def test_policy_iteration_without_discount(make_model):
    lake = gymnasium.make("FrozenLake-v1", map_name="4x4", is_slippery=True)
    assert policy_iteration(from_gymnasium(make_model, lake.unwrapped.P), 1.0)[0][0] == pytest.approx(14 / 17)
    optimal, _, _ = policy_iteration(grid_4x4(make_model), 1.0)
    np.testing.assert_allclose(optimal.reshape(4, 4)[0], [0, -1, -2, -3])
    loop = make_model(*(np.full((1, 2, 1), value) for value in (0, 1.0, 1.0, False)))
    with pytest.raises(SettingsError, match=r"gamma 1 must be below 1"):
        policy_iteration(loop, 1.0)


def test_policy_iteration_on_example_3_5(make_model):
    optimal, _, policy = policy_iteration(grid_5x5(make_model), 0.9)
    np.testing.assert_allclose(optimal[:5], [21.977, 24.419, 21.977, 19.419, 17.477], atol=5.1e-4)  # three digits
    assert policy[0] == 3  # to the right, where +10 waits


def test_policy_iteration_ends_where_policies_are_equal(make_model):
    """Random models with many equal actions: no policy is taken in turns with another."""
    rng = np.random.default_rng(8)
    for gamma in (0.0, 0.9, 0.999):
        next_state = rng.integers(12, size=(12, 1, 2)).repeat(6, axis=1)
        reward = rng.integers(2, size=(12, 1, 2)).repeat(6, axis=1).astype(float)
        terminated = np.zeros(next_state.shape, dtype=bool)
        model = make_model(next_state, np.full(next_state.shape, 0.5), reward, terminated)
        values, _, _ = policy_iteration(model, gamma)
        np.testing.assert_allclose(values, value_iteration(model, gamma).values, atol=1e-6)
