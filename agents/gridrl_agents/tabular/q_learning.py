"""Q-learning (Watkins 1989; Sutton & Barto, 2nd ed., section 6.5)."""

import numpy as np

from gridrl_agents.tabular.base import TableStep, TabularAgent


class QLearning(TabularAgent):
    """Q(s, a) <- Q(s, a) + learning_rate * (r + discount * max_b Q(s', b) - Q(s, a)).

    `discount` is gamma, or 0 where s' is the end; a step limit is no end.
    """

    def learn(self, step: TableStep) -> np.ndarray:
        """Move the entry of each run's state and action towards its target; return the TD errors [R]."""
        td_target = step.reward + step.discount * self.best_value(step.next_state)
        return self.move((self.runs, step.state, step.action), td_target)
