"""SARSA (Rummery & Niranjan 1994; Sutton & Barto, 2nd ed., section 6.4, equation 6.7)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gridrl_agents.tabular.base import TableStep, TabularAgent
from gridrl_agents.tabular.settings import RuleSettings

if TYPE_CHECKING:
    from gymnasium import Space


class Sarsa(TabularAgent):
    """Q(s, a) <- Q(s, a) + learning_rate * (r + gamma * Q(s', a') - Q(s, a)), a' being the action taken in s'.

    So a step is learned from one step later, when a' is known; or at once, when the episode ends with it: nothing comes
    after a terminated one; where one is cut by a limit, nobody acts in s', and the policy's mean value stands in.
    """

    def __init__(
        self, observation_space: "Space", action_space: "Space", seeds: Sequence[int], settings: RuleSettings
    ) -> None:
        super().__init__(observation_space, action_space, seeds, settings)
        self.by_run = {
            "waits": np.zeros(self.num_runs, dtype=bool),  # the step before this one, for its next action
            "state": np.zeros(self.num_runs, dtype=np.int64),
            "action": np.zeros(self.num_runs, dtype=np.int64),
            "reward": np.zeros(self.num_runs),
        }

    def learn(self, step: TableStep) -> np.ndarray:
        """Learn from the steps whose next action is known or that have none; return their mean |TD error| [R]."""
        errors, counts = np.zeros(self.num_runs), np.zeros(self.num_runs)

        before, runs = self.by_run, np.flatnonzero(self.by_run["waits"])
        td_target = before["reward"][runs] + self.gamma * self.table[runs, step.state[runs], step.action[runs]]
        errors[runs] += np.abs(self.move((runs, before["state"][runs], before["action"][runs]), td_target))
        counts[runs] += 1

        runs = np.flatnonzero(step.ended)
        if runs.size:
            rest = step.discount[runs] * self.policy_value(runs, step.next_state[runs])
            errors[runs] += np.abs(self.move((runs, step.state[runs], step.action[runs]), step.reward[runs] + rest))
            counts[runs] += 1

        before["waits"][:], before["state"][:] = ~step.ended, step.state
        before["action"][:], before["reward"][:] = step.action, step.reward
        return np.divide(errors, counts, out=np.full(self.num_runs, np.nan), where=counts > 0)
