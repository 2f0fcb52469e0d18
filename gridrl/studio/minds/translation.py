"""How what was seen in one level reads in another of the same size: what agents carry over goes by it."""

from typing import TYPE_CHECKING, Any

import numpy as np

from gridrl.studio.minds.worlds import moved, same_items
from gridrl_agents.base import Translation
from gridrl_agents.errors import SettingsError

MOST_STAND_INS = 2**24  # numbers of states; rounds of the patrollers that would need more are not looked through

if TYPE_CHECKING:
    from gridrl.problem import Problem
    from gridrl_envs.dynamics import Dynamics
    from gridrl_envs.vector import GridworldVectorEnv


def translation(before: "Problem", after: "Problem") -> Translation:
    """Return how observations of `before` read in `after`; raises `SettingsError` where they have nothing in common."""
    old, new = before.gridworld, after.gridworld
    if (old.level.rows, old.level.columns) != (new.level.rows, new.level.columns):
        raise SettingsError("the map has another size, so that nothing that was seen means the same; it begins anew.")
    if before.observation != after.observation:
        raise SettingsError(
            f"this level is seen as {after.observation}, the one before as {before.observation}; it begins anew."
        )
    if after.observation == "state":
        entries, *stand_ins = _same_states(old.dynamics, new.dynamics)
        return Translation(entries, lambda obs: (np.arange(len(obs)), obs), stand_ins)
    shape = new.single_observation_space.shape or ()
    if after.observation == "pixels":
        return Translation(np.arange(np.prod(shape)), lambda obs: (np.arange(len(obs)), obs))
    planes = _same_planes(old.dynamics, new.dynamics)
    old_shape = old.single_observation_space.shape or ()
    places = np.arange(np.prod(shape[:2]))[:, None] * old_shape[-1]
    entries = np.where(planes >= 0, places + planes, -1).reshape(-1)
    if after.observation == "window":

        def look(obs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return np.arange(len(obs)), np.where(planes >= 0, obs[..., planes], 0).astype(obs.dtype)
    else:

        def look(obs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return _repainted(old, new, obs)

    return Translation(entries, look)


def _same_states(before: "Dynamics", after: "Dynamics") -> list[np.ndarray]:
    """Return for each state's number in `after` that of the state in `before` which means the same, -1: there is none.

    The same is the player's cell, the step, and what lies there; what is new is left out of account. First comes the
    earliest step, with what is gone lying there still; then later steps at which the patrollers of `after` are in the
    same places, and last all of these with what is gone collected.
    """
    from gridrl_envs.observations import StateIndex

    is_floor = np.full(before.level.rows * before.level.columns, False)
    is_floor[list(before.level.floor)] = True
    floor = np.array(after.level.floor)
    index = StateIndex(before)
    same = same_items(before, after)
    gone = [item for item in range(before.num_items) if item not in same]
    most_rounds = max(MOST_STAND_INS // (floor.size * after.num_phases * 2**after.num_items), 1)
    found = []
    for weight_of_gone in [int(index.item_weights[gone].sum())] + [0] * bool(gone):
        with_items = np.array([weight_of_gone])  # numbers are those of `StateIndex`: cells, then phases, then items
        for old in same:
            with_items = np.concatenate([with_items, with_items + (0 if old is None else index.item_weights[old])])
        for first in range(0, before.num_phases, after.num_phases)[:most_rounds]:
            phase = (first + np.arange(after.num_phases)[:, None]) % before.num_phases
            without_items = np.where(is_floor[floor], index.numbers(phase, floor), -1).reshape(-1)
            found.append(np.where(without_items >= 0, with_items[:, None] + without_items, -1).reshape(-1))
    return found


def _same_planes(before: "Dynamics", after: "Dynamics") -> np.ndarray:
    """Return for each plane of `after` the number of the same one in `before`, -1: it has none. See `planes`."""
    from gridrl_envs.observations import FLOOR

    def named(level: Any) -> list[str]:
        return [*map(str, range(FLOOR + 1)), *["goals"] * bool(level.goals), *["pits"] * bool(level.pits)]

    numbers = {name: number for number, name in enumerate(named(before.level))}
    return np.array([numbers.get(name, -1) for name in named(after.level)])


def _repainted(
    before: "GridworldVectorEnv", after: "GridworldVectorEnv", obs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return which planes `obs` [N, ...] of one world mean something in the other, and how these look there.

    Each comes twice where things are new: they lie there, or were collected.
    """
    from gridrl_envs.dynamics import States
    from gridrl_envs.observations import COIN, PLAYER, POISON

    old, new = before.dynamics, after.dynamics
    cells = obs.reshape(len(obs), -1, obs.shape[-1])
    plane = np.repeat([COIN, POISON], [old.num_coins, old.num_items - old.num_coins])
    items = cells[:, old.item_cells, plane] > 0
    player = cells[:, :, PLAYER].argmax(axis=1)
    step = _phases(before, cells) if old.level.patrollers else np.zeros(len(obs), np.intp)
    states, fits = moved(old, new, States(player, step, items))
    fresh = np.array([number is None for number in same_items(old, new)], dtype=bool)
    kinds = [states]
    if fresh.any():
        kinds.append(states._replace(items=states.items & ~fresh))
    which = np.flatnonzero(fits)
    looks = [after.observe(States(each.cell[which], each.step[which], each.items[which])) for each in kinds]
    return np.tile(which, len(kinds)), np.concatenate(looks)


def _phases(world: "GridworldVectorEnv", cells: np.ndarray) -> np.ndarray:
    """Return the first phase in which the patrollers look as in planes [N, cells, P], 0 where none is, [N]."""
    from gridrl_envs.dynamics import States
    from gridrl_envs.observations import BACK, FORTH

    def looks(planes: np.ndarray) -> list[bytes]:
        return [row.tobytes() for row in np.packbits(planes[..., [FORTH, BACK]].reshape(len(planes), -1), axis=1)]

    phase = np.arange(world.dynamics.num_phases)
    states = States(
        np.full(phase.size, world.level.starts[0]), phase, np.zeros((phase.size, world.dynamics.num_items), np.bool_)
    )
    shown: dict[bytes, int] = {}
    for number, look in enumerate(looks(world.observe(states).reshape(phase.size, *cells.shape[1:]))):
        shown.setdefault(look, number)
    return np.array([shown.get(look, 0) for look in looks(cells)], dtype=np.intp)
