"""Every tabular agent in company, saved, restored and looked at: to the last bit, by states and by planes."""

import json

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from gridrl_agents.base import Transition
from gridrl_agents.errors import SettingsError
from gridrl_agents.registry import make

NETWORK = {"regressor": "network", "hidden_sizes": (32,), "batch_size": 16, "fit_updates": 10, "num_iterations": 10}
AGENTS = {
    "q-learning": ("q-learning", {"learning_rate": 0.5}),
    "monte-carlo-first": ("monte-carlo", {"learning_rate": 0.5, "learning_rate_power": 0.0}),
    "monte-carlo-every": ("monte-carlo", {"learning_rate": 0.5, "learning_rate_power": 0.0, "visits": "every"}),
    "sarsa": ("sarsa", {"learning_rate": 0.5}),
    "expected-sarsa": ("expected-sarsa", {"learning_rate": 0.5}),
    "double-q-learning": ("double-q-learning", {"learning_rate": 0.5}),
    "n-step-sarsa": ("n-step-sarsa", {"learning_rate": 0.5, "n_step": 3}),
    "q-lambda-replacing": ("q-lambda", {"learning_rate": 0.3, "traces": "replacing"}),
    "q-lambda-accumulating": ("q-lambda", {"learning_rate": 0.2, "traces": "accumulating"}),
    "dyna-q": ("dyna-q", {"learning_rate": 0.5, "planning_steps": 3}),
    "fitted-q-table": ("fitted-q", {"refit_period": 50, "num_iterations": 10}),
    "fitted-q-network": ("fitted-q", {"refit_period": 50, **NETWORK}),
}
DECAYING = {
    f"{case}-1/n^w": (AGENTS[case][0], {**AGENTS[case][1], "learning_rate_power": 0.7})
    for case in ("q-learning", "sarsa", "double-q-learning", "q-lambda-accumulating", "dyna-q", "monte-carlo-every")
}
ALL = {**AGENTS, **DECAYING}
POOL = (np.random.default_rng(1).random((40, 5, 6)) < 0.3).astype(np.uint8)
SPACES = {"state": Discrete(40), "planes": Box(0, 1, (5, 6), np.uint8)}


class Worlds:
    """One deterministic environment for each seed, with moves, rewards and ends of its own."""

    def __init__(self, seeds, show):
        rngs = [np.random.default_rng([seed, 7]) for seed in seeds]
        self.move = np.stack([rng.integers(40, size=(40, 3)) for rng in rngs])
        self.reward = np.stack([rng.normal(size=(40, 3)) for rng in rngs])
        self.runs, self.state, self.time = np.arange(len(seeds)), np.zeros(len(seeds), dtype=np.int64), 0
        self.show = (lambda state: state) if show == "state" else (lambda state: POOL[state])

    def step(self, agent):
        action = agent.act(self.show(self.state))
        to = self.move[self.runs, self.state, action]
        terminated, truncated = to % 13 == 0, to % 11 == 0
        reward = self.reward[self.runs, self.state, action]
        metrics = agent.observe(
            Transition(self.show(self.state), action, reward, self.show(to), terminated, truncated & ~terminated)
        )
        self.state = np.where(terminated | truncated, self.time % 40, to)
        self.time += 1
        return action, metrics


def build(case, seeds, show):
    name, settings = ALL[case]
    return make(name, SPACES[show], Discrete(3), seeds, gamma=0.95, epsilon_decay_steps=100, **settings)


def told(worlds, agent, steps):
    """What some steps say: actions [steps, R], and metrics, each [steps, R]."""
    actions, metrics = [], []
    for _ in range(steps):
        action, measured = worlds.step(agent)
        actions.append(action)
        metrics.append(measured)
    return np.array(actions), metrics


@pytest.mark.parametrize("show", SPACES)
@pytest.mark.parametrize("case", ALL)
def test_company_makes_no_difference(case, show):
    steps = 220

    def played(seeds):
        agent = build(case, seeds, show)
        actions, metrics = told(Worlds(seeds, show), agent, steps)
        obs = np.stack([SHOWN[show]] * len(seeds))
        return actions, metrics, agent.q_values(obs), agent.policy(0.3, stream_key=7).act(obs)

    alone = {seed: played([seed]) for seed in (3, 9)}
    for company in ([3, 4], [9, 4, 15, 1, 3]):
        actions, metrics, values, chosen = played(company)
        for k, seed in enumerate(company):
            if seed in alone:
                its_actions, its_metrics, its_values, its_choice = alone[seed]
                np.testing.assert_array_equal(actions[:, k], its_actions[:, 0])
                assert values[k].tobytes() == its_values[0].tobytes()
                np.testing.assert_array_equal(chosen[k], its_choice[0])
                for here, there in zip(metrics, its_metrics, strict=True):
                    assert here.keys() == there.keys()
                    for metric in here:
                        np.testing.assert_array_equal(here[metric][k], there[metric][0])


