"""A ladder of tiny problems, each of which can fail for one reason; every recipe climbs every rung.

1 a constant value; 2 a value read from the observation; 3 one step of discount; 4 a choice of action; 5 a choice by
what is observed; and last a step limit that is no end.
"""

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from gridrl_agents.base import Transition
from gridrl_agents.deep.recipes import RECIPES
from gridrl_agents.registry import make

SPACE, GAMMA = Box(-1, 1, (1,), np.float32), 0.9
SETTINGS = {
    "hidden_sizes": (24,),
    "gamma": GAMMA,
    "learning_rate": 0.01,
    "min_replay_size": 64,
    "replay_capacity": 2000,
    "target_update_period": 20,
}


def agent_for(name, num_actions, **settings):
    """Two runs; a support that holds every value here; little initial noise, lest 300 updates be too few to undo it."""
    if name in ("c51", "rainbow"):
        settings = {"v_min": -2.0, "v_max": 4.0, **settings}
    if name in ("noisy-dqn", "rainbow"):
        settings = {"noisy_sigma": 0.1, **settings}
    return make(name, SPACE, Discrete(num_actions), [0, 1], **{"reward_scale": 1.0, **SETTINGS, **settings})


def feed(agent, obs, action, reward, next_obs=None, terminated=True, truncated=False):
    def column(value, dtype=None):
        return np.broadcast_to(np.asarray(value, dtype=dtype), 2).copy()

    obs, next_obs = (np.array(x, dtype=np.float32).reshape(-1, 1) * np.ones((2, 1), np.float32)
                     for x in (obs, obs if next_obs is None else next_obs))  # fmt: skip
    agent.observe(
        Transition(obs, column(action), column(reward, float), next_obs, column(terminated), column(truncated))
    )


def values(agent, *observations):
    """Return [R, N, A]."""
    return agent.q_values(np.tile(np.array(observations, dtype=np.float32)[None, :, None], (2, 1, 1)))


@pytest.fixture(params=RECIPES)
def name(request):
    return request.param


def test_a_constant_value(name):
    agent = agent_for(name, 1)
    for _ in range(64 + 250):
        feed(agent, 0.0, 0, 1.0)
    np.testing.assert_allclose(values(agent, 0.0), 1.0, atol=0.1)


def test_a_value_from_the_observation(name):
    agent = agent_for(name, 1)
    for step in range(64 + 250):
        sign = 1.0 if step % 2 else -1.0
        feed(agent, sign, 0, sign)
    np.testing.assert_allclose(values(agent, -1.0, 1.0)[..., 0], [[-1.0, 1.0]] * 2, atol=0.1)


def test_one_step_of_discount(name):
    """-1 leads to 1 for nothing, and there 1 is paid: the former is worth gamma."""
    agent = agent_for(name, 1)
    for step in range(64 + 300):
        if step % 2:
            feed(agent, 1.0, 0, 1.0)
        else:
            feed(agent, -1.0, 0, 0.0, next_obs=1.0, terminated=False)
    np.testing.assert_allclose(values(agent, -1.0, 1.0)[..., 0], [[GAMMA, 1.0]] * 2, atol=0.1)


def test_a_choice_of_action(name):
    """Acts itself, at least at first by chance or by noise, and comes to take the better action."""
    agent = agent_for(name, 2, **({} if RECIPES[name].settings().noisy else {"epsilon_decay_steps": 200}))
    for _ in range(64 + 250):
        action = agent.act(np.zeros((2, 1), dtype=np.float32))
        feed(agent, 0.0, action, np.where(action == 1, 1.0, -1.0))
    np.testing.assert_array_equal(values(agent, 0.0).argmax(axis=2), [[1], [1]])
    np.testing.assert_allclose(values(agent, 0.0)[..., 1], 1.0, atol=0.1)


def test_a_choice_by_observation(name):
    """At -1 action 0 pays, at 1 action 1."""
    agent = agent_for(name, 2)
    rng = np.random.default_rng(0)
    for step in range(64 + 300):
        sign, action = 1.0 if step % 2 else -1.0, rng.integers(2, size=2)
        feed(agent, sign, action, np.where(action == (sign > 0), 1.0, -1.0))
    np.testing.assert_allclose(values(agent, -1.0, 1.0), [[[1, -1], [-1, 1]]] * 2, atol=0.15)


def test_a_step_limit_is_no_end(name):
    """Reward 1 for ever, cut after 10 steps: 1 / (1 - .9) = 10; a cut taken for an end gives 5.26.

    A hard copy every 10 updates leaves .9 of what is missing (.73 with 3 steps): 1 % of it after 50 copies. Adam's
    jitter is .003 a step, in units of .1: .5 holds both. Noise in the targets adds up tenfold when each value is made
    from the one before: over seeds, a noisy agent's values spread by .2, and 1 is five times that.
    """
    support = {"v_min": -5.0, "v_max": 20.0} if name in ("c51", "rainbow") else {}
    noise = {"noisy_sigma": 0.05} if RECIPES[name].settings().noisy else {}
    agent = agent_for(name, 1, reward_scale=0.1, learning_rate=0.003, target_update_period=10, **support, **noise)
    for step in range(64 + 500):
        feed(agent, 0.0, 0, 1.0, terminated=False, truncated=step % 10 == 9)
    np.testing.assert_allclose(values(agent, 0.0), 10.0, atol=1.0 if noise else 0.5)
