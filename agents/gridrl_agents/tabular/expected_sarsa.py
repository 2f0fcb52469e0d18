"""Expected SARSA (van Seijen et al. 2009; Sutton & Barto, 2nd ed., section 6.6, equation 6.9)."""

import numpy as np

from gridrl_agents.tabular.base import TableStep, TabularAgent


class ExpectedSarsa(TabularAgent):
    """Q(s, a) <- Q(s, a) + learning_rate * (r + discount * sum_b pi(b | s') Q(s', b) - Q(s, a)).

    pi is the epsilon-greedy policy that the agent follows.
    """

    def learn(self, step: TableStep) -> np.ndarray:
        """Move the entry of each run's state and action towards its target; return the TD errors [R]."""
        td_target = step.reward + step.discount * self.policy_value(self.runs, step.next_state)
        return self.move((self.runs, step.state, step.action), td_target)
