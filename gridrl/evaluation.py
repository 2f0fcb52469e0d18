"""How good a policy is: episodes played without learning."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridrl.play import first_episodes
from gridrl.problem import Problem
from gridrl.truth.loops import LoopFinder, can_loop
from gridrl_agents.base import Agent
from gridrl_agents.streams import EVALUATION, seed_sequence

if TYPE_CHECKING:
    from gridrl_envs.vector import GridworldVectorEnv

TUTORIAL_EPSILON = 0.05  # the tutorial evaluates with this much exploration


class Episodes(NamedTuple):
    """What each episode of each run earned, and where it went round in circles; each [R, E]."""

    undiscounted: np.ndarray
    discounted: np.ndarray
    length: np.ndarray
    loop_length: np.ndarray  # int, steps of the circle that it ended in; 0: none that is known
    loop_begin: np.ndarray  # int, the step at which it entered the circle ...
    loop_cell: np.ndarray  # int, ... and the cell, flat
    loop_num_cells: np.ndarray  # int, different cells of the circle; steps may be more, as patrollers come round late


class Evaluator:
    """Plays `episodes` episodes of each run side by side, in environments of its own that it keeps.

    A greedy policy that comes back to a state of a gridworld without chance goes round in that circle until the step
    limit. It is not watched doing so: what it earns there is added up from the first round.
    """

    def __init__(self, problem: Problem, seeds: list[int], episodes: int) -> None:
        from gridrl_envs.vector import GridworldVectorEnv

        self.seeds = seeds
        self.shape = (len(seeds), episodes)
        self.env = problem.make_vector(len(seeds) * episodes)
        world = self.env.unwrapped
        self._world = world if isinstance(world, GridworldVectorEnv) and _is_certain(world) else None
        self.finds_loops = self._world is not None and problem.is_deterministic

    def play(self, agent: Agent, epsilon: float, key: int) -> Episodes:
        """Return what the agent's policy earns; `key` (the step, say) fixes the draws. Nothing of the agent changes.

        The draws of a run depend on its own seed and on `key` alone: not on the other runs, nor on earlier calls.
        """
        policy = agent.policy(epsilon, stream_key=key)
        obs, _ = self.env.reset(seed=self._env_seeds(key))
        episodes = Episodes(*(np.zeros(self.shape, dtype=kind) for kind in (float, float, *[np.int64] * 5)))
        world = self._world if epsilon == 0 else None
        finder = LoopFinder(world.dynamics, world.get_states()) if world is not None else None
        rewards: list[np.ndarray] = []
        weight = 1.0
        for moment in first_episodes(policy, self.env, obs, self.shape):
            rewards.append(moment.reward)
            _count(episodes, moment.reward, weight, moment.played)
            weight *= agent.gamma
            if world is not None and finder is not None:
                states = world.get_states()
                certain = np.broadcast_to(policy.certain, self.shape).ravel()
                begin = finder.step(states, certain).reshape(self.shape)
                circling = (begin >= 0) & moment.playing
                episodes.loop_length[circling] = len(rewards) - begin[circling]
                episodes.loop_begin[circling] = begin[circling]
                episodes.loop_cell[circling] = states.cell.reshape(self.shape)[circling]
                episodes.loop_num_cells[circling] = [
                    finder.num_cells(int(course), int(begin.flat[course])) for course in np.flatnonzero(circling)
                ]
                moment.playing[circling] = False
        if world is not None:
            _go_round(episodes, np.array(rewards), agent.gamma, world.level.max_steps)
        return episodes

    def max_q_start(self, agent: Agent, key: int) -> np.ndarray:
        """Return max_a Q(start, a) of each run, [R], as a mean over the episodes' starts."""
        obs, _ = self.env.reset(seed=self._env_seeds(key))
        return agent.q_values(obs.reshape(*self.shape, *obs.shape[1:])).max(axis=2).mean(axis=1)

    def _env_seeds(self, key: int) -> list[int | None]:
        seeds: list[int | None] = []
        for seed in self.seeds:
            seeds += seed_sequence(seed, EVALUATION, key, 1).generate_state(self.shape[1]).tolist()
        return seeds


def _is_certain(world: "GridworldVectorEnv") -> bool:
    """Say whether the same action in the same state always leads to the same state and reward."""
    return can_loop(world.dynamics) and world.level.reward_noise == 0


def _count(episodes: Episodes, reward: np.ndarray, weight: float, playing: np.ndarray) -> None:
    """Add a step of those that are `playing`, bool [R, E]."""
    episodes.undiscounted[...] += reward
    episodes.discounted[...] += weight * reward
    episodes.length[...] += playing


def _go_round(episodes: Episodes, rewards: np.ndarray, gamma: float, max_steps: int) -> None:
    """Add the steps up to the limit of those that go round in circles, one by one, to the last bit as if played.

    `rewards` [T, R, E] are those of the steps that were played.
    """
    circles, length = episodes.loop_length > 0, np.maximum(episodes.loop_length, 1)
    weights = np.cumprod([1.0] + [gamma] * max_steps)
    for step in range(max_steps if circles.any() else 0):
        goes_round = circles & (step >= episodes.loop_begin + length)
        first_time = episodes.loop_begin + (step - episodes.loop_begin) % length
        reward = np.take_along_axis(rewards, first_time[None], axis=0)[0]
        _count(episodes, reward * goes_round, weights[step], goes_round)
