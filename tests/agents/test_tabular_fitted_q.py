"""Fitted Q-iteration: with a table it is value iteration on what the batch says; with a network it comes near."""

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from gridrl_agents.base import Transition
from gridrl_agents.deep.regressor import make_network_regressor
from gridrl_agents.registry import make
from gridrl_agents.tabular.fitted_q import TableRegressor, fitted_q_iteration
from gridrl_agents.tabular.planning import value_iteration


def batch_of_the_chain(model, runs, copies=1):
    """Every pair of the chain, `copies` times, in each of `runs`."""
    state, action = np.divmod(np.arange(8 * copies) % 8, 2)
    fields = state, action, model.reward[state, action, 0], model.next_state[state, action, 0]
    terminated = model.terminated[state, action, 0]
    return Transition(*(np.tile(field, (runs, 1)) for field in (*fields, terminated, ~terminated)))


def test_a_table_by_hand():
    """Two transitions of one pair and one of another; gamma .5, values begin at 4."""
    batch = Transition(
        *(np.array([row]) for row in ([0, 0, 1], [1, 1, 0], [1.0, 3.0, 8.0], [1, 0, 0])), *np.zeros((2, 1, 3))
    )
    batch = batch._replace(terminated=np.array([[False, False, True]]))
    table = TableRegressor(1, 2, initial_value=4.0)
    fitted_q_iteration(batch, table, 0.5, 1)
    np.testing.assert_array_equal(table.table[0, :2], [[4, 4], [8, 4]])  # the mean of 1 + 2 and 3 + 2; 8, the end
    fitted_q_iteration(batch, table, 0.5, 1)
    np.testing.assert_array_equal(table.table[0, :2], [[4, 5], [8, 4]])  # the mean of 1 + 4 and 3 + 2
    np.testing.assert_array_equal(table.predict(np.array([[7, 1]])), [[[4, 4], [8, 4]]])  # 7 was never fitted


def test_a_table_against_a_slow_twin():
    """Two runs with 300 random transitions each: K iterations are K sweeps over the means, as in Gordon (1996)."""
    rng = np.random.default_rng(2)
    state, following = rng.integers(9, size=(2, 2, 300))
    action, reward = rng.integers(3, size=(2, 300)), rng.normal(size=(2, 300))
    terminated = rng.random((2, 300)) < 0.1
    table = TableRegressor(2, 3)
    fitted_q_iteration(Transition(state, action, reward, following, terminated, ~terminated), table, 0.9, 7)
    for run in range(2):
        q = {(s, a): 0.0 for s in range(9) for a in range(3)}
        for _ in range(7):
            targets = {}
            for s, a, r, to, end in zip(
                *(each[run] for each in (state, action, reward, following, terminated)), strict=True
            ):
                best = 0 if end else max(q[to, b] for b in range(3))
                targets.setdefault((s, a), []).append(r + 0.9 * best)
            q |= {entry: sum(each) / len(each) for entry, each in targets.items()}
        np.testing.assert_allclose(table.table[run, :9].ravel(), list(q.values()), rtol=0, atol=1e-12)


def test_a_table_on_all_transitions_is_value_iteration(chain):
    table = TableRegressor(2, 2)
    fitted_q_iteration(batch_of_the_chain(chain.model(), 2, copies=3), table, 0.9, 200)
    exact = value_iteration(chain.model(), 0.9).q_values
    np.testing.assert_allclose(table.table[:, :4], [exact] * 2, atol=1e-8)


def test_a_network_on_all_transitions(chain):
    regressor, encoder = make_network_regressor(Discrete(4), None, [0, 1], 2, hidden_sizes=(32,), reward_scale=0.1)
    batch = batch_of_the_chain(chain.model(), 2)
    rows = batch._replace(obs=encoder.encode(batch.obs), next_obs=encoder.encode(batch.next_obs))
    fitted_q_iteration(rows, regressor, 0.9, 30)
    exact = value_iteration(chain.model(), 0.9).q_values
    np.testing.assert_allclose(regressor.predict(encoder.encode(np.tile(np.arange(4), (2, 1)))), [exact] * 2, atol=0.2)


def test_a_network_fits_the_mean_of_noisy_targets():
    """Least squares: 4 and 8 for one pair make 6; Box observations, read through a support."""
    support = np.array([True, True, False])
    space = Box(0, 1, (3,), np.float32)
    regressor, encoder = make_network_regressor(
        space, support, [3], 2, hidden_sizes=(16,), reward_scale=1.0, fit_updates=1500
    )
    rows = encoder.encode(np.array([[[1, 0, 1], [1, 0, 0], [0, 1, 1], [0, 1, 0]]], dtype=np.float32))
    regressor.fit(rows, np.array([[0, 0, 1, 1]]), np.array([[4.0, 8.0, -1.0, -1.0]]))
    values = regressor.predict(rows)[0]
    np.testing.assert_allclose(values[:2, 0], 6.0, atol=0.3)
    np.testing.assert_allclose(values[2:, 1], -1.0, atol=0.1)


def test_only_the_last_transitions_are_kept():
    """Capacity 3: the reward of a pair changes from 5 to 1, and after three steps nothing reminds of 5."""
    agent = make("fitted-q", Discrete(2), Discrete(1), [0], replay_capacity=3, refit_period=1, num_iterations=1)
    q = []
    for reward in (5.0, 5.0, 1.0, 1.0, 1.0):
        metrics = agent.observe(Transition(*(np.array([each]) for each in (0, 0, reward, 0, True, False))))
        q.append(agent.q_values(np.array([[0]]))[0, 0, 0])
    assert q == pytest.approx([5, 5, 11 / 3, 7 / 3, 1])
    assert metrics["td_error"][0] == 0
    assert agent.num_updates == 5


def test_it_learns_when_it_is_time():
    agent = make("fitted-q", Discrete(2), Discrete(1), [0], refit_period=4, num_iterations=3)
    step = Transition(*(np.array([each]) for each in (0, 0, 1.0, 0, False, True)))
    told = [agent.observe(step) for _ in range(8)]
    assert [bool(metrics) for metrics in told] == [False] * 3 + [True] + [False] * 3 + [True]
    # Six backups of 1 + .99 Q, and what the seventh would still change.
    q = sum(0.99**i for i in range(6))
    assert agent.q_values(np.array([[0]]))[0, 0, 0] == pytest.approx(q)
    assert told[-1]["td_error"][0] == pytest.approx(0.99**6)
