"""Real agents on a level that can be solved: what they believe of the states they visit, beside V*."""

from itertools import islice
from typing import Any

import numpy as np
import pandas

from gridrl.loop import steps
from gridrl.problem import Problem, ProblemSettings
from gridrl.studies.chain import NETWORKS, TABLES
from gridrl.truth.solution import solve
from gridrl_agents.registry import make, prefers_state
from gridrl_envs.vector import GridworldVectorEnv

# dense-small with one coin and one poison: 80 states, all of them visited often by behaviour that is all random.
ENV, COINS = "dense-small-v0", 1
GAMMA = 0.9
PERIOD = 10  # steps between two looks at what is believed
_EXPLORING = {"gamma": GAMMA, "epsilon_begin": 1.0, "epsilon_end": 1.0}
SETTINGS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(TABLES, _EXPLORING | {"learning_rate": 0.5}),
    **dict.fromkeys(
        NETWORKS,
        _EXPLORING
        | {"hidden_sizes": (64,), "replay_capacity": 500, "min_replay_size": 100, "target_update_period": 300},
    ),
}
COLUMNS = ["agent", "dial", "amount", "seed", "bias", "true_value"]


def level_bias(agent_name: str, dial: str, amount: float, seeds: list[int], num_steps: int) -> pandas.DataFrame:
    """Return what an agent believes in too much where `dial`, "reward_noise" or "slip", is set to `amount`.

    A row for each seed: `bias`, max_a Q(s, a) - V*(s), and `true_value`, V*(s), means over the states visited in the
    second half of the training, each as it was visited.
    """
    settings = ProblemSettings(env=ENV, coins=COINS, **{dial: amount})  # type: ignore[arg-type]
    problem = Problem(settings, prefer_state=prefers_state(agent_name))
    solution = solve(problem.level, GAMMA)
    agent = make(
        agent_name,
        problem.observation_space,
        problem.action_space,
        seeds,
        observation_support=problem.observation_support,
        **SETTINGS[agent_name],
    )
    env = problem.make_vector(len(seeds))
    world = env.unwrapped
    assert isinstance(world, GridworldVectorEnv)
    obs, _ = env.reset(seed=list(seeds))
    looks = []
    for number, step in enumerate(islice(steps(agent, env, obs), num_steps), start=1):
        if 2 * number > num_steps and number % PERIOD == 0:
            true_value = solution.values[solution.state_index.encode(world.get_states())]
            believed = agent.q_values(step.obs[:, None]).max(axis=2)[:, 0]
            looks.append([believed - true_value, true_value])
    bias, true_value = np.mean(looks, axis=0)
    rows = [(agent_name, dial, amount, *row) for row in zip(seeds, bias, true_value, strict=True)]
    return pandas.DataFrame(rows, columns=COLUMNS)
