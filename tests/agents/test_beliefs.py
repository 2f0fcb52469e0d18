"""What an agent believes, kept by itself and brought back; its distribution; what its policy leaves to chance."""

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from gridrl_agents.errors import SettingsError
from gridrl_agents.registry import make

POOL = np.random.default_rng(0).integers(2, size=(4, 21)).astype(np.uint8)
SMALL = {"hidden_sizes": (16,), "batch_size": 8, "min_replay_size": 20, "replay_capacity": 60}
BOUNDS = {"v_min": -5.0, "v_max": 20.0}
CASES = {
    "q-learning": {"initial_value": 3.0},
    "double-q-learning": {},
    "monte-carlo": {},
    "fitted-q": {"refit_period": 20},
    "dqn": SMALL,
    "rainbow": {**SMALL, **BOUNDS, "epsilon_begin": 1.0, "epsilon_end": 0.05},
    "qr-dqn": SMALL,
    "drqn": {"hidden_sizes": (16,), "lstm_size": 8, "min_replay_size": 40, "learn_period": 1},
}


def learn(agent, runs, steps):
    for _ in range(steps):
        runs.step(agent)


@pytest.fixture(params=CASES)
def name(request):
    return request.param


def test_values_come_back_whatever_was_learned_since(name, chain, make_runs):
    agent = make(name, Box(0, 1, (21,), np.uint8), Discrete(2), [5, 6], **CASES[name])
    runs = make_runs(chain.model(), 2, 13, lambda state: POOL[state])
    shown = np.broadcast_to(POOL, (2, *POOL.shape))
    kept = []
    for steps in (0, 3, 60, 60):
        learn(agent, runs, steps)
        kept.append((agent.values_dict(), agent.q_values(shown)))
    newest = agent.state_dict()
    assert not np.array_equal(kept[0][1], kept[-1][1]), "something was learned"
    for values, believed in (kept[2], kept[0], kept[3], kept[1]):
        agent.load_values(values)
        np.testing.assert_array_equal(agent.q_values(shown), believed)
    agent.load_state_dict(newest)
    np.testing.assert_array_equal(agent.q_values(shown), kept[-1][1])


def test_a_snapshot_of_a_larger_table_is_refused(chain, make_runs):
    space = Box(0, 1, (21,), np.uint8)
    grown, fresh = (make("q-learning", space, Discrete(2), [5]) for _ in range(2))
    learn(grown, make_runs(chain.model(), 1, 13, lambda state: POOL[state]), 50)
    with pytest.raises(SettingsError, match="load a later state"):
        fresh.load_values(grown.values_dict())


@pytest.mark.parametrize("name", ["c51", "qr-dqn", "rainbow"])
def test_a_distribution_has_the_mean_that_is_shown(name, chain, make_runs):
    settings = {**SMALL, **(BOUNDS if name != "qr-dqn" else {}), "epsilon_begin": 1.0, "reward_scale": 0.1}
    agent = make(name, Discrete(4), Discrete(2), [5, 6], **settings)
    learn(agent, make_runs(chain.model(), 2, 13, lambda state: state), 100)
    obs = np.broadcast_to(np.arange(4), (2, 4))
    found = agent.return_distribution(obs)
    assert found.returns.shape == found.probability.shape == (2, 4, 2, 51)
    np.testing.assert_allclose(found.probability.sum(axis=-1), 1.0, atol=1e-6)
    mean = (found.returns * found.probability).sum(axis=-1)
    np.testing.assert_allclose(mean, agent.q_values(obs), atol=1e-4)  # of float32 sums of returns up to 20
    if name != "qr-dqn":
        np.testing.assert_allclose(found.returns[0, 0, 0, [0, 25, 50]], [-5.0, 7.5, 20.0], atol=1e-5)


@pytest.mark.parametrize("name", ["q-learning", "dqn", "drqn"])
def test_who_learns_a_mean_has_no_distribution(name):
    agent = make(name, Discrete(4), Discrete(2), [5])
    assert agent.return_distribution(np.zeros((1, 3), dtype=np.int64)) is None


def test_certain_is_what_neither_chance_nor_memory_decided():
    table = make("q-learning", Discrete(3), Discrete(2), [5, 6])
    table.table[0] = [[1.0, 2.0], [2.0, 2.0], [3.0, 1.0]]
    table.table[1] = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    obs = np.broadcast_to(np.arange(3), (2, 3))
    greedy = table.policy(0.0)
    greedy.act(obs)
    np.testing.assert_array_equal(greedy.certain, [[True, False, True], [False, True, True]])
    exploring = table.policy(0.01)
    exploring.act(obs)
    assert not exploring.certain.any()
    memory = make("drqn", Discrete(3), Discrete(2), [5]).policy(0.0)
    memory.act(obs[:1])
    assert not memory.certain.any()
