"""State -> observation: planes, and the index of a state.

Letters in shapes: `N` states, `I` items, `P` planes, `S` states of the level.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridrl_envs.dynamics import Dynamics, States
from gridrl_envs.geometry import walk
from gridrl_envs.level import LevelError

PLAYER, FORTH, BACK, COIN, POISON, FLOOR = range(6)  # FORTH: patrollers that move right or down next; BACK: left or up
HEADING_PLANE = (BACK, FORTH, BACK, FORTH)  # by heading, an action number

# A Q-table of four actions in float64 then takes 128 MiB, and the model of a level about 400.
MAX_STATES = 4_194_304


class Scene(NamedTuple):
    """What no step changes: the planes' shape, and the board without player, patrollers and items."""

    shape: tuple[int, int, int]  # rows, columns, P
    board: NDArray[np.uint8]  # [cells, P]; floor, goals and pits


def scene(dynamics: Dynamics) -> Scene:
    """Return the empty board of a level; goals and pits have a plane each where the level has any."""
    level = dynamics.level
    extra = [cells for cells in (level.goals, level.pits) if cells]
    board = np.zeros((level.rows * level.columns, FLOOR + 1 + len(extra)), np.uint8)
    board[list(level.floor), FLOOR] = 1
    for plane, cells in enumerate(extra, start=FLOOR + 1):
        board[list(cells), plane] = 1
        board[list(cells), FLOOR] = 0
    return Scene((level.rows, level.columns, board.shape[1]), board)


def planes(dynamics: Dynamics, states: States) -> NDArray[np.uint8]:
    """Return the planes of states: uint8 [N, rows, columns, P], entries 0 and 1.

    The planes are the player, patrollers that move right or down next, patrollers that move left or up next, coins,
    poison, floor where nothing stands, then goals and pits if the level has any.
    """
    shape, board = scene(dynamics)
    obs = np.repeat(board[None], states.cell.size, axis=0)
    n, item = np.nonzero(states.items)
    obs[n, dynamics.item_cells[item], np.where(item < dynamics.num_coins, COIN, POISON)] = 1
    obs[n, dynamics.item_cells[item], FLOOR] = 0
    n = np.arange(states.cell.size)
    phase = states.step % dynamics.num_phases
    cells, headings = dynamics.patroller_cells[phase], dynamics.patroller_headings[phase]
    obs[n[:, None], cells, np.array(HEADING_PLANE)[headings]] = 1
    obs[n[:, None], cells, FLOOR] = 0
    obs[n, states.cell, PLAYER] = 1
    obs[n, states.cell, FLOOR] = 0
    return obs.reshape(-1, *shape)


def planes_support(dynamics: Dynamics) -> NDArray[np.bool_]:
    """Return which entries of the planes can be other than zero in an episode: bool [rows, columns, P].

    No entry outside is ever met in play. Inside, one may not be met where patrollers always bar the way in time; they
    are left out of account, unless they cannot move.
    """
    level = dynamics.level
    shape, board = scene(dynamics)
    distance = walk("".join(level.map), level.columns, level.starts)
    steps = level.max_steps
    support = board.astype(np.bool_)
    support[dynamics.item_cells[: dynamics.num_coins], COIN] = True
    support[dynamics.item_cells[dynamics.num_coins :], POISON] = True
    support[[cell for cell, steps_there in distance.items() if steps_there <= steps], PLAYER] = True
    # Under an item floor appears when the player has collected it and moved on; the last coin ends the episode.
    for item, cell in enumerate(dynamics.item_cells):
        left_behind = distance.get(int(cell), steps) + 1 <= steps
        support[cell, FLOOR] = left_behind and not (item < dynamics.num_coins == 1)
    met = slice(0, steps + 1)  # the phases that an episode can count
    cells, headings = dynamics.patroller_cells[met], dynamics.patroller_headings[met]
    support[cells, np.array(HEADING_PLANE)[headings]] = True
    support[sorted(set.intersection(*(set(row) for row in cells.tolist()))), FLOOR] = False  # never left alone
    return support.reshape(shape)


class StateIndex:
    """The states of a level, numbered from 0: every floor cell x items left x phase of the patrollers.

    Attributes: `num_states` (S), `start_states` int64 [starts] and `item_weights` int64 [I]. Raises `LevelError` if
    there would be more than `MAX_STATES`, with their number.
    """

    def __init__(self, dynamics: Dynamics) -> None:
        self.dynamics = dynamics
        level = dynamics.level
        self._floor = np.array(level.floor, np.intp)
        self.num_states = _count(dynamics, dynamics.num_items)
        if self.num_states > MAX_STATES:
            raise LevelError(_too_many(dynamics, self.num_states), f"level '{level.name}'")
        self._position = np.zeros(level.rows * level.columns, np.int64)
        self._position[self._floor] = np.arange(self._floor.size)
        # Neighbouring numbers are neighbouring cells, then come the phases, then the items (item i is bit i). As items
        # only disappear, a step stays among the states with the same items left or leads to lower numbers.
        self._per_items = self._floor.size * dynamics.num_phases
        self.item_weights = np.left_shift(np.int64(self._per_items), np.arange(dynamics.num_items))
        starts = dynamics.reset(len(level.starts))._replace(cell=np.array(level.starts, np.intp))
        self.start_states = self.encode(starts)

    def numbers(self, phase: NDArray[np.intp], cell: NDArray[np.intp]) -> NDArray[np.int64]:
        """Return the number of each state in which no item is left; an item left adds its `item_weights`."""
        return phase * self._floor.size + self._position[cell]

    def encode(self, states: States) -> NDArray[np.int64]:
        """Return the number [N] of each state."""
        return self.numbers(states.step % self.dynamics.num_phases, states.cell) + states.items @ self.item_weights

    def decode(self, index: NDArray[np.integer]) -> States:
        """Return the states with the given numbers [N], each at the smallest step of its phase."""
        bits, rest = np.divmod(np.asarray(index, np.int64), self._per_items)
        phase, position = np.divmod(rest, self._floor.size)
        items = (bits[:, None] >> np.arange(self.item_weights.size)) & 1
        return States(self._floor[position], phase.astype(np.intp), items.astype(np.bool_))


def _count(dynamics: Dynamics, num_items: int) -> int:
    return len(dynamics.level.floor) * dynamics.num_phases * 2**num_items


def _too_many(dynamics: Dynamics, num_states: int) -> str:
    """Say how many states there would be, and which coins=k would fit."""
    num_poisons = dynamics.num_items - dynamics.num_coins
    fitting = [k for k in range(1, dynamics.num_coins + 1) if _count(dynamics, k + min(k, num_poisons)) <= MAX_STATES]
    advice = f"keep fewer coins (coins={max(fitting)} would fit)" if fitting else "take a smaller level"
    return (
        f"it has {num_states} states, more than the {MAX_STATES} that can be numbered and solved; {advice}, or learn "
        "from the observation 'planes'"
    )
