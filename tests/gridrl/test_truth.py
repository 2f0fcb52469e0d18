"""Exact values beside a slow solution from the single environment, one state at a time."""

import functools

import gymnasium
import numpy as np
import pytest

from gridrl.maps.beliefs import on_grid, start_situation
from gridrl.problem import Problem, ProblemSettings
from gridrl.truth.solution import DENSE_OPTIMUM, best_known_path, optimal, optimum, return_bounds, solve
from gridrl_envs.dynamics import Dynamics, State, States
from gridrl_envs.level import Level, LevelError
from gridrl_envs.observations import MAX_STATES, StateIndex

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


def test_all_optimal_actions_by_hand() -> None:
    # Two ways of equal length to the coin, and from the corner beside it one; in the last state all is over.
    solution = solve(Level.from_string("####\n#P #\n# $#\n####"), 0.9)
    level, policy = solution.level, solution.policy
    masks = {cell: policy[solution.state_index.encode(States.of([State(cell, 0, (True,))]))][0] for cell in level.floor}
    assert [list(masks[cell]) for cell in level.floor[:3]] == [
        [False, True, False, True],
        [False, True, False, False],
        [False, False, False, True],
    ]
    assert policy[np.arange(len(policy)), solution.actions].all()
    near = np.array([[1.0, 1.0 - 1e-10, 1.0 - 1e-6, 0.0], [np.nan] * 4])
    assert optimal(near).tolist() == [[True, True, False, False], [False] * 4]


def test_without_discount_a_level_that_pays_for_each_step_has_no_best_return() -> None:
    level = Level.from_string("####\n#P$#\n####", rewards={"step": 0.5})
    with pytest.raises(LevelError, match=r"each step earns 0\.5, so that at gamma 1 .*; use a gamma below 1"):
        solve(level, 1.0)
    assert optimum(level, 1.0) is None
    assert solve(level, 0.9).start_value() == pytest.approx(100.5), "the coin, as .5 for ever is worth 5"


@pytest.mark.parametrize(
    "level", [Level.load("dense"), Level.from_string("#" * 70 + "\n#P" + "$@" * 33 + " #\n" + "#" * 70)]
)
def test_the_coins_that_are_said_to_fit_do_and_one_more_does_not(level: Level) -> None:
    with pytest.raises(LevelError, match=r"coins=\d+ would fit") as refusal:
        solve(level, 0.9)
    k = int(str(refusal.value).partition("coins=")[2].partition(" ")[0])
    assert StateIndex(Dynamics(level.keep_coins(k))).num_states <= MAX_STATES
    with pytest.raises(LevelError, match=rf"coins={k} would fit"):
        solve(level.keep_coins(k + 1), 0.9)


@pytest.mark.parametrize("gamma", DENSE_OPTIMUM)
def test_the_best_known_path_of_dense_earns_the_lower_bound(gamma: float) -> None:
    path, is_optimal = best_known_path(Level.load("dense"), gamma)  # type: ignore[misc]
    assert is_optimal == (gamma in (0.9, 1.0))
    assert path.step.tolist() == list(range(path.cell.size))
    # What is gone from one state to the next has been collected; the last coin, behind the last state, ends it all.
    coins = path.items[:, :41].sum(axis=1)
    assert (path.items[:, 41:]).all(), "no poison"
    assert coins[-1] == 1
    earned = 100 * gamma ** (np.flatnonzero(np.diff(coins) == -1).astype(float))
    assert earned.sum() + 100 * gamma ** (path.cell.size - 1.0) == pytest.approx(DENSE_OPTIMUM[gamma][0], abs=6e-4)


def test_the_best_known_path_of_others() -> None:
    assert best_known_path(Level.load("dense"), 0.98) is None
    assert best_known_path(Level.load("dense").replace(max_steps=150), 0.99) is None, "another level"
    path, is_optimal = best_known_path(Level.from_string("######\n#P  $#\n######"), 0.9)  # type: ignore[misc]
    assert is_optimal
    assert path.cell.tolist() == [7, 8, 9]


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
