"""Loops: the first state met twice, beside a dictionary of all that was met."""

import numpy as np
import pytest

from gridrl.truth.loops import LoopFinder, can_loop
from gridrl_envs.dynamics import Dynamics, States
from gridrl_envs.level import Level

GUARDED = "#######\n#P $  #\n#   @ #\n#######\n#>   ##\n#######\n"  # the patroller comes round in 6 moves
PLAIN = "#######\n#P $  #\n#   @ #\n#$   $#\n#######\n"


def wander(level: Level, count: int, steps: int, seed: int) -> list[tuple[States, np.ndarray]]:
    """Return the states [count] at each step of `count` random policies, and whether the action before was certain."""
    dynamics, random = Dynamics(level), np.random.default_rng(seed)
    table = random.integers(0, 4, (count, level.rows * level.columns, 2**dynamics.num_items, dynamics.num_phases))
    weights = 2 ** np.arange(dynamics.num_items)
    states = dynamics.reset(count)
    course = [(states, np.ones(count, dtype=bool))]
    for _ in range(steps):
        certain = random.random(count) > 0.05
        number = states.items @ weights
        policy = table[np.arange(count), states.cell, number, states.step % dynamics.num_phases]
        states, *_ = dynamics.step(states, np.where(certain, policy, random.integers(0, 4, count)))
        course.append((states, certain))
    return course


def naive(course: list[tuple[States, np.ndarray]], index: int, num_phases: int) -> list[int]:
    """Return, for each step from the first on, when the state was met before with all certain since; -1: never.

    After a loop is found all is forgotten: it is told once.
    """
    met: dict[tuple[int, ...], int] = {}
    found = []
    for step, (states, certain) in enumerate(course):
        if not certain[index]:
            met = {}
        state = states.one(index)
        key = (state.cell, state.step % num_phases, *state.items)
        found.append(met.get(key, -1))
        if key in met:
            met = {}
        met[key] = step
    return found[1:]


@pytest.mark.parametrize("drawing", [PLAIN, GUARDED])
def test_beside_a_dictionary(drawing: str) -> None:
    level = Level.from_string(drawing, patrol_period=1)
    dynamics, count = Dynamics(level), 40
    course = wander(level, count, 80, seed=0)
    finder = LoopFinder(dynamics, course[0][0])
    found = np.array([finder.step(states, certain) for states, certain in course[1:]])
    expected = np.array([naive(course, index, dynamics.num_phases) for index in range(count)]).T
    np.testing.assert_array_equal(found, expected)
    assert (found >= 0).sum() > 20
    if drawing == GUARDED:
        step, where = np.nonzero(found >= 0)
        assert ((step + 1 - found[step, where]) % dynamics.num_phases == 0).all()


def test_some_can_be_dropped_on_the_way() -> None:
    level = Level.from_string(PLAIN)
    course = wander(level, 10, 40, seed=1)
    finder, fewer = (LoopFinder(Dynamics(level), course[0][0]) for _ in range(2))
    kept = np.array([7, 2, 2, 5])
    for step, (states, certain) in enumerate(course[1:]):
        found = finder.step(states, certain)
        if step >= 6:
            states = States(*(array[kept] for array in states))
            found, certain = found[kept], certain[kept]
        np.testing.assert_array_equal(fewer.step(states, certain), found)
        if step == 5:
            fewer.keep(kept)


def test_the_cells_of_a_loop() -> None:
    level = Level.from_string("#####\n#P  #\n#  $#\n#####\n")
    states = [States(np.array([cell]), np.array([step]), np.array([[True]])) for step, cell in enumerate((6, 7, 8, 7))]
    finder = LoopFinder(Dynamics(level), states[0])
    found = [int(finder.step(each, np.array([True]))[0]) for each in states[1:]]
    assert found == [-1, -1, 1]
    assert finder.num_cells(0, 1) == 2
    assert finder.num_cells(0, 0) == 3


def test_where_loops_can_be_told() -> None:
    assert can_loop(Dynamics(Level.load("dense")))
    assert not can_loop(Dynamics(Level.from_string(PLAIN, slip=0.1)))
    assert not can_loop(Dynamics(Level.from_string(GUARDED, max_steps=5)))  # 12 phases, and only 6 steps are counted
