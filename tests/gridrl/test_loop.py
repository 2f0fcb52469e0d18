"""The loop hands every agent what really happened, also where an episode ends."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

import gymnasium
import numpy as np
import pytest

from gridrl.loop import steps
from gridrl.problem import Problem, ProblemSettings
from gridrl_agents.base import Agent, Transition


class Recording(Agent):
    """Acts at random, each run from its own generator, and keeps all that it is told."""

    def __init__(self, seeds: list[int], num_actions: int) -> None:
        self.seeds, self.gamma, self.num_updates = tuple(seeds), 0.9, 0
        self.generators = [np.random.default_rng(seed) for seed in seeds]
        self.num_actions = num_actions
        self.seen: list[np.ndarray] = []
        self.told: list[Transition] = []

    epsilon = 1.0

    def act(self, obs: np.ndarray) -> np.ndarray:
        self.seen.append(obs.copy())
        return np.array([generator.integers(self.num_actions) for generator in self.generators])

    def observe(self, transition: Transition) -> dict[str, np.ndarray]:
        self.told.append(Transition(*(np.copy(part) for part in transition)))
        return {}

    def q_values(self, obs: np.ndarray) -> np.ndarray:
        raise AssertionError("the loop asks for no values")

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


@pytest.mark.parametrize("env_id", ["dense-small-v0", "dense-v0", "CartPole-v1", "FrozenLake-v1"])
def test_transitions_equal_those_of_single_environments_stepped_by_hand(env_id: str) -> None:
    num_steps, seeds = 450, [3, 8]
    problem = Problem(ProblemSettings(env=env_id))
    env = problem.make_vector(2)
    obs, _ = env.reset(seed=list(seeds))
    agent = Recording(seeds, int(problem.action_space.n))
    last = [step.obs for step in islice(steps(agent, env, obs), num_steps)]

    num_ends = 0
    for run, seed in enumerate(seeds):
        single = gymnasium.make(env_id)
        now, _ = single.reset(seed=seed)
        for number, told in enumerate(agent.told):
            np.testing.assert_array_equal(told.obs[run], now)
            np.testing.assert_array_equal(agent.seen[number][run], now)
            now, reward, terminated, truncated, _ = single.step(int(told.action[run]))
            np.testing.assert_array_equal(told.next_obs[run], now, err_msg="the true next observation, also at an end")
            assert told.reward[run] == reward
            assert told.terminated[run] == terminated
            assert told.truncated[run] == truncated
            if terminated or truncated:
                now, _ = single.reset()
                num_ends += 1
            np.testing.assert_array_equal(last[number][run], now)
    assert num_ends > 2
