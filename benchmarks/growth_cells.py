"""The time of an environment's steps, of a learning step, of a sweep and of a picture by the cells of the level."""

from collections.abc import Callable
from typing import Any

from benchmarks.contest import Contender, Work
from benchmarks.growth import Growth, Line, Part
from benchmarks.growth_runs import learning_steps
from benchmarks.rendering import frames

SIDES = (10, 19, 31, 55, 100)  # cells along an edge of the level, walls included: corridors of two and walls between
ENVIRONMENTS = 256
PIECE = 10  # steps, or resets, of all environments
TILE = 8  # pixels of a cell's side


def corridors(side: int, *, goal: bool = False) -> str:
    """Return a square map: corridors two cells wide, doors in turn at the right and the left end.

    Each ninth cell of the corridors holds a coin; with `goal`, there is none but a goal at the far end.
    """
    rows = [["#"] * side for _ in range(side)]
    for row in range(1, side - 1):
        if row % 3 == 0:
            rows[row][side - 2 if row % 2 else 1] = " "
            continue
        for column in range(1, side - 1):
            rows[row][column] = "$" if not goal and (row * side + column) % 9 == 4 else " "
    rows[1][1] = "P"
    if goal:
        rows[side - 2][side // 2] = "G"
    return "\n".join("".join(row) for row in rows) + "\n"


def environment(side: int) -> Any:
    """Return the vector environment on the level of this size, planes, after a reset."""
    import gymnasium

    env = gymnasium.make_vec("dense-v0", ENVIRONMENTS, level=corridors(side))
    env.reset(seed=0)
    return env


def env_steps(side: int) -> Work:
    """Return work in steps of all environments with random actions, resets included."""
    import numpy as np

    env = environment(side)
    actions = np.random.default_rng(0).integers(0, 4, (PIECE, ENVIRONMENTS))

    def work() -> int:
        for action in actions:
            env.step(action)
        return PIECE

    return work


def env_resets(side: int) -> Work:
    """Return work in resets of all environments."""
    env = environment(side)

    def work() -> int:
        for _ in range(PIECE):
            env.reset()
        return PIECE

    return work


def dqn_steps(side: int) -> Work:
    """Return work in learning steps of one run of DQN on the level of this size."""
    return learning_steps(1, corridors(side))


def sweeps(side: int) -> Work:
    """Return work in sweeps of value iteration, where a goal is to be found and actions can slip."""
    from gridrl_agents.tabular.planning import value_iteration
    from gridrl_envs.level import Level
    from gridrl_envs.model import build_model

    model = build_model(Level.from_string(corridors(side, goal=True), slip=0.2))
    return lambda: value_iteration(model, 0.99).num_sweeps


def pictures(side: int) -> Work:
    """Return work in pictures, a step with a random action before each."""
    return frames("dense-v0", TILE, level=corridors(side))


def _line(name: str, unit: str, build: Callable[[int], Work]) -> Line:
    def contender(side: int) -> Contender:
        return Contender(f"{name}, {side} x {side}", unit, build, {"side": side})

    return Line(name, tuple(side * side for side in SIDES), tuple(map(contender, SIDES)))


GROWTH = Growth(
    "growth-cells",
    f"By the cells of a square level of corridors, {SIDES[0]} x {SIDES[0]} to {SIDES[-1]} x {SIDES[-1]}: a step and a "
    f"reset of {ENVIRONMENTS} environments, planes; a whole learning step of one run of DQN, network 128-128; a sweep "
    f"of value iteration; a picture with {TILE} pixels a cell.",
    "cells of the level",
    "one step, reset, picture or sweep",
    (Part("", "at most 1"),),
    (
        _line("DQN's learning step", "steps", dqn_steps),
        _line(f"step of {ENVIRONMENTS} environments", "steps", env_steps),
        _line(f"reset of {ENVIRONMENTS} environments", "resets", env_resets),
        _line("picture", "pictures", pictures),
        _line("sweep of the solver", "sweeps", sweeps),
    ),
)
