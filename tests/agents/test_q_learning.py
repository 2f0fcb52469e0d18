"""Q-learning: by hand, against an exact solution, and its table that grows."""

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiBinary

from gridrl_agents.base import Transition
from gridrl_agents.errors import SettingsError
from gridrl_agents.registry import make
from gridrl_agents.tabular.planning import value_iteration


def one(obs, action, reward, next_obs, terminated=False, truncated=False):
    fields = (obs, action, reward, next_obs, terminated, truncated)
    return Transition(*(np.array([field]) for field in fields))


def test_updates_by_hand():
    """learning_rate .5, gamma .9, all values begin at 2."""
    agent = make("q-learning", Discrete(3), Discrete(2), [0], learning_rate=0.5, gamma=0.9, initial_value=2.0)
    # 1 + .9 * 2 - 2 = .8; half of it is added.
    assert agent.observe(one(0, 1, 1.0, 1))["td_error"] == pytest.approx(0.8)
    # The maximum of state 0 is now 2.4: -3 + .9 * 2.4 - 2 = -2.84.
    assert agent.observe(one(1, 0, -3.0, 0))["td_error"] == pytest.approx(2.84)
    # Terminated: 5 - 2 = 3, whatever the next state.
    assert agent.observe(one(2, 0, 5.0, 0, terminated=True))["td_error"] == pytest.approx(3.0)
    # Truncated: the next state's value counts, 0 + .9 * 2.4 - 2 = .16.
    assert agent.observe(one(2, 1, 0.0, 0, truncated=True))["td_error"] == pytest.approx(0.16)
    np.testing.assert_allclose(agent.table[0], [[2, 2.4], [0.58, 2], [3.5, 2.08]])
    np.testing.assert_allclose(agent.q_values(np.array([[2, 0]]))[0], [[3.5, 2.08], [2, 2.4]])
    assert agent.num_updates == 4


def test_learns_the_exact_values(chain, make_runs):
    """Deterministic, learning rate .5, every pair tried hundreds of times: below 1e-6 of the first error is left."""
    agent = make("q-learning", Discrete(4), Discrete(2), [0, 1, 2], learning_rate=0.5, gamma=0.9, epsilon_end=1.0)
    runs = make_runs(chain.model(), 3, 25, lambda state: state)
    for _ in range(6000):
        runs.step(agent)
    exact = value_iteration(chain.model(), 0.9).q_values
    np.testing.assert_allclose(agent.table, np.broadcast_to(exact, (3, 4, 2)), atol=1e-6)


def test_a_step_limit_is_no_end(make_model, make_runs):
    """Reward 1 for ever, cut after 10 steps: 1 / (1 - .9) = 10; a cut taken for an end gives 5.26."""
    loop = make_model(*(np.full((1, 1, 1), value) for value in (0, 1.0, 1.0, False)))
    agent = make("q-learning", Discrete(1), Discrete(1), [0], learning_rate=0.5, gamma=0.9)
    runs = make_runs(loop, 1, 10, lambda state: state)
    for _ in range(600):
        runs.step(agent)
    assert agent.table[0, 0, 0] == pytest.approx(10, abs=1e-9)  # (1 - .5 * .1)^600 is 4e-14 of the first error


def test_a_fresh_table_moves():
    agent = make("q-learning", Discrete(1), Discrete(4), list(range(200)), epsilon_begin=0.0, epsilon_end=0.0)
    counts = np.bincount(agent.act(np.zeros(200, dtype=int)), minlength=4)
    assert counts.min() > 25  # 50 expected, standard deviation 6.1


def test_discrete_observations_count_from_their_start():
    agent = make("q-learning", Discrete(3, start=5), Discrete(2), [0], learning_rate=1.0, gamma=0.5)
    agent.observe(one(7, 0, 4.0, 5))
    np.testing.assert_array_equal(agent.q_values(np.array([[5, 7]]))[0], [[0, 0], [4, 0]])


@pytest.mark.parametrize("space", [Box(-5, 5, (2, 3), np.float32), MultiBinary(20), Box(0, 255, (4, 4), np.uint8)])
def test_a_growing_table_against_a_plain_dictionary(space):
    """Two runs, a slow twin for each: the same values after two thousand steps among 150 observations."""
    rng = np.random.default_rng(3)
    space.seed(1)
    pool = np.stack([space.sample() for _ in range(150)])
    agent = make("q-learning", space, Discrete(3), [0, 1], learning_rate=0.3, gamma=0.8, initial_value=1.5)
    twins = [{}, {}]
    for step in range(2000):
        at, to = rng.integers(min(150, 2 + step // 10), size=(2, 2))
        action, reward, terminated = rng.integers(3, size=2), rng.normal(size=2), rng.random(2) < 0.2
        metrics = agent.observe(Transition(pool[at], action, reward, pool[to], terminated, ~terminated))
        for k, twin in enumerate(twins):
            values = twin.setdefault(at[k], [1.5] * 3)
            after = twin.setdefault(to[k], [1.5] * 3)
            td_error = reward[k] + (0 if terminated[k] else 0.8 * max(after)) - values[action[k]]
            values[action[k]] += 0.3 * td_error
            assert metrics["td_error"][k] == pytest.approx(abs(td_error))
            assert metrics["states"][k] == len(twin)
            assert metrics["memory"][k] == len(twin) * (3 * 8 + pool[0].nbytes)
    for k, twin in enumerate(twins):
        expected = [twin.get(number, [1.5] * 3) for number in range(150)]
        np.testing.assert_allclose(agent.q_values(np.stack([pool, pool]))[k], expected)


def test_looking_does_not_grow_the_table():
    space = Box(0, 1, (4,), np.float32)
    agent = make("q-learning", space, Discrete(2), [0], initial_value=7.0)
    obs = np.random.default_rng(0).random((1, 50, 4), dtype=np.float32)
    np.testing.assert_array_equal(agent.q_values(obs), np.full((1, 50, 2), 7.0))
    agent.act(obs[:, 0])
    agent.policy(0.5).act(obs)
    metrics = agent.observe(Transition(obs[:, 0], np.zeros(1, int), np.zeros(1), obs[:, 1], *np.zeros((2, 1), bool)))
    assert metrics["states"] == 2


def test_a_state_that_does_not_fit():
    agent = make("q-learning", Discrete(3), Discrete(2), [0])
    for other in (
        make("q-learning", Discrete(4), Discrete(2), [0]),
        make("q-learning", Discrete(3), Discrete(3), [0]),
        make("q-learning", Discrete(3), Discrete(2), [0, 1]),
    ):
        with pytest.raises(SettingsError, match=r"saved state does not fit this agent of 1 runs and 2 actions"):
            agent.load_state_dict(other.state_dict())
    with pytest.raises(SettingsError, match=r"KeyError: 'table'"):
        agent.load_state_dict({})
