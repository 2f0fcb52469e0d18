"""n-step SARSA (Sutton & Barto, 2nd ed., section 7.2, equation 7.5)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gridrl_agents.tabular.base import TableStep, TabularAgent
from gridrl_agents.tabular.settings import NStepSarsaSettings

if TYPE_CHECKING:
    from gymnasium import Space


class NStepSarsa(TabularAgent):
    """Q(s, a) <- Q(s, a) + learning_rate * (r1 + gamma r2 + ... + gamma^(n - 1) rn + gamma^n Q(sn, an) - Q(s, a)).

    A step is learned from when the action n steps later is known, and those that still wait for theirs when the episode
    ends: nothing comes after a terminated one; where one is cut, the policy's mean value of the last state stands in.
    The window is a ring: the step that was observed when the episode was `age` steps old is at `age` modulo n.
    """

    def __init__(
        self, observation_space: "Space", action_space: "Space", seeds: Sequence[int], settings: NStepSarsaSettings
    ) -> None:
        super().__init__(observation_space, action_space, seeds, settings)
        self._n_step = settings.n_step
        window = self.num_runs, self._n_step
        self.by_run = {
            "age": np.zeros(self.num_runs, dtype=np.int64),
            "state": np.zeros(window, dtype=np.int64),
            "action": np.zeros(window, dtype=np.int64),
            "return": np.zeros(window),  # of the rewards since, discounted
        }

    def learn(self, step: TableStep) -> np.ndarray:
        """Learn from the steps whose time has come; return their mean |TD error| [R]."""
        kept, n, age = self.by_run, self._n_step, self.by_run["age"]
        errors, counts = np.zeros(self.num_runs), np.zeros(self.num_runs)

        def update(runs: np.ndarray, place: np.ndarray, rest: np.ndarray) -> None:
            entry = runs, kept["state"][runs, place], kept["action"][runs, place]
            errors[runs] += np.abs(self.move(entry, kept["return"][runs, place] + rest))
            counts[runs] += 1

        due = np.flatnonzero(age >= n)
        update(due, age[due] % n, self.gamma**n * self.table[due, step.state[due], step.action[due]])

        # The reward counts for every step in the window, the further back the less; places not yet used are harmless.
        place = age % n
        back = (place[:, None] - np.arange(n)) % n
        kept["state"][self.runs, place] = step.state
        kept["action"][self.runs, place] = step.action
        kept["return"][self.runs, place] = 0.0
        kept["return"] += self.gamma**back * step.reward[:, None]
        age += 1

        ended = np.flatnonzero(step.ended)
        if ended.size:
            value = step.discount[ended] * self.policy_value(ended, step.next_state[ended])
            for left in range(min(n, age[ended].max()), 0, -1):  # steps from the one to be learned to the end
                waits = age[ended] >= left
                runs = ended[waits]
                update(runs, (age[runs] - left) % n, self.gamma ** (left - 1) * value[waits])
            age[ended] = 0
        return np.divide(errors, counts, out=np.full(self.num_runs, np.nan), where=counts > 0)
