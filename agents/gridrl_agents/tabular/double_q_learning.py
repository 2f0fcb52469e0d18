"""Double Q-learning (van Hasselt 2010; Sutton & Barto, 2nd ed., section 6.7)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gridrl_agents.exploration import DRAWS, epsilon_greedy
from gridrl_agents.tabular.base import TableStep, TabularAgent
from gridrl_agents.tabular.settings import RuleSettings

if TYPE_CHECKING:
    from gymnasium import Space


class DoubleQLearning(TabularAgent):
    """Two tables; a coin says which one learns. It chooses the next action, the other one says what that is worth.

    Q1(s, a) <- Q1(s, a) + learning_rate * (r + discount * Q2(s', argmax_b Q1(s', b)) - Q1(s, a)), or the same with the
    two exchanged. `table` is their mean, which has the greedy actions of their sum.
    """

    entry_shape = (2,)

    def __init__(
        self, observation_space: "Space", action_space: "Space", seeds: Sequence[int], settings: RuleSettings
    ) -> None:
        super().__init__(observation_space, action_space, seeds, settings)
        self.by_state.add("both", self.num_actions, 2, fill=settings.initial_value)

    def learn(self, step: TableStep) -> np.ndarray:
        """Move one table's entry of each run's state and action towards its target; return the TD errors [R]."""
        both, next_state = self.by_state["both"], step.next_state
        one, best = self.draw(step)
        entry = self.runs, step.state, step.action, one
        td_target = step.reward + step.discount * both[self.runs, next_state, best, 1 - one]
        td_error = td_target - both[entry]
        both[entry] += self.learning_rate(entry) * td_error
        self.table[entry[:3]] = both[entry[:3]].mean(axis=-1)
        return td_error

    def draw(self, step: TableStep) -> tuple[np.ndarray, np.ndarray]:
        """Return which table learns, 0 or 1, and its greedy next action, ties broken at random; each [R]."""
        uniform = self._streams.uniform(1 + DRAWS)
        one = (uniform[:, 0] < 0.5).astype(np.int64)
        values = self.by_state["both"][self.runs, step.next_state, :, one]
        return one, epsilon_greedy(values, 0.0, uniform[:, 1:])
