"""On-policy Monte Carlo control (Sutton & Barto, 2nd ed., section 5.4)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gridrl_agents.tabular.arrays import Arrays
from gridrl_agents.tabular.base import TableStep, TabularAgent
from gridrl_agents.tabular.settings import MonteCarloSettings

if TYPE_CHECKING:
    from gymnasium import Space


class MonteCarlo(TabularAgent):
    """Q(s, a) <- Q(s, a) + learning_rate * (G - Q(s, a)) for the steps of an episode, last first, when it has ended.

    G is the return from that step on. Where the episode was cut by a limit, what the policy's mean value of the last
    state says of the rest counts too. Learned from is the first visit of a state and action in the episode, or each.
    """

    def __init__(
        self, observation_space: "Space", action_space: "Space", seeds: Sequence[int], settings: MonteCarloSettings
    ) -> None:
        super().__init__(observation_space, action_space, seeds, settings)
        self._first_only = settings.visits == "first"
        self.by_run["age"] = np.zeros(self.num_runs, dtype=np.int64)
        self.by_step = Arrays(self.num_runs, 64)
        self.by_step.add("state", dtype=np.int64)
        self.by_step.add("action", dtype=np.int64)
        self.by_step.add("reward")

    def learn(self, step: TableStep) -> np.ndarray:
        """Keep the step; learn from the episodes that have ended; return their mean |error| [R]."""
        age, steps = self.by_run["age"], self.by_step
        steps.make_room(int(age.max()) + 1)
        steps["state"][self.runs, age] = step.state
        steps["action"][self.runs, age] = step.action
        steps["reward"][self.runs, age] = step.reward
        age += 1
        error = np.full(self.num_runs, np.nan)
        ended = np.flatnonzero(step.ended)
        if ended.size:
            rest = step.discount[ended] * self.policy_value(ended, step.next_state[ended])
            for run, value in zip(ended.tolist(), rest.tolist(), strict=True):
                error[run] = self._learn_episode(run, value)
            age[ended] = 0
        return error

    def _learn_episode(self, run: int, rest: float) -> float:
        """Learn from an episode of `run` after whose last step there is `rest`; return their mean |error|."""
        length = self.by_run["age"][run]
        state, action, reward = (self.by_step[name][run, :length].tolist() for name in ("state", "action", "reward"))
        visits = list(zip(state, action, strict=True))
        first = {visit: time for time, visit in reversed(list(enumerate(visits)))}
        errors = []
        for time in range(length - 1, -1, -1):
            total = reward[time] + rest
            if first[visits[time]] == time or not self._first_only:
                errors.append(self.move((run, *visits[time]), total))
            rest = self.gamma * total
        return float(np.mean(np.abs(errors)))
