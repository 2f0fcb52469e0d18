"""Watkins's Q(lambda) (Watkins 1989; Sutton & Barto, 1st ed., section 7.6, figure 7.14; 2nd ed., section 12.10)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gridrl_agents.tabular.arrays import Arrays
from gridrl_agents.tabular.base import Entry, TableStep, TabularAgent
from gridrl_agents.tabular.settings import QLambdaSettings

if TYPE_CHECKING:
    from gymnasium import Space

LEAST = 1e-16  # a trace below it is none: it could not change a value's last digit


class QLambda(TabularAgent):
    """Q <- Q + learning_rate * (r + discount * max_b Q(s', b) - Q(s, a)) * e, for all entries at once.

    The traces e fade by gamma * lambda with each step, and end where an action was not the greedy one, or the episode.
    A visit adds 1 to its trace, or makes it 1. Only traces that are not zero are kept, in no order, each entry's once.
    """

    def __init__(
        self, observation_space: "Space", action_space: "Space", seeds: Sequence[int], settings: QLambdaSettings
    ) -> None:
        super().__init__(observation_space, action_space, seeds, settings)
        self._fading = settings.gamma * settings.trace_decay
        self._accumulates = settings.traces == "accumulating"
        self.by_step = Arrays(self.num_runs, 32)
        self.by_step.add("state", dtype=np.int64)
        self.by_step.add("action", dtype=np.int64)
        self.by_step.add("trace")

    def learn(self, step: TableStep) -> np.ndarray:
        """Move all entries that have a trace; return the TD errors of the step [R]."""
        values = self.values(step.state)
        estimate = values[self.runs, step.action]
        td_target = step.reward + step.discount * self.best_value(step.next_state)
        td_error = td_target - estimate

        self._visit(step, went_on_greedily=estimate == values.max(axis=-1))
        state, action, trace = (self.by_step[name] for name in ("state", "action", "trace"))
        runs, places = np.nonzero(trace)
        entry = runs, state[runs, places], action[runs, places]
        self.table[entry] += self._rates(step, entry) * td_error[runs] * trace[runs, places]
        trace[step.ended] = 0.0
        return td_error

    def _rates(self, step: TableStep, entry: Entry) -> float | np.ndarray:
        """Return each entry's own learning rate; n is how often it was visited, this time included."""
        rate = self.learning_rate((self.runs, step.state, step.action))
        if np.ndim(rate) == 0:
            return rate
        return self._learning_rate / self.by_state["updates"][entry] ** self._learning_rate_power

    def _visit(self, step: TableStep, went_on_greedily: np.ndarray) -> None:
        """Let the traces fade, cut them in runs whose action was not greedy, and add that of this step."""
        trace = self.by_step["trace"]
        trace *= self._fading * went_on_greedily[:, None]
        trace[trace < LEAST] = 0.0
        same = (self.by_step["state"] == step.state[:, None]) & (self.by_step["action"] == step.action[:, None])
        old = np.where(same, trace, 0.0).sum(axis=1)
        trace[same] = 0.0
        if trace.all(axis=1).any():
            self.by_step.make_room(self.by_step.length + 1)
        free = self.runs, self.by_step["trace"].argmin(axis=1)
        self.by_step["state"][free] = step.state
        self.by_step["action"][free] = step.action
        self.by_step["trace"][free] = 1.0 + old if self._accumulates else 1.0
