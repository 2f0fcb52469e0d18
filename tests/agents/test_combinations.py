"""Every combination of the six choices, 144 in all, learns the exact values of a tiny MDP."""

from itertools import product

import numpy as np
import pytest
from gymnasium.spaces import Discrete

from gridrl_agents.base import Transition
from gridrl_agents.registry import make
from gridrl_agents.tabular.planning import value_iteration

# Four states; an episode begins in 0 and always ends. The choice in state 1 changes what state 0 can expect.
NEXT = np.array([[1, 2], [2, 3], [3, 3], [0, 0]])
REWARD = np.array([[0.0, 0.5], [0.4, 0.0], [-0.5, 0.2], [1.0, 0.6]])
END = np.array([[False, False], [False, False], [False, False], [True, True]])
GAMMA = 0.8

COMBINATIONS = list(
    product(
        [False, True],
        [False, True],
        [False, True],
        ["mean", "categorical", "quantile"],
        ["uniform", "proportional", "rank-based"],
        [1, 3],
    )
)


def n_step_values(n):
    """Solve Q(s, a) = mean over the n - 1 actions that chance takes next, of the n rewards and gamma^n max Q."""

    def target(values, state, action, left):
        if END[state, action]:
            return REWARD[state, action]
        to = NEXT[state, action]
        after = values[to].max() if left == 1 else np.mean([target(values, to, b, left - 1) for b in (0, 1)])
        return REWARD[state, action] + GAMMA * after

    values = np.zeros((4, 2))
    for _ in range(10):  # four would do: an episode has at most four steps
        values = np.array([[target(values, state, action, n) for action in (0, 1)] for state in range(4)])
    return values


EXACT = {n: n_step_values(n) for n in (1, 3)}


def test_one_step_is_value_iteration(make_model):
    model = make_model(NEXT[..., None], np.ones((4, 2, 1)), REWARD[..., None], END[..., None])
    np.testing.assert_allclose(EXACT[1], value_iteration(model, GAMMA)[1], atol=1e-9)
    assert np.abs(EXACT[1] - EXACT[3]).max() > 0.1  # and three steps under chance are another thing


def all_paths():
    """Every sequence of actions once, as transitions of R = 1: after each step, chance takes both actions as often."""
    transitions = []
    for actions in product((0, 1), repeat=4):
        state = 0
        for action in actions:
            entry = state, action
            fields = (state, action, REWARD[entry], NEXT[entry], END[entry], False)
            transitions.append(Transition(*(np.array([field]) for field in fields)))
            if END[entry]:
                break
            state = NEXT[entry]
    return transitions


PATHS = all_paths()
SETTINGS = {
    "hidden_sizes": (16,),
    "learning_rate": 0.01,
    "gamma": GAMMA,
    "reward_scale": 1.0,
    "replay_capacity": len(PATHS),  # always full of all paths, each once
    "min_replay_size": len(PATHS),
    "target_update_period": 25,
}
OF = {
    "mean": {},
    "categorical": {"num_atoms": 21, "v_min": -2.0, "v_max": 4.0},
    "quantile": {"num_quantiles": 8},
    "uniform": {},
    "proportional": {"importance_sampling_exponent": 1.0},  # anything less is biased where chance has a say
    "rank-based": {"importance_sampling_exponent": 1.0},
    True: {"noisy_sigma": 0.1},
    False: {},
}


@pytest.mark.parametrize(("double", "dueling", "noisy", "distribution", "replay", "n_step"), COMBINATIONS)
def test_learns_the_exact_values(double, dueling, noisy, distribution, replay, n_step):
    agent = make(
        "dqn", Discrete(4), Discrete(2), [7], double=double, dueling=dueling, noisy=noisy, distribution=distribution,
        replay=replay, n_step=n_step, **SETTINGS, **OF[distribution], **OF[replay], **OF[noisy],
    )  # fmt: skip
    for transition in [*PATHS, *(8 * PATHS)[:300]]:
        agent.observe(transition)
    values = agent.q_values(np.arange(4)[None])[0]
    np.testing.assert_allclose(values, EXACT[n_step], atol=0.15)
