"""How a DRQN acts: on what it sees, and on what it remembers of the episode."""

from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from gridrl_agents.base import Policy

if TYPE_CHECKING:
    from gridrl_agents.deep.drqn import DRQN


class RecurrentPolicy(Policy):
    """Epsilon-greedy on a DRQN's values, with a memory of its own for each of its N episodes."""

    remembers = True
    agent: "DRQN"

    def __init__(self, agent: "DRQN", epsilon: float, stream_key: int = 0) -> None:
        super().__init__(agent, epsilon, stream_key)
        self._state: Tensor | None = None

    def act(self, obs: np.ndarray, uniform: np.ndarray | None = None) -> np.ndarray:
        """Return an action for each observation, int64 [R, N]; `obs` is [R, N, ...], the same N each time."""
        obs = np.asarray(obs)
        state = self.agent.fresh_state(obs.shape[1]) if self._state is None else self._state
        q_values, self._state = self.agent.read(obs, state)
        return self._choose(q_values, uniform)

    def reset(self, mask: np.ndarray) -> None:
        """Forget what was seen of the episodes in `mask`, bool [R, N]."""
        if self._state is not None:
            self._state = self.agent.forget(self._state, mask)
