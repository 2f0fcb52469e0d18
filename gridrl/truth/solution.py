"""What is so: the exact optimal values of a level small enough to be solved, and what is known of the others."""

import json
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridrl.truth.optimal_play import play

if TYPE_CHECKING:
    from gridrl_envs.dynamics import States
    from gridrl_envs.level import Level
    from gridrl_envs.observations import StateIndex

# Best discounted return from the start of dense as given: bounds by gamma, exact at .9 and 1 (levels/dense_plans.json
# holds plans that reach the lower ones).
DENSE_OPTIMUM = {0.9: (433.395, 433.395), 0.95: (895.091, 903.1), 0.99: (2677.741, 2829.5), 1.0: (4100.0, 4100.0)}

# Two optimal actions differ by rounding and by what value iteration leaves (planning.py: at most 1e-9 each).
TIE = 2e-9
# At gamma 1 nothing is lost by waiting, even for ever. So among the actions that are optimal there, the one played is
# the best at a discount that makes waiting cost a millionth a step: enough to prefer the sooner of two equal returns,
# too little to prefer a lesser one.
ALMOST_1 = 1 - 1e-6


class Solution(NamedTuple):
    """The optimal values of every state of a level, without its step limit; with reward noise, of the mean reward."""

    level: "Level"
    gamma: float
    state_index: "StateIndex"
    values: np.ndarray  # V* [S]
    q_values: np.ndarray  # Q* [S, A]
    num_sweeps: int  # of value iteration
    actions: np.ndarray  # [S], the optimal action that is played; at gamma 1, too, it puts off nothing for ever

    @property
    def policy(self) -> np.ndarray:
        """All optimal actions, bool [S, A]: equal to the best but for the solver's error (`TIE`)."""
        return optimal(self.q_values)

    def q_at(self, states: "States") -> np.ndarray:
        """Return Q* of `states`, [N, A]."""
        return self.q_values[self.state_index.encode(states)]

    def start_value(self) -> float:
        """Return V* of the start, the mean over the starts where a level has several."""
        return float(self.values[self.state_index.start_states].mean())


def solve(level: "Level", gamma: float) -> Solution:
    """Return the optimal values of `level`.

    Raises `LevelError` with the number of states if it has too many, and where at gamma 1 there is no best return.
    """
    from gridrl_agents.tabular.planning import value_iteration  # scipy takes a while to import
    from gridrl_envs.dynamics import Dynamics
    from gridrl_envs.level import LevelError
    from gridrl_envs.model import build_model
    from gridrl_envs.observations import StateIndex

    if gamma == 1 and level.rewards.step > 0:
        raise LevelError(
            f"each step earns {level.rewards.step:g}, so that at gamma 1 it is best never to end; use a gamma below 1",
            f"level '{level.name}'",
        )
    model = build_model(level)
    found = value_iteration(model, gamma)
    played = found.q_values
    if gamma == 1:
        played = np.where(optimal(found.q_values), value_iteration(model, ALMOST_1).q_values, -np.inf)
    return Solution(level, gamma, StateIndex(Dynamics(level)), *found, played.argmax(axis=1))


def optimal(q_values: np.ndarray) -> np.ndarray:
    """Return which actions are optimal by `q_values` [..., A], bool; equal but for the solver's error is a tie."""
    best = q_values.max(axis=-1, keepdims=True)
    return q_values >= best - TIE - 1e-12 * np.abs(best)


def optimal_path(solution: Solution, generator: np.random.Generator | None = None, num_plays: int = 4) -> "States":
    """Return the states in which an optimal policy acts, from each start on, in the order of time.

    With slip, those of `num_plays` episodes from each start, drawn by `generator` (needed there alone). A state may
    come more than once.
    """
    index = solution.state_index
    starts = np.tile(index.start_states, num_plays) if solution.level.slip > 0 else index.start_states
    return play(solution, index.decode(starts), generator).states


def best_known_path(
    level: "Level", gamma: float, generator: np.random.Generator | None = None
) -> "tuple[States, bool] | None":
    """Return the states of the best path known from the start, and whether it is proven optimal; None if unknown.

    `optimal_path` of a level that can be solved; for dense as given, at the gammas of `DENSE_OPTIMUM`, the best plan in
    levels/dense_plans.json. `generator` as in `optimal_path`.
    """
    from gridrl_envs.dynamics import Dynamics, States
    from gridrl_envs.level import Level, LevelError

    if level != Level.load("dense"):
        try:
            return optimal_path(solve(level, gamma), generator), True
        except LevelError:
            return None
    if gamma not in DENSE_OPTIMUM:
        return None
    dynamics = Dynamics(level)
    states, path = dynamics.reset(1), []
    for action in _dense_plan(gamma):
        path.append(states.one(0))
        states = dynamics.step(states, np.array([int(action)]))[0]
    low, high = DENSE_OPTIMUM[gamma]
    return States.of(path), low == high


def _dense_plan(gamma: float) -> str:
    """Return the actions of the best known plan for dense; at gamma 1, where all three earn the same, the shortest."""
    text = (resources.files("gridrl_envs") / "levels" / "dense_plans.json").read_text(encoding="utf-8")
    plans = json.loads(text)["plans"]
    plan = min(plans.values(), key=lambda plan: plan["num_steps"]) if gamma == 1 else plans[f"{gamma:g}"]
    actions: str = plan["actions"]
    return actions


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
