"""A chain of states in each of which every action is as good as any other: whatever max_a Q is above zero is bias."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import error, spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from gridrl_agents.streams import ENVIRONMENT, NormalStreams


class NoisyChoiceVectorEnv(VectorEnv[NDArray[Any], NDArray[Any], NDArray[Any]]):
    """`N` chains of `num_states` states, 0 first; every action leads on to the next, and from the last to the end.

    The reward of a step is normally distributed with mean 0 and standard deviation `reward_std`, a number or one for
    each chain, [N]. So Q*(s, a) = V*(s) = 0 at any gamma, and max_a Q(s, a) is the overestimation itself. Episodes are
    begun anew by their owner (autoreset is disabled). The noise of a chain depends on its own seed alone.
    """

    metadata: dict[str, Any] = {"autoreset_mode": AutoresetMode.DISABLED}  # noqa: RUF012

    def __init__(self, num_envs: int, num_states: int, num_actions: int, reward_std: ArrayLike) -> None:
        self.num_envs = num_envs
        self.single_observation_space = spaces.Discrete(num_states)
        self.single_action_space = spaces.Discrete(num_actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._last = num_states - 1
        self._reward_std = np.broadcast_to(np.asarray(reward_std, dtype=np.float64), num_envs)
        self._state = np.zeros(num_envs, dtype=np.int64)
        self._noise: NormalStreams | None = None  # until the first reset

    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.int64], dict[str, Any]]:
        """Begin episodes in all chains, or in those where options={"reset_mask": bool [N]} is True.

        Chain i gets the seed seed + i, or seed[i]; without a seed the streams go on (and begin
        anywhere at the first reset).
        """
        if seed is None and self._noise is None:
            seed = np.random.SeedSequence().generate_state(self.num_envs).tolist()
        if seed is not None:
            seeds = range(seed, seed + self.num_envs) if isinstance(seed, int) else seed
            self._noise = NormalStreams(seeds, ENVIRONMENT)
        self._state[(options or {}).get("reset_mask", slice(None))] = 0
        return self._state.copy(), {}

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Go on by one state in each chain; what is observed after the last state is that state once more.

        Raises `gymnasium.error.ResetNeeded` before the first reset.
        """
        if self._noise is None:
            raise error.ResetNeeded("expected reset() before anything else, got step(); call reset() first")
        reward = self._reward_std * self._noise.normal(1)[:, 0]
        terminated = self._state == self._last
        self._state = np.minimum(self._state + 1, self._last)
        return self._state.copy(), reward, terminated, np.zeros(self.num_envs, dtype=bool), {}
