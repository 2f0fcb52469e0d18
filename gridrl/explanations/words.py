"""What happened on a grid, in words."""

from typing import TYPE_CHECKING

import numpy as np

from gridrl.problem import Problem
from gridrl_agents.base import Transition

if TYPE_CHECKING:
    from gridrl_envs.level import Level

ACTIONS = ("up", "down", "left", "right")
MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))  # by action: rows and columns


def action_names(problem: Problem) -> tuple[str, ...] | None:
    """Return the actions' names; None where the environment is not ours."""
    return ACTIONS if problem.is_gridworld else None


def step_in_words(problem: Problem, transition: Transition) -> str | None:
    """Return a transition of one run as a sentence; None where the observations do not show it.

    Rows and columns are those of the level's map, counted from 0, with the wall around it.
    """
    kind = _kind(problem)
    if kind is None:
        return None
    action = int(transition.action)
    if kind == "window":
        start, where = "In the middle of its window", _ahead(problem.level, np.asarray(transition.obs), action)
    else:
        start, where = _on_map(problem, kind, transition)
    end = ""
    if transition.terminated:
        end = "; the episode ends"
    elif transition.truncated:
        end = "; the step limit cuts the episode"
    return f"{start}, action {ACTIONS[action]}, {where}: reward {float(transition.reward):+g}{end}."


def _kind(problem: Problem) -> str | None:
    """Return "state", "planes" or "window" where observations are that, and None otherwise."""
    if not problem.is_gridworld or problem.settings.preprocess != "none":
        return None
    space = problem.observation_space
    if not space.shape:
        return "state"
    if len(space.shape) != 3 or space.high.max() != 1:  # type: ignore[attr-defined]
        return None
    level = problem.level
    return "planes" if space.shape[:2] == (level.rows, level.columns) else "window"


def _on_map(problem: Problem, kind: str, transition: Transition) -> tuple[str, str]:
    """Return from where a step went, and onto what, from observations that show the whole map or its number."""
    level = problem.level
    (cell, items), (next_cell, _) = (_state(problem, kind, obs) for obs in (transition.obs, transition.next_obs))
    row, column = divmod(cell, level.columns)
    return f"From row {row}, column {column}", _onto(problem, transition, cell, next_cell, items)


def _onto(problem: Problem, transition: Transition, cell: int, next_cell: int, items: set[int]) -> str:
    level = problem.level
    row, column = divmod(next_cell, level.columns)
    if next_cell == cell:
        return "into a wall, where it stays"
    what = "a free cell"
    if next_cell in items:
        what = "a coin" if next_cell in level.coins else "poison"
    elif next_cell in level.goals:
        what = "the goal"
    elif next_cell in level.pits:
        what = "a pit"
    elif transition.terminated:
        what = "a cell where a patroller catches it"
    slipped = next_cell - cell != MOVES[int(transition.action)][0] * level.columns + MOVES[int(transition.action)][1]
    return f"{'slipping ' if slipped else ''}onto {what} at row {row}, column {column}"


def _state(problem: Problem, kind: str, obs: np.ndarray) -> tuple[int, set[int]]:
    """Return the player's cell, and the cells of the items that are left."""
    from gridrl_envs.observations import COIN, PLAYER, POISON, StateIndex

    if kind == "state":
        dynamics = problem.gridworld.dynamics
        states = StateIndex(dynamics).decode(np.array([int(obs)]))
        return int(states.cell[0]), set(dynamics.item_cells[states.items[0]].tolist())
    planes = np.asarray(obs).reshape(-1, obs.shape[2])
    items = np.flatnonzero(planes[:, COIN] | planes[:, POISON])
    return int(planes[:, PLAYER].argmax()), set(items.tolist())


def _ahead(level: "Level", window: np.ndarray, action: int) -> str:
    """Return what lies ahead in a window, the player being in its middle."""
    from gridrl_envs.observations import BACK, COIN, FLOOR, FORTH, POISON

    middle = len(window) // 2
    ahead = window[middle + MOVES[action][0], middle + MOVES[action][1]]
    names = {COIN: "onto a coin", POISON: "onto poison", FLOOR: "onto a free cell", FORTH: "towards a patroller"}
    names[BACK] = names[FORTH]
    extra = [name for name, cells in (("onto the goal", level.goals), ("onto a pit", level.pits)) if cells]
    names |= dict(enumerate(extra, start=FLOOR + 1))
    seen = [name for plane, name in names.items() if ahead[plane]]
    return seen[0] if seen else "into a wall"
