"""From one world to another: what stays the same when a level was painted over, and episodes that go on in it."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from gridrl.problem import Problem, ProblemSettings

if TYPE_CHECKING:
    from gridrl_envs.dynamics import Dynamics, States
    from gridrl_envs.level import Level
    from gridrl_envs.vector import GridworldVectorEnv


def painted(problem: Problem) -> ProblemSettings:
    """Return the settings of the same problem on another level, which tells all else.

    What is seen stays of its kind; only where it was left open may states be numbered no more, as there are too many.
    """
    observation: Any = problem.observation
    if observation == "state" and problem.settings.observation == "auto":
        observation = "auto"
    return dataclasses.replace(
        problem.settings,
        observation=observation,
        level=None,
        coins=None,
        slip=None,
        reward_noise=None,
        max_steps=None,
    )


def is_same_view(before: "Level", after: "Level") -> bool:
    """Say whether two levels differ in nothing but chance, so that all that was seen and earned could be so in both."""
    return before == after.replace(name=before.name, slip=before.slip, reward_noise=before.reward_noise)


def same_items(before: "Dynamics", after: "Dynamics") -> list[int | None]:
    """Return for each item of `after` the number of the one in `before` that lies on the same cell, None: none."""

    def named(dynamics: "Dynamics") -> list[tuple[bool, int]]:
        return [(item < dynamics.num_coins, cell) for item, cell in enumerate(dynamics.item_cells.tolist())]

    numbers = {name: number for number, name in enumerate(named(before))}
    return [numbers.get(name) for name in named(after)]


def moved(before: "Dynamics", after: "Dynamics", states: "States") -> "tuple[States, np.ndarray]":
    """Return the states of `after` that mean the same as `states` [N] of `before`, and which there are, bool [N].

    What is new lies there, unless the player stands on it. An episode that is over in `after` does not go on.
    """
    from gridrl_envs.dynamics import States

    items = np.ones((states.cell.size, after.num_items), np.bool_)
    for item, old in enumerate(same_items(before, after)):
        items[:, item] = after.item_cells[item] != states.cell if old is None else states.items[:, old]
    found = States(states.cell, states.step, items)
    if (before.level.rows, before.level.columns) != (after.level.rows, after.level.columns):
        return found, np.zeros(states.cell.size, np.bool_)
    goes_on = np.isin(states.cell, after.level.floor) & (states.step < after.level.max_steps)
    return found, goes_on & ~after.is_over(found)


def move_env(before: "GridworldVectorEnv", after: "GridworldVectorEnv") -> np.ndarray:
    """Let the episodes of `before` go on in `after`, which was reset; return the numbers of those that begin anew.

    Random streams that both have go on, too.
    """
    fresh, old = after.state_dict(), before.state_dict()
    after.load_state_dict(fresh | {name: old[name] for name in fresh if name.endswith("_stream") and name in old})
    states, goes_on = moved(before.dynamics, after.dynamics, before.get_states())
    begun = after.get_states()
    after.set_states(
        type(states)(
            np.where(goes_on, states.cell, begun.cell),
            np.where(goes_on, states.step, begun.step),
            np.where(goes_on[:, None], states.items, begun.items),
        )
    )
    return np.flatnonzero(~goes_on)
