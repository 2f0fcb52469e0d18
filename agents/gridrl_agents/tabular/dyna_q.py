"""Dyna-Q (Sutton 1990; Sutton & Barto, 2nd ed., section 8.2)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from gridrl_agents.base import Translation
from gridrl_agents.exploration import DRAWS, epsilon_greedy
from gridrl_agents.tabular.base import TableStep, TabularAgent
from gridrl_agents.tabular.settings import DynaQSettings

if TYPE_CHECKING:
    from gymnasium import Space


class DynaQ(TabularAgent):
    """Q-learning from each real step, and then from `planning_steps` remembered ones.

    The model is what each action did in each state when last it was tried. A planning step draws a state among those
    in which the run has acted, and one of the actions that it tried there, both evenly.
    """

    of_world = ("visited", "tried", "reward", "discount", "next_state")

    def __init__(
        self, observation_space: "Space", action_space: "Space", seeds: Sequence[int], settings: DynaQSettings
    ) -> None:
        super().__init__(observation_space, action_space, seeds, settings)
        self._planning_steps = settings.planning_steps
        self.by_state.add("visited", dtype=np.int64)  # the first `num_visited` are the rows acted in, as first met
        self.by_state.add("tried", self.num_actions, dtype=bool)
        self.by_state.add("reward", self.num_actions)
        self.by_state.add("discount", self.num_actions)
        self.by_state.add("next_state", self.num_actions, dtype=np.int64)
        self.by_run["num_visited"] = np.zeros(self.num_runs, dtype=np.int64)

    def learn(self, step: TableStep) -> np.ndarray:
        """Learn from a real step, remember it, and plan; return the real step's TD errors [R]."""
        td_error = self._update(step.state, step.action, step.reward, step.discount, step.next_state)
        self._remember(step)
        model = self.by_state
        for _ in range(self._planning_steps):
            state, action = self.draw()
            entry = self.runs, state, action
            self._update(state, action, model["reward"][entry], model["discount"][entry], model["next_state"][entry])
        return td_error

    def draw(self) -> tuple[np.ndarray, np.ndarray]:
        """Return, for a planning step, a state in which each run has acted and an action that it tried there, [R]."""
        uniform = self._streams.uniform(1 + DRAWS)
        state = self.by_state["visited"][self.runs, (uniform[:, 0] * self.by_run["num_visited"]).astype(np.int64)]
        # The greedy choice among "tried" and "not tried", ties at random, is one of those tried.
        return state, epsilon_greedy(self.by_state["tried"][self.runs, state], 0.0, uniform[:, 1:])

    def _update(
        self, state: np.ndarray, action: np.ndarray, reward: np.ndarray, discount: np.ndarray, next_state: np.ndarray
    ) -> np.ndarray:
        td_target = reward + discount * self.best_value(next_state)
        return self.move((self.runs, state, action), td_target)

    def _remember(self, step: TableStep) -> None:
        """Keep in the model what a real step did."""
        model, num_visited = self.by_state, self.by_run["num_visited"]
        new = np.flatnonzero(~model["tried"][self.runs, step.state].any(axis=1))
        model["visited"][new, num_visited[new]] = step.state[new]
        num_visited[new] += 1
        entry = self.runs, step.state, step.action
        model["tried"][entry] = True
        model["reward"][entry], model["discount"][entry] = step.reward, step.discount
        model["next_state"][entry] = step.next_state

    def inherit(self, other: Self, translation: Translation | None = None) -> list[str]:
        """Go on from another table's values and, in the same world, from its model; see `Agent.inherit`."""
        lost = super().inherit(other, translation)
        if translation is None:
            goes_on = self.by_state["discount"] > 0
            self.by_state["discount"][goes_on] = self.gamma
            if other.gamma > 0 or self.gamma == 0:
                return lost
            self._forget()
            return [*lost, "the model was forgotten: with gamma 0 it did not hold what ends an episode."]
        return [*lost, "the model was forgotten: it held the world as it was."]

    def _forget(self) -> None:
        """Make the model empty."""
        for name in self.of_world:
            self.by_state[name][:] = 0
        self.by_run["num_visited"][:] = 0
