"""Run k of R is, to the last bit, what the same seed is alone or in any other company."""

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from gridrl_agents.base import Transition
from gridrl_agents.registry import make

SHAPE = (5, 6, 3)  # 90 entries, of which the network reads 77: nothing is a multiple of 16
SUPPORT = (np.arange(90) % 7 != 3).reshape(SHAPE)
POOL = 64  # observations that episodes wander among


def world(seed):
    """One environment, all numbers from its own seed: the next observation is a hash of the present one."""
    rng = np.random.default_rng([seed, 99])
    pool = (rng.random((POOL, *SHAPE)) < 0.2) & SUPPORT
    return pool.astype(np.uint8), rng.integers(POOL, size=(POOL, 3)), 100 * rng.normal(size=(POOL, 3))


def play(seeds, name, space, steps, **settings):
    """Train; return the agent, actions [steps, R], metrics, and values and actions of its policy."""
    worlds = [world(seed) for seed in seeds]
    agent = make(
        name, space, Discrete(3), seeds, observation_support=SUPPORT if isinstance(space, Box) else None, **settings
    )
    at = np.zeros(len(seeds), dtype=int)
    actions, metrics = [], []

    def show(places):
        if isinstance(space, Discrete):
            return np.array(places)
        return np.stack([pool[place] for (pool, _, _), place in zip(worlds, places, strict=True)])

    for step in range(steps):
        action = agent.act(show(at))
        to = np.array([moves[a, b] for (_, moves, _), a, b in zip(worlds, at, action, strict=True)])
        reward = np.array([rewards[a, b] for (_, _, rewards), a, b in zip(worlds, at, action, strict=True)])
        metrics.append(agent.observe(Transition(show(at), action, reward, show(to), to % 13 == 0, to % 17 == 0)))
        actions.append(action)
        at = np.where((to % 13 == 0) | (to % 17 == 0), step % POOL, to)
    probe = np.stack([show([place] * len(seeds)) for place in range(10)], axis=1)
    return agent, np.array(actions), metrics, agent.q_values(probe), agent.policy(0.3, stream_key=7).act(probe)


BOX = Box(0, 1, SHAPE, np.uint8)
DQN = {
    "batch_size": 20,
    "hidden_sizes": (40, 24),
    "min_replay_size": 30,
    "replay_capacity": 150,
    "max_gradient_norm": 1.0,
}
HARD = {"target_update_period": 37}
POLYAK = {"target_update_period": 1, "target_update_rate": 0.05}
BOUNDS = {"v_min": -300.0, "v_max": 500.0}
RANKS = {"replay": "rank-based"}
DEFAULTS = {"min_replay_size": 100}  # all others
NOISY = {"noisy": True, "epsilon_begin": 0.2, "epsilon_end": 0.0, "epsilon_decay_steps": 300}


@pytest.mark.parametrize(
    ("name", "space", "settings"),
    [
        ("dqn", BOX, {**DQN, **HARD, "loss": "huber"}),
        ("dqn", BOX, {**DQN, **HARD, "loss": "squared"}),
        ("dqn", BOX, {**DQN, **POLYAK, "loss": "huber"}),
        ("dqn", BOX, {**DQN, **POLYAK, "loss": "squared", "reward_scale": 0.1}),
        ("dqn", Discrete(POOL), {**DQN, **HARD}),
        ("dqn", BOX, DEFAULTS),
        ("double-dqn", BOX, {**DQN, **HARD}),
        ("per-dqn", BOX, {**DQN, **POLYAK, "importance_sampling_steps": 200}),
        ("dueling-dqn", BOX, {**DQN, **HARD}),
        ("n-step-dqn", BOX, {**DQN, **HARD}),
        ("noisy-dqn", BOX, {**DQN, **HARD}),
        ("c51", BOX, {**DQN, **HARD, **BOUNDS}),
        ("qr-dqn", BOX, {**DQN, **HARD}),
        ("rainbow", BOX, {**DQN, **HARD, **BOUNDS}),
        ("rainbow", Discrete(POOL), {**DQN, **POLYAK, **BOUNDS, **RANKS, "double": False, "num_atoms": 7}),
        ("qr-dqn", BOX, {**DQN, **HARD, **RANKS, **NOISY, "dueling": True, "double": True, "n_step": 5}),
        ("qr-dqn", BOX, {**DQN, **HARD, "num_quantiles": 3, "quantile_huber_threshold": 0.0, "hidden_sizes": ()}),
        ("c51", BOX, {**DQN, **HARD, **BOUNDS, **NOISY, "replay": "proportional", "hidden_sizes": (23,)}),
        ("dueling-dqn", BOX, {**DQN, **HARD, **NOISY, **RANKS, "n_step": 2, "hidden_sizes": (17, 9, 31)}),
        ("rainbow", BOX, {**DEFAULTS, **BOUNDS}),
        ("q-learning", BOX, {}),
        ("q-learning", Discrete(POOL), {"learning_rate": 0.3}),
    ],
)
def test_company_makes_no_difference(name, space, settings):
    steps = 430 if name in ("dqn", "q-learning") and settings is not DEFAULTS else 200
    seeds = [3, 1, 4, 15, 9]
    alone = {seed: play([seed], name, space, steps, **settings) for seed in (3, 4, 9)}
    assert any(metrics for metrics in alone[3][2])
    for company in ([3, 4], [9, 4, 3], seeds):
        agent, actions, metrics, values, chosen = play(company, name, space, steps, **settings)
        for k, seed in enumerate(company):
            if seed not in alone:
                continue
            one, its_actions, its_metrics, its_values, its_choice = alone[seed]
            np.testing.assert_array_equal(actions[:, k], its_actions[:, 0])
            assert values[k].tobytes() == its_values[0].tobytes()
            np.testing.assert_array_equal(chosen[k], its_choice[0])
            for here, there in zip(metrics, its_metrics, strict=True):
                assert here.keys() == there.keys()
                for metric in here:
                    assert here[metric][k].tobytes() == there[metric][0].tobytes(), metric
            state, its_state = agent.state_dict(), one.state_dict()
            if "online" in state:
                for network, streams in its_state["noise"].items():
                    assert ("generators" in streams) == settings.get("noisy", name in ("noisy-dqn", "rainbow"))
                    for key, value in streams.items():
                        here = state["noise"][network][key]
                        assert (here[k] if key == "generators" else here) == (
                            value[0] if key == "generators" else value
                        )
                for part in ("online", "target"):
                    assert state[part][k].tobytes() == its_state[part][0].tobytes()
                for moment in ("mean", "square"):
                    assert state["optimizer"][moment][k].tobytes() == its_state["optimizer"][moment][0].tobytes()
                for field, kept in state["replay"]["kept"].items():
                    assert kept[:, k].tobytes() == its_state["replay"]["kept"][field][:, 0].tobytes(), field
            else:
                rows = its_state["table"].shape[1]
                assert state["table"][k, :rows].tobytes() == its_state["table"][0].tobytes()


@pytest.mark.parametrize("name", ["dqn", "q-learning"])
def test_runs_differ_from_each_other(name):
    settings = {**DQN, **HARD} if name == "dqn" else {}
    agent, actions, *_ = play([0, 1], name, BOX, 100, **settings)
    assert (actions[:, 0] != actions[:, 1]).any()
    parameters = agent.state_dict()["online" if name == "dqn" else "table"]
    assert (parameters[0] != parameters[1]).any()
