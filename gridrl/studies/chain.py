"""Real agents on the chain of equal actions: all that they believe in above zero is overestimation."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pandas

from gridrl.loop import steps
from gridrl.studies.noisy_choice import NoisyChoiceVectorEnv
from gridrl.studies.theory import least_bias
from gridrl_agents.registry import make

TABLES = ("q-learning", "double-q-learning")
NETWORKS = ("dqn", "double-dqn")
DOUBLE_OF = {"q-learning": "double-q-learning", "dqn": "double-dqn"}
NUM_STATES = 5
PERIOD = 50  # steps between two looks at what is believed

# Behaviour is all random, so that every action is tried alike and errors are those of the rewards alone. A small replay
# forgets before its noise averages out; and a target network older than the replay errs otherwise than the online one,
# without which Double DQN has nothing to choose by.
_EXPLORING = {"gamma": 1.0, "epsilon_begin": 1.0, "epsilon_end": 1.0}
LEARNING_RATE = 0.1  # of the tables
SETTINGS: Mapping[str, dict[str, Any]] = {
    **dict.fromkeys(TABLES, _EXPLORING | {"learning_rate": LEARNING_RATE}),
    **dict.fromkeys(
        NETWORKS,
        _EXPLORING
        | {
            "hidden_sizes": (32,),
            "reward_scale": 1.0,
            "replay_capacity": 500,
            "min_replay_size": 100,
            "target_update_period": 1_000,
        },
    ),
}
COLUMNS = ["agent", "num_actions", "reward_std", "seed", "state", "bias", "mean_error", "least_bias"]


def chain_bias(
    agent_name: str, num_actions: int, reward_stds: Sequence[float], seeds: Sequence[int], num_steps: int
) -> pandas.DataFrame:
    """Return what an agent believes in too much, a row for each standard deviation of the reward, seed and state.

    All runs learn in lockstep, a run of each seed at each of `reward_stds`. `bias` is max_a Q(s, a) - V*(s),
    `mean_error` the mean over the actions of Q - Q*, and `least_bias` the least that the former can be above the
    latter (theorem 1), each a mean over the second half of the training.
    """
    stds, all_seeds = np.repeat(reward_stds, len(seeds)), [*seeds] * len(reward_stds)
    env = NoisyChoiceVectorEnv(len(all_seeds), NUM_STATES, num_actions, stds)
    agent = make(agent_name, env.single_observation_space, env.single_action_space, all_seeds, **SETTINGS[agent_name])
    obs, _ = env.reset(seed=all_seeds)
    every_state = np.broadcast_to(np.arange(NUM_STATES), (len(all_seeds), NUM_STATES))
    looks = []
    for number, _ in enumerate(islice(steps(agent, env, obs), num_steps), start=1):
        if 2 * number > num_steps and number % PERIOD == 0:
            q_values = agent.q_values(every_state)
            looks.append([q_values.max(axis=2), q_values.mean(axis=2), least_bias(q_values)])
    means = np.mean(looks, axis=0)  # [3, runs, states]
    return pandas.DataFrame(
        [
            (agent_name, num_actions, std, seed, state, *means[:, run, state])
            for run, (std, seed) in enumerate(zip(stds, all_seeds, strict=True))
            for state in range(NUM_STATES)
        ],
        columns=COLUMNS,
    )
