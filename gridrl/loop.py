"""The one place that steps environments for learning."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from gymnasium.vector import VectorEnv

from gridrl_agents.base import Agent, Transition


class Step(NamedTuple):
    """One step of every run."""

    transition: Transition  # what happened, [R, ...]
    metrics: dict[str, np.ndarray]  # what the agent says of its learning, each [R]; empty when nothing was learned
    obs: np.ndarray  # what the environments show now, [R, ...]: an ended episode has begun anew


def steps(agent: Agent, env: VectorEnv, obs: np.ndarray) -> Iterator[Step]:
    """Let every run act, observe and learn, for ever; the length is the caller's `islice`.

    `env` holds one environment per run and has autoreset disabled, so that `next_obs` is always the true next
    observation; `obs` [R, ...] is what it shows now.
    """
    while True:
        action = agent.act(obs)
        next_obs, reward, terminated, truncated, _ = env.step(action)
        transition = Transition(obs, action, reward, next_obs, terminated, truncated)
        metrics = agent.observe(transition)
        obs = next_obs
        ended = terminated | truncated
        if np.count_nonzero(ended):
            obs, _ = env.reset(options={"reset_mask": ended})
        yield Step(transition, metrics, obs)
