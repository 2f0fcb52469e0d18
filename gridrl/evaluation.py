"""How good a policy is: episodes played without learning."""

from typing import NamedTuple

import numpy as np

from gridrl.problem import Problem
from gridrl_agents.base import Agent
from gridrl_agents.streams import EVALUATION, seed_sequence

TUTORIAL_EPSILON = 0.05  # the tutorial evaluates with this much exploration


class Returns(NamedTuple):
    """What each episode of each run earned, [R, E]."""

    undiscounted: np.ndarray
    discounted: np.ndarray
    length: np.ndarray


class Evaluator:
    """Plays `episodes` episodes of each run side by side, in environments of its own that it keeps."""

    def __init__(self, problem: Problem, seeds: list[int], episodes: int) -> None:
        self.seeds = seeds
        self.shape = (len(seeds), episodes)
        self.env = problem.make_vector(len(seeds) * episodes)

    def play(self, agent: Agent, epsilon: float, key: int) -> Returns:
        """Return what the agent's policy earns; `key` (the step, say) fixes the draws. Nothing of the agent changes.

        The draws of a run depend on its own seed and on `key` alone: not on the other runs, nor on earlier calls.
        """
        policy = agent.policy(epsilon, stream_key=key)
        obs, _ = self.env.reset(seed=self._env_seeds(key))
        undiscounted, discounted = np.zeros(self.shape), np.zeros(self.shape)
        length = np.zeros(self.shape, dtype=np.int64)
        playing = np.ones(self.shape, dtype=bool)
        weight = 1.0
        while playing.any():
            action = policy.act(obs.reshape(*self.shape, *obs.shape[1:]))
            obs, reward, terminated, truncated, _ = self.env.step(action.reshape(-1))
            reward = reward.reshape(self.shape) * playing
            undiscounted += reward
            discounted += weight * reward
            length += playing
            weight *= agent.gamma
            ended = terminated | truncated
            if ended.any():  # these begin anew and are no longer counted
                playing &= ~ended.reshape(self.shape)
                policy.reset(ended.reshape(self.shape))
                obs, _ = self.env.reset(options={"reset_mask": ended})
        return Returns(undiscounted, discounted, length)

    def max_q_start(self, agent: Agent, key: int) -> np.ndarray:
        """Return max_a Q(start, a) of each run, [R], as a mean over the episodes' starts."""
        obs, _ = self.env.reset(seed=self._env_seeds(key))
        return agent.q_values(obs.reshape(*self.shape, *obs.shape[1:])).max(axis=2).mean(axis=1)

    def _env_seeds(self, key: int) -> list[int | None]:
        seeds: list[int | None] = []
        for seed in self.seeds:
            seeds += seed_sequence(seed, EVALUATION, key, 1).generate_state(self.shape[1]).tolist()
        return seeds
