"""Q-learning (Watkins 1989; Sutton & Barto, 2nd ed., section 6.5)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gridrl_agents.tabular.base import TableStep, TabularAgent
from gridrl_agents.tabular.settings import QLearningSettings

if TYPE_CHECKING:
    from gymnasium import Space


class QLearning(TabularAgent):
    """Q(s, a) <- Q(s, a) + learning_rate * (r + discount * max_b Q(s', b) - Q(s, a)).

    `discount` is gamma, or 0 where s' is the end; a step limit is no end.
    """

    def __init__(
        self, observation_space: "Space", action_space: "Space", seeds: Sequence[int], settings: QLearningSettings
    ) -> None:
        super().__init__(observation_space, action_space, seeds, settings)
        self._learning_rate = settings.learning_rate

    def learn(self, step: TableStep) -> np.ndarray:
        """Move the entry of each run's state and action towards its target; return the TD errors [R]."""
        entry = self._runs, step.state, step.action
        td_target = step.reward + step.discount * self.table[self._runs, step.next_state].max(axis=-1)
        td_error = td_target - self.table[entry]
        self.table[entry] += self._learning_rate * td_error
        return td_error
