"""Exact values beside a slow solution from the single environment, one state at a time."""

import functools

import gymnasium
import numpy as np
import pytest

from gridrl.beliefs import on_grid, start_situation
from gridrl.problem import Problem, ProblemSettings
from gridrl.truth import DENSE_OPTIMUM, optimum, return_bounds, solve
from gridrl_envs.dynamics import State, States
from gridrl_envs.level import Level, LevelError

MAP = """
########
#P $ @ #
# #$#  #
#  @  $#
########
"""


def naive_best_return(level: Level, gamma: float, horizon: int) -> float:
    """The best discounted return of `horizon` steps from the start, by trying everything in the single environment."""
    env = gymnasium.make("dense-v0", level=level).unwrapped
    env.reset(seed=0)

    @functools.cache
    def best(state: State, left: int) -> float:
        if left == 0:
            return 0.0
        values = []
        for action in range(4):
            env.reset()
            env.set_state(state._replace(step=0))
            _, reward, terminated, _, _ = env.step(action)
            after = env.get_state()._replace(step=0)
            values.append(reward + (0.0 if terminated else gamma * best(after, left - 1)))
        return max(values)

    return best(env.get_state(), horizon)


def test_value_iteration_beside_exhaustive_search() -> None:
    level, gamma, horizon = Level.from_string(MAP, max_steps=50), 0.5, 22
    found = solve(level, gamma).start_value()
    # What lies beyond the horizon is worth at most gamma^horizon times all three coins.
    assert found == pytest.approx(naive_best_return(level, gamma, horizon), abs=gamma**horizon * 300)


def test_a_corridor_by_hand() -> None:
    level = Level.from_string("#######\n#P @ $#\n#######\n")
    solution = solve(level, 0.9)
    # The only way to the coin leads over the poison: -100 on step 2, +100 on step 4, or stay at home for 0.
    assert solution.start_value() == pytest.approx(0.0, abs=1e-6)
    gentle = solve(level.replace(rewards=type(level.rewards)(poison=-10.0)), 0.9)
    assert gentle.start_value() == pytest.approx(-0.9 * 10 + 0.9**3 * 100, abs=1e-6)


def test_known_bounds_and_unknown_ones() -> None:
    dense = Level.load("dense")
    assert optimum(dense, 0.99) == DENSE_OPTIMUM[0.99]
    assert optimum(dense, 0.98) is None, "too many states, and no plan for this gamma"
    assert optimum(dense.replace(max_steps=100), 0.99) is None, "another level than the one that is known"
    low, high = optimum(Level.load("dense-small"), 0.99)  # type: ignore[misc]
    assert low == high == solve(Level.load("dense-small"), 0.99).start_value()
    with pytest.raises(LevelError, match=r"\d+ states"):
        solve(dense, 0.99)


def test_the_start_situation_and_its_place_on_the_grid() -> None:
    problem = Problem(ProblemSettings(env="dense-small-v0"))
    world = problem.gridworld
    states = start_situation(world)
    assert list(states.cell) == list(world.level.floor)
    for cell, items in zip(states.cell, states.items, strict=True):
        missing = [int(item) for item, left in zip(world.dynamics.item_cells, items, strict=True) if not left]
        assert missing == ([int(cell)] if cell in world.dynamics.item_cells else [])
    q_values = np.arange(4.0 * len(states.cell)).reshape(-1, 4)
    q_values[0] = [5, 7, 7, 1]
    found = on_grid(world, q_values)
    assert np.isnan(found.values).sum() == world.level.rows * world.level.columns - len(world.level.floor)
    first = world.level.floor[0]
    assert found.values[first] == 7
    assert list(found.greedy[first]) == [False, True, True, False]
    assert found.values[world.level.floor[2]] == 11


def test_the_true_map_agrees_with_the_start_value() -> None:
    problem = Problem(ProblemSettings(env="dense-small-v0"))
    solution = solve(problem.level, 0.9)
    found = on_grid(problem.gridworld, solution.q_at(start_situation(problem.gridworld)))
    assert found.values[problem.level.starts[0]] == solution.start_value()
    states = States.of([State(problem.level.starts[0], 0, (True,) * problem.gridworld.dynamics.num_items)])
    assert solution.q_at(states).shape == (1, 4)


def test_return_bounds_by_hand() -> None:
    level = Level.from_string("#########\n#P$@ $ G#\n#########\n", max_steps=3, rewards={"step": -1.0})
    low, high = return_bounds(level, 0.5)
    # Best: both coins on the first two steps, then the goal; worst: the poison at once, and -1 for ever.
    assert high == pytest.approx(100 + 50 + 100)
    assert low == pytest.approx(-100 - 1 / (1 - 0.5))


def test_return_bounds_hold_for_the_optimum_and_its_opposite() -> None:
    level = Level.load("dense-small")
    low, high = return_bounds(level, 0.9)
    values = solve(level, 0.9).values
    assert values.max() <= high
    worst = solve(level.replace(rewards=type(level.rewards)(coin=-100.0, poison=100.0)), 0.9).values
    assert -worst.max() >= low
    assert low < 0 < values.max(), "and they say something"
