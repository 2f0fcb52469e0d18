"""What is so: the exact optimal values of a level small enough to be solved, and what is known of the others."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridrl_agents.tabular.planning import value_iteration

if TYPE_CHECKING:
    from gridrl_envs.dynamics import States
    from gridrl_envs.level import Level
    from gridrl_envs.observations import StateIndex

# Best discounted return from the start of dense as given: bounds by gamma, exact at .9 and 1 (levels/dense_plans.json
# holds plans that reach the lower ones).
DENSE_OPTIMUM = {0.9: (433.395, 433.395), 0.95: (895.091, 903.1), 0.99: (2677.741, 2829.5), 1.0: (4100.0, 4100.0)}


class Solution(NamedTuple):
    """The optimal values of every state of a level."""

    state_index: "StateIndex"
    values: np.ndarray  # V* [S]
    q_values: np.ndarray  # Q* [S, A]

    def q_at(self, states: "States") -> np.ndarray:
        """Return Q* of `states`, [N, A]."""
        return self.q_values[self.state_index.encode(states)]

    def start_value(self) -> float:
        """Return V* of the start, the mean over the starts where a level has several."""
        return float(self.values[self.state_index.start_states].mean())


def solve(level: "Level", gamma: float) -> Solution:
    """Return the optimal values of `level`; raises `LevelError` with the number of states if it has too many."""
    from gridrl_envs.dynamics import Dynamics
    from gridrl_envs.model import build_model
    from gridrl_envs.observations import StateIndex

    model = build_model(level)
    values, q_values = value_iteration(model, gamma)
    return Solution(StateIndex(Dynamics(level)), values, q_values)


def optimum(level: "Level", gamma: float) -> tuple[float, float] | None:
    """Return the best possible discounted return from the start, as a lower and an upper bound; None if unknown.

    The step limit is not part of a state, so the bounds of a solved level are those without it.
    """
    from gridrl_envs.level import Level, LevelError

    if level == Level.load("dense"):
        return DENSE_OPTIMUM.get(gamma)
    try:
        value = solve(level, gamma).start_value()
    except LevelError:
        return None
    return value, value


def return_bounds(level: "Level", gamma: float) -> tuple[float, float]:
    """Return a lower and an upper bound on the discounted return from any state of `level`, noise left aside.

    The bound lets the player take the best (or worst) items there are, one on each step from the first on, and end with
    the best (or worst) end; so it holds for every policy, and is not tight.
    """
    rewards, num_coins, num_poisons = level.rewards, len(level.coins), len(level.poisons)
    items = np.repeat([rewards.coin, rewards.poison], [num_coins, num_poisons])
    ends = [0.0, rewards.caught] + [rewards.goal] * bool(level.goals) + [rewards.pit] * bool(level.pits)
    steps = level.max_steps if gamma == 1 else 1 / (1 - gamma)  # a value looks beyond the step limit
    bounds = []
    for sign in (-1.0, 1.0):
        ordered = np.sort(np.maximum(sign * items, 0.0))[::-1]
        best = (ordered * gamma ** np.arange(ordered.size)).sum() + max(sign * end for end in ends)
        bounds.append(sign * float(best + max(sign * rewards.step, 0.0) * steps))
    return bounds[0], bounds[1]
