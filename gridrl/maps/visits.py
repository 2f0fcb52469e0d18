"""Where an agent's policy spends its time."""

from typing import TYPE_CHECKING, Any

import numpy as np

from gridrl.play import first_episodes
from gridrl_agents.streams import EVALUATION, seed_sequence

if TYPE_CHECKING:
    from gridrl.run import Run

EPSILON = 0.05
NUM_EPISODES = 50
KEY = 2**31 + 1  # apart from the keys of other evaluations


def visits(run: "Run", *, epsilon: float = EPSILON, num_episodes: int = NUM_EPISODES, key: int = KEY) -> np.ndarray:
    """Return how many moments of an episode each run's policy spends on each cell, on average: [R, rows * columns].

    An episode of T steps has T + 1 moments, its start and its end among them. `key` fixes the draws; those of a run
    depend on no other run.
    """
    agent, seeds, level = run.agent, run.config.seeds, run.problem.gridworld.level
    shape = (len(seeds), num_episodes)
    env = run.problem.make_vector(len(seeds) * num_episodes)
    world: Any = env.unwrapped
    env_seeds = [seed_sequence(seed, EVALUATION, key, 1).generate_state(num_episodes).tolist() for seed in seeds]
    obs, _ = env.reset(seed=[seed for of_run in env_seeds for seed in of_run])
    policy = agent.policy(epsilon, stream_key=key)
    count = np.zeros((len(seeds), level.rows * level.columns))

    def count_those(present: np.ndarray) -> None:
        cell = world.get_states().cell.reshape(shape)
        np.add.at(count, (np.nonzero(present)[0], cell[present]), 1)

    count_those(np.ones(shape, dtype=bool))
    for moment in first_episodes(policy, env, obs, shape):
        count_those(moment.played)
    return count / num_episodes
