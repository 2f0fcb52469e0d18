"""Agents side by side as one: the very agent that has all their seeds."""

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from gridrl_agents.base import Transition
from gridrl_agents.company import Company
from gridrl_agents.registry import make

SEEDS = (5, 3, 8, 0)
PARTS = ((5,), (3, 8, 0))
OBS = Box(-1.0, 1.0, (6,), np.float32)
ACTIONS = Discrete(3)
NET = {"hidden_sizes": (16,), "replay_capacity": 60, "min_replay_size": 20, "batch_size": 4}
AGENTS = [
    ("q-learning", {}),
    ("monte-carlo", {}),
    ("dqn", NET),
    ("c51", NET | {"v_min": -5.0, "v_max": 5.0}),
    ("drqn", {"hidden_sizes": (8,), "lstm_size": 8, "replay_capacity": 60, "min_replay_size": 20, "batch_size": 2}),
]


def taught(name: str, settings: dict[str, object]) -> tuple[Company, object, list[dict[str, np.ndarray]]]:
    """Return a company and the one agent of all seeds after the same lessons, and the differences in their metrics."""
    company = Company([make(name, OBS, ACTIONS, seeds, **settings) for seeds in PARTS])
    whole = make(name, OBS, ACTIONS, SEEDS, **settings)
    rng, told = np.random.default_rng(0), []
    obs = rng.uniform(-1, 1, (len(SEEDS), 6)).round().astype(np.float32)
    for _ in range(50):
        action = company.act(obs)
        assert np.array_equal(action, whole.act(obs))
        next_obs = rng.uniform(-1, 1, (len(SEEDS), 6)).round().astype(np.float32)
        terminated = rng.random(len(SEEDS)) < 0.1
        transition = Transition(obs, action, rng.normal(size=4), next_obs, terminated, np.zeros(4, bool))
        mine, theirs = company.observe(transition), whole.observe(transition)
        assert mine.keys() == theirs.keys()
        assert all(np.array_equal(mine[key], theirs[key], equal_nan=True) for key in mine)
        told.append(mine)
        obs = next_obs
    return company, whole, told


@pytest.mark.parametrize(("name", "settings"), AGENTS, ids=[name for name, _ in AGENTS])
def test_a_company_is_the_agent_of_all_seeds(name: str, settings: dict[str, object]) -> None:
    company, whole, told = taught(name, settings)
    assert any(told), "something was learned"
    assert company.seeds == SEEDS
    assert (company.num_runs, company.num_updates, company.epsilon) == (4, whole.num_updates, whole.epsilon)
    assert (company.gamma, company.num_bytes, company.return_limits) == (
        whole.gamma,
        whole.num_bytes,
        whole.return_limits,
    )
    obs = np.random.default_rng(1).uniform(-1, 1, (4, 7, 6)).round().astype(np.float32)
    assert np.array_equal(company.q_values(obs), whole.q_values(obs))
    mine, theirs = company.return_distribution(obs), whole.return_distribution(obs)
    assert (mine is None) == (theirs is None) == (name != "c51")
    if mine is not None:
        assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
    mine, theirs = company.dead_units(), whole.dead_units()
    assert (mine is None and theirs is None) or np.array_equal(mine, theirs)


@pytest.mark.parametrize(("name", "settings"), AGENTS, ids=[name for name, _ in AGENTS])
def test_its_policy_is_that_of_all_seeds(name: str, settings: dict[str, object]) -> None:
    company, whole, _ = taught(name, settings)
    rng = np.random.default_rng(2)
    for epsilon in (0.0, 0.3):
        mine, theirs = company.policy(epsilon, 7), whole.policy(epsilon, 7)
        for uniform in (None, None, rng.random((4, 5, 2))):
            obs = rng.uniform(-1, 1, (4, 5, 6)).round().astype(np.float32)
            assert np.array_equal(mine.act(obs, uniform), theirs.act(obs, uniform))
            assert np.array_equal(np.broadcast_to(mine.certain, (4, 5)), np.broadcast_to(theirs.certain, (4, 5)))
            assert np.array_equal(np.broadcast_to(mine.by_chance, (4, 5)), np.broadcast_to(theirs.by_chance, (4, 5)))
            ended = rng.random((4, 5)) < 0.3
            mine.reset(ended)
            theirs.reset(ended)
        assert mine.remembers == theirs.remembers == (name == "drqn")


def test_it_is_saved_and_restored_member_by_member() -> None:
    company, _, _ = taught("dqn", NET)
    obs = np.ones((4, 1, 6), np.float32)
    state, values, before = company.state_dict(), company.values_dict(), company.q_values(obs)
    fresh = Company([make("dqn", OBS, ACTIONS, seeds, **NET) for seeds in PARTS])
    assert not np.array_equal(fresh.q_values(obs), before)
    fresh.load_state_dict(state)
    assert np.array_equal(fresh.q_values(obs), before)
    assert fresh.num_updates == company.num_updates
    other = Company([make("dqn", OBS, ACTIONS, seeds, **NET) for seeds in PARTS])
    other.load_values(values)
    assert np.array_equal(other.q_values(obs), before)
