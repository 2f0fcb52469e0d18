"""What an agent is can be saved, restored and looked at: to the last bit, and without a trace."""

import json

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from gridrl_agents.registry import make

POOL = np.random.default_rng(0).integers(2, size=(4, 21)).astype(np.uint8)
SMALL = {"hidden_sizes": (16,), "batch_size": 8, "min_replay_size": 20, "replay_capacity": 60, "learn_period": 3}
BOUNDS = {"v_min": -5.0, "v_max": 20.0}
CASES = {
    "double": ("double-dqn", Discrete(4), SMALL),
    "prioritized": ("per-dqn", Discrete(4), SMALL),
    "dueling": ("dueling-dqn", Box(0, 1, (21,), np.uint8), SMALL),
    "n-step": ("n-step-dqn", Discrete(4), SMALL),
    "noisy": ("noisy-dqn", Box(0, 1, (21,), np.uint8), {**SMALL, "epsilon_begin": 1.0, "epsilon_end": 0.05}),
    "categorical": ("c51", Discrete(4), {**SMALL, **BOUNDS}),
    "quantile": ("qr-dqn", Discrete(4), SMALL),
    "rainbow": ("rainbow", Discrete(4), {**SMALL, **BOUNDS, "epsilon_begin": 1.0, "epsilon_end": 0.05}),
    "rainbow-by-rank": (
        "rainbow",
        Box(0, 1, (21,), np.uint8),
        {**SMALL, "distribution": "quantile", "replay": "rank-based", "epsilon_begin": 1.0, "epsilon_end": 0.05},
    ),
    "dqn": ("dqn", Box(0, 1, (21,), np.uint8), {**SMALL, "target_update_period": 11}),
    "dqn-polyak": ("dqn", Box(0, 1, (21,), np.uint8), {**SMALL, "target_update_period": 1, "target_update_rate": 0.1}),
    "dqn-discrete": ("dqn", Discrete(4), SMALL),
    "table": ("q-learning", Discrete(4), {}),
    "growing-table": ("q-learning", Box(0, 1, (21,), np.uint8), {"initial_value": 3.0}),
}


@pytest.fixture(params=CASES)
def case(request, chain, make_runs):
    name, space, settings = CASES[request.param]

    class Case:
        def agent(self, seeds=(5, 6)):
            return make(name, space, Discrete(2), seeds, **settings)

        def show(self, state):
            return state if isinstance(space, Discrete) else POOL[state]

        def runs(self, num_runs=2):
            return make_runs(chain.model(), num_runs, 13, self.show)

    return Case()


def history(runs, agent, steps):
    """Actions and metrics of some steps, as bytes."""
    told = []
    for _ in range(steps):
        action, metrics = runs.step(agent)
        told.append((action.tobytes(), {name: value.tobytes() for name, value in metrics.items()}))
    return told


def test_same_seed_same_bytes(case, assert_same):
    one, other = case.agent(), case.agent()
    assert history(case.runs(), one, 200) == history(case.runs(), other, 200)
    assert_same(one.state_dict(), other.state_dict())


@pytest.mark.parametrize("steps", [0, 7, 19, 20, 101])
def test_restored_goes_on_to_the_same_bytes(case, assert_same, steps):
    one, other = case.agent(), case.agent()
    runs, copy = case.runs(), case.runs()
    history(runs, one, steps)
    history(copy, other, 3)  # what it was before must not matter
    saved = one.state_dict()
    other.load_state_dict(saved)
    assert_same(other.state_dict(), saved)
    copy.state[:], copy.age[:] = runs.state, runs.age
    assert history(runs, one, 150) == history(copy, other, 150)
    assert_same(one.state_dict(), other.state_dict())
    assert one.num_updates == other.num_updates
    assert one.epsilon == other.epsilon


def test_a_saved_state_stays_as_it_was(case, leaves, assert_same):
    agent, runs = case.agent(), case.runs()
    history(runs, agent, 100)
    saved = agent.state_dict()
    before = {name: np.copy(leaf) if isinstance(leaf, np.ndarray) else leaf for name, leaf in leaves(saved).items()}
    history(runs, agent, 50)
    assert_same(leaves(saved), before)


def test_leaves_are_arrays_or_json(case, leaves):
    agent = case.agent()
    history(case.runs(), agent, 50)
    for name, leaf in leaves(agent.state_dict()).items():
        if isinstance(leaf, np.ndarray):
            assert leaf.dtype != object, name
        else:
            assert json.loads(json.dumps(leaf)) == leaf, name


def test_a_policy_leaves_no_trace(case, assert_same):
    agent, runs = case.agent(), case.runs()
    history(runs, agent, 60)
    before = agent.state_dict()
    obs = np.stack([case.show(np.array([0, 1, 2, 3, 3]))] * 2)
    policy = agent.policy(0.5, stream_key=3)
    for _ in range(20):
        policy.act(obs)
    policy.reset(np.ones((2, 5), dtype=bool))
    agent.q_values(obs)
    assert_same(agent.state_dict(), before)


def test_same_key_same_actions(case):
    agent = case.agent()
    obs = np.stack([case.show(np.tile(np.arange(4), 50))] * 2)

    def acted(key, epsilon=1.0):
        policy = agent.policy(epsilon, stream_key=key)
        return np.stack([policy.act(obs) for _ in range(3)])

    assert acted(1).shape == (3, 2, 200)
    np.testing.assert_array_equal(acted(1), acted(1))
    assert (acted(1) != acted(2)).any()
    assert (acted(1)[:, 0] != acted(1)[:, 1]).any()
    assert (acted(1)[0] != acted(1)[1]).any()


def test_a_greedy_policy_takes_the_best(case):
    agent = case.agent()
    history(case.runs(), agent, 300)
    obs = np.stack([case.show(np.arange(4))] * 2)
    q_values = agent.q_values(obs)
    chosen = np.take_along_axis(q_values, agent.policy(0.0).act(obs)[..., None], axis=2)[..., 0]
    np.testing.assert_array_equal(chosen, q_values.max(axis=2))


def test_epsilon_follows_the_steps(case):
    agent, runs = case.agent(), case.runs()
    assert agent.epsilon == 1.0
    history(runs, agent, 100)
    assert agent.epsilon == pytest.approx(1 - 0.95 * 100 / 20_000)
