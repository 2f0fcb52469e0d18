"""How good a policy is: episodes played without learning."""

from collections.abc import Generator, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from gridrl.circles import Circles
from gridrl.play import first_episodes
from gridrl.problem import Problem
from gridrl.truth.loops import can_loop
from gridrl_agents.base import Agent
from gridrl_agents.exploration import DRAWS
from gridrl_agents.streams import BLOCK, EVALUATION, Streams, seed_sequence

if TYPE_CHECKING:
    from gridrl_envs.vector import GridworldVectorEnv

T = TypeVar("T")
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

    Several numbers are groups of episodes, each with an epsilon of its own, and all of them are played side by side: a
    step costs little more for many episodes than for one.

    A greedy policy that comes back to a state of a gridworld without chance goes round in that circle until the step
    limit. It is not watched doing so: what it earns there is added up from the first round.
    """

    def __init__(self, problem: Problem, seeds: list[int], *episodes: int) -> None:
        from gridrl_envs.vector import GridworldVectorEnv

        self.seeds = seeds
        self.shape = (len(seeds), sum(episodes))
        self._sizes = episodes
        self._groups = [slice(begin, end) for begin, end in pairwise(np.cumsum([0, *episodes]).tolist())]
        self.env = problem.make_vector(len(seeds) * sum(episodes))
        world = self.env.unwrapped
        self._world = world if isinstance(world, GridworldVectorEnv) and _is_certain(world) else None
        self.finds_loops = self._world is not None and problem.is_deterministic

    def play(self, agent: Agent, epsilon: float, key: int) -> Episodes:
        """Return what the agent's policy earns; `key` (the step, say) fixes the draws. Nothing of the agent changes.

        The draws of a run depend on its own seed and on `key` alone: not on the other runs, nor on earlier calls.
        """
        (episodes,) = self.play_groups(agent, [epsilon], key)
        return episodes

    def play_groups(self, agent: Agent, epsilons: Sequence[float], key: int) -> list[Episodes]:
        """Return for each group, with its own epsilon, what it would earn as the only one; see `play`."""
        return finish(self.playing(agent, epsilons, key))

    def playing(self, agent: Agent, epsilons: Sequence[float], key: int) -> Generator[None, None, list[Episodes]]:
        """Do what `play_groups` does, and pause after each step of all episodes; the agent must not learn meanwhile."""
        epsilon = np.repeat(np.asarray(epsilons, dtype=float), self._sizes)
        policy = _Explorer(agent, epsilon, self._sizes, self.env.single_action_space.n, key)  # type: ignore[attr-defined]
        obs, _ = self.env.reset(seed=self._env_seeds(key))
        circles = None if self._world is None else Circles(self._world, self.shape, epsilon == 0)
        rewards, played = [], []
        for moment in first_episodes(policy, self.env, obs, self.shape):
            rewards.append(moment.reward)
            played.append(moment.played)
            if circles is not None:
                circles.step(policy, moment.playing)
            yield
        earned, length = np.array(rewards), np.sum(played, axis=0)
        if circles is not None:
            earned, length = circles.go_round(earned, length)
        weight = np.cumprod([1.0] + [agent.gamma] * (len(earned) - 1))[:, None, None]
        loops = [np.zeros_like(length)] * 4 if circles is None else circles.found
        together = Episodes(_total(earned), _total(weight * earned), length, *loops)
        return [Episodes(*(value[:, group] for value in together)) for group in self._groups]

    def max_q_start(self, agent: Agent, key: int) -> np.ndarray:
        """Return max_a Q(start, a) of each run, [R], as a mean over the starts of the last group's episodes."""
        obs, _ = self.env.reset(seed=self._env_seeds(key))
        starts = obs.reshape(*self.shape, *obs.shape[1:])[:, self._groups[-1]]
        return agent.q_values(starts).max(axis=2).mean(axis=1)

    def _env_seeds(self, key: int) -> list[int | None]:
        seeds: list[int | None] = []
        for seed in self.seeds:
            sequence = seed_sequence(seed, EVALUATION, key, 1)
            seeds += [number for size in self._sizes for number in sequence.generate_state(size).tolist()]
        return seeds


def finish(work: Generator[None, None, T]) -> T:
    """Return what work that pauses now and then comes to."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


class _Explorer:
    """An agent's greedy policy, but for the exploring steps: each episode has its epsilon, each group its own draws."""

    def __init__(self, agent: Agent, epsilon: np.ndarray, sizes: Sequence[int], num_actions: int, key: int) -> None:
        self._policy = agent.policy(0.0, stream_key=key)
        self._epsilon = epsilon  # [E]
        self._draws = [_draws(Streams(agent.seeds, EVALUATION, key), agent.num_runs, size) for size in sizes]
        self._num_actions = num_actions

    @property
    def certain(self) -> np.ndarray:
        """Whether the policy would choose the latest action again, bool [R, E]; exploring steps are not looked at."""
        return self._policy.certain

    def act(self, obs: np.ndarray) -> np.ndarray:
        """Return an action for each observation, int64 [R, E]; `obs` is [R, E, ...]."""
        uniform = np.concatenate([next(draws) for draws in self._draws], axis=1)
        action = self._policy.act(obs, uniform)
        explores = uniform[..., 0] < self._epsilon
        if np.count_nonzero(explores):
            action[explores] = uniform[explores, 1] * self._num_actions
        return action

    def reset(self, mask: np.ndarray) -> None:
        """Forget what was seen of the episodes in `mask`, bool [R, E]."""
        self._policy.reset(mask)


def _draws(streams: Streams, num_runs: int, size: int) -> Iterator[np.ndarray]:
    """Yield the numbers of each step of a group of `size` episodes, [R, size, DRAWS]."""
    steps = max(BLOCK // (DRAWS * size), 1)  # as many as a block of the streams has numbers for
    while True:
        yield from streams.uniform(steps * DRAWS * size).reshape(num_runs, steps, size, DRAWS).swapaxes(0, 1)


def _is_certain(world: "GridworldVectorEnv") -> bool:
    """Say whether the same action in the same state always leads to the same state and reward."""
    return can_loop(world.dynamics) and world.level.reward_noise == 0


def _total(earned: np.ndarray) -> np.ndarray:
    """Return the sum over the steps of [T, R, E], added one by one, so that it depends on no other episode."""
    return np.add.accumulate(earned, axis=0)[-1]
