"""States that are handed in from outside, checked at the border."""

import operator

import numpy as np

from gridrl_envs.dynamics import Dynamics, State, States
from gridrl_envs.geometry import place
from gridrl_envs.level import LevelError


def check_state(dynamics: Dynamics, state: State) -> None:
    """Raise `LevelError` if a state does not belong to the level: its cell, its step or its number of items."""
    level = dynamics.level
    where = f"level '{level.name}'"
    try:
        cell, step, items = state
        cell, step, num_items = operator.index(cell), operator.index(step), len(items)
    except (TypeError, ValueError):
        raise LevelError(
            f"expected a State(cell, step, items), got {state!r}; take it from get_state()", where
        ) from None
    if not 0 <= cell < level.rows * level.columns:
        raise LevelError(
            f"expected a state's cell from 0 to {level.rows * level.columns - 1}, got {cell}; give a floor cell",
            where,
        )
    if level.map[cell // level.columns][cell % level.columns] == "#":
        raise LevelError(f"a state's cell cannot be the wall at {place(cell, level.columns)}; give a floor cell", where)
    if not 0 <= step <= level.max_steps:
        raise LevelError(f"expected a state's step from 0 to {level.max_steps}, got {step}; correct it", where)
    if num_items != dynamics.num_items or not all(item in (True, False) for item in items):
        raise LevelError(
            f"expected a state with {dynamics.num_items} items, True or False, got {items!r}; take it from this level",
            where,
        )


def check_states(dynamics: Dynamics, states: States) -> None:
    """Raise `LevelError` at the first state that does not belong to the level."""
    level = dynamics.level
    if states.items.dtype != np.bool_ or states.items.shape != (states.cell.size, dynamics.num_items):
        raise LevelError(
            f"expected items as bool [{states.cell.size}, {dynamics.num_items}], got {states.items.dtype} "
            f"{list(states.items.shape)}; take the states from this level",
            f"level '{level.name}'",
        )
    right = np.isin(states.cell, level.floor) & (states.step >= 0) & (states.step <= level.max_steps)
    for wrong in np.flatnonzero(~right)[:1]:
        check_state(dynamics, states.one(wrong))