SHOWN = {"state": np.arange(40), "planes": POOL}


@pytest.mark.parametrize("show", SPACES)
@pytest.mark.parametrize("case", ALL)
@pytest.mark.parametrize("steps", [1, 131])
def test_restored_goes_on_to_the_same_bytes(case, show, steps, assert_same, leaves):
    one_agent, other = build(case, [5, 6], show), build(case, [5, 6], show)
    worlds, copy = Worlds([5, 6], show), Worlds([5, 6], show)
    told(worlds, one_agent, steps)
    told(copy, other, 170)  # what it was before must not matter
    saved = one_agent.state_dict()
    frozen = {name: np.copy(leaf) if isinstance(leaf, np.ndarray) else leaf for name, leaf in leaves(saved).items()}
    for name, leaf in frozen.items():
        assert isinstance(leaf, np.ndarray) or json.loads(json.dumps(leaf)) == leaf, name
    other.load_state_dict(saved)
    assert_same(other.state_dict(), saved)
    copy.state, copy.time = worlds.state.copy(), worlds.time
    actions, metrics = told(worlds, one_agent, 120)
    its_actions, its_metrics = told(copy, other, 120)
    np.testing.assert_array_equal(actions, its_actions)
    for here, there in zip(metrics, its_metrics, strict=True):
        assert_same(here, there)
    assert_same(one_agent.state_dict(), other.state_dict())
    assert_same(leaves(saved), frozen)  # saved is saved
    assert one_agent.num_updates == other.num_updates
    assert one_agent.epsilon == other.epsilon


@pytest.mark.parametrize("case", AGENTS)
def test_looking_leaves_no_trace(case, assert_same):
    agent = build(case, [5, 6], "planes")
    told(Worlds([5, 6], "planes"), agent, 60)
    before = agent.state_dict()
    policy = agent.policy(0.5)
    for _ in range(3):
        policy.act(np.stack([POOL, POOL]))
    assert_same(agent.state_dict(), before)


@pytest.mark.parametrize("case", AGENTS)
def test_the_caller_may_use_its_arrays_again(case):
    """The same steps in arrays that are written over each time, and in smaller integers."""
    rng = np.random.default_rng(4)
    fresh, other = (build(case, [5, 6], "state") for _ in range(2))
    kept = Transition(*(np.zeros(2, dtype=dtype) for dtype in (np.int32, np.int32, np.float32, np.int32, bool, bool)))
    for _ in range(100):
        numbers = rng.integers(40, size=2), rng.integers(3, size=2), rng.integers(9, size=2), rng.integers(40, size=2)
        terminated, truncated = np.array([[True, False], [False, True], [False, False]])[rng.integers(3, size=2)].T
        step = Transition(*numbers, terminated, truncated)
        for field, value in zip(kept, step, strict=True):
            field[:] = value
        fresh.observe(step)
        other.observe(kept)
        for field in kept:
            field[:] = 1
    obs = np.tile(np.arange(40), (2, 1))
    assert fresh.q_values(obs).tobytes() == other.q_values(obs).tobytes()
    fresh.load_state_dict(other.state_dict())


@pytest.mark.parametrize("case", AGENTS)
def test_runs_differ_from_each_other(case):
    agent = build(case, [5, 6], "planes")
    actions, _ = told(Worlds([5, 5], "planes"), agent, 100)
    assert (actions[:, 0] != actions[:, 1]).any()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("n-step-sarsa", {"n_step": 3}),
        ("sarsa", {"learning_rate_power": 1.0}),
        ("q-learning", {}),
        ("double-q-learning", {}),
        ("fitted-q", {"replay_capacity": 5}),
    ],
)
def test_a_state_that_does_not_fit(name, settings):
    agent = make(name, Discrete(3), Discrete(2), [0], **settings)
    for state in (make("n-step-sarsa", Discrete(3), Discrete(2), [0], n_step=2).state_dict(), {}):
        if name == "q-learning" and state:
            continue  # it needs nothing but the table
        with pytest.raises(SettingsError, match=r"saved state does not fit this agent of 1 runs and 2 actions"):
            agent.load_state_dict(state)


@pytest.mark.parametrize("case", [case for case in AGENTS if not case.startswith("fitted")])
def test_memory_counts_all_that_is_kept_for_a_state(case):
    agent = build(case, [5], "planes")
    _, metrics = told(Worlds([5], "planes"), agent, 30)
    size = {"double-q-learning": 3 * 8 + 6 * 8, "dyna-q": 3 * 8 + 8 + 3 + 3 * 8 + 3 * 8 + 3 * 8}.get(case, 3 * 8)
    assert metrics[-1]["memory"][0] == metrics[-1]["states"][0] * (size + 30)
