"""The one place that steps environments without learning: an episode in each, side by side."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from gymnasium.vector import VectorEnv


class Acts(Protocol):
    """What is asked of a policy."""

    def act(self, obs: np.ndarray) -> np.ndarray:
        """Return an action for each observation, int64 [R, E]; `obs` is [R, E, ...]."""

    def reset(self, mask: np.ndarray) -> None:
        """Forget what was seen of the episodes in `mask`, bool [R, E]."""


class Moment(NamedTuple):
    """A step of E episodes of each of R runs; the environments still show what it led to, ends included."""

    obs: np.ndarray  # [R, E, ...], what the step was chosen from
    played: np.ndarray  # bool [R, E], whose episodes had not ended before it
    playing: np.ndarray  # bool [R, E], whose episodes go on; what a consumer sets to False is counted no more
    reward: np.ndarray  # [R, E], 0 where nobody played


def first_episodes(policy: Acts, env: VectorEnv, obs: np.ndarray, shape: tuple[int, int]) -> Iterator[Moment]:
    """Play the first episode in each of `env`'s R * E environments, run 0's first, and yield every step.

    `env` has autoreset disabled and shows `obs` [R * E, ...]; `shape` is (R, E). Environments whose episode has ended
    go on with another one, for company, until all have.
    """
    playing = np.ones(shape, dtype=bool)
    while np.count_nonzero(playing):
        shown, played = obs.reshape(*shape, *obs.shape[1:]), playing.copy()
        action = policy.act(shown)
        obs, reward, terminated, truncated, _ = env.step(action.reshape(-1))
        ended = terminated | truncated
        some_ended = np.count_nonzero(ended)
        if some_ended:
            playing &= ~ended.reshape(shape)
        yield Moment(shown, played, playing, reward.reshape(shape) * played)
        if some_ended:
            policy.reset(ended.reshape(shape))
            obs, _ = env.reset(options={"reset_mask": ended})
