"""Every tabular agent on probes, problems that fail for one reason each, and on an exactly solvable one."""

import numpy as np
import pytest
from gymnasium.spaces import Discrete

from gridrl_agents.base import Transition
from gridrl_agents.registry import make
from gridrl_agents.tabular.planning import value_iteration

NETWORK = {"regressor": "network", "hidden_sizes": (32,), "batch_size": 16, "fit_updates": 30, "num_iterations": 10}
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
    "fitted-q-network": ("fitted-q", {"refit_period": 50, "reward_scale": 1.0, "learning_rate": 0.003, **NETWORK}),
}


# Probes. Episodes begin in a random start state; `rule(state, action) -> reward, next state, terminated`.


def train(case, num_states, num_actions, rule, starts=1, steps=400, limit=10**9, **settings):
    name, own = AGENTS[case]
    settings = {"gamma": 0.9, "epsilon_begin": 1.0, "epsilon_end": 1.0} | own | settings
    agent = make(name, Discrete(num_states), Discrete(num_actions), [0, 1], **settings)
    rng = np.random.default_rng(0)
    state, age = rng.integers(starts, size=2), np.zeros(2, dtype=int)
    for _ in range(steps):
        action = agent.act(state)
        reward, next_state, terminated = (np.array(each) for each in zip(*map(rule, state, action), strict=True))
        age += 1
        truncated = (age >= limit) & ~terminated
        agent.observe(Transition(state, action, reward, next_state, terminated, truncated))
        state = np.where(terminated | truncated, rng.integers(starts, size=2), next_state)
        age[terminated | truncated] = 0
    return agent.q_values(np.tile(np.arange(num_states), (2, 1)))


@pytest.mark.parametrize("case", AGENTS)
def test_probes(case):
    close = {"rtol": 0, "atol": 0.05 if "network" in case else 1e-6}
    constant = train(case, 1, 1, lambda state, action: (1.0, 0, True))
    np.testing.assert_allclose(constant, 1.0, **close)
    by_observation = train(case, 2, 1, lambda state, action: (2.0 * state - 1, state, True), starts=2)
    np.testing.assert_allclose(by_observation[..., 0], [[-1, 1]] * 2, **close)
    discounted = train(case, 2, 1, lambda state, action: (float(state), 1, bool(state)))
    np.testing.assert_allclose(discounted[..., 0], [[0.9, 1]] * 2, **close)
    choice = train(case, 1, 2, lambda state, action: (2.0 * action - 1, 0, True))
    np.testing.assert_allclose(choice[:, 0], [[-1, 1]] * 2, **close)
    both = train(case, 2, 2, lambda state, action: (float(state == action), state, True), starts=2)
    np.testing.assert_allclose(both, [[[1, 0], [0, 1]]] * 2, **close)


@pytest.mark.parametrize("case", AGENTS)
def test_a_step_limit_is_no_end(case):
    """Reward 1 for ever, cut after 10 steps: 1 / (1 - .9) = 10; Q-learning that takes a cut for an end learns 5.26."""
    values = train(case, 1, 1, lambda state, action: (1.0, 0, False), steps=1500, limit=10)
    np.testing.assert_allclose(values, 10.0, atol=0.5 if "network" in case else 1e-3)


@pytest.mark.parametrize("case", ["q-learning", "dyna-q", "q-lambda-replacing", "fitted-q-table"])
def test_learns_the_optimal_values_exactly(case, chain, make_runs):
    """Off-policy rules, whatever they do meanwhile; the chain is deterministic."""
    name, settings = AGENTS[case]
    agent = make(name, Discrete(4), Discrete(2), [0, 1], gamma=0.9, epsilon_end=1.0, **settings)
    runs = make_runs(chain.model(), 2, 25, lambda state: state)
    for _ in range(4000):
        runs.step(agent)
    exact = value_iteration(chain.model(), 0.9).q_values
    np.testing.assert_allclose(agent.q_values(np.tile(np.arange(4), (2, 1))), [exact] * 2, atol=1e-6)
