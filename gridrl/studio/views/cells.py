"""What each cell of a board shows, as rows of whole numbers: two frames differ where their rows differ."""

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridrl.studio.shown import Board, CellMap
from gridrl.studio.views.palette import colour_numbers, ends
from gridrl.studio.views.text import decimals_of
from gridrl_envs import rendering

if TYPE_CHECKING:
    from gridrl_envs.level import Level

# Columns of a row.
GROUND = 0  # which pile of ground sprites lies there, a number from `ground_number`
PIECES = 1  # bits: an item, patrollers, the player, a start, the cursor, the glow
TRAIL = 2  # bits: through which sides the trail runs; above them, how long ago, 1 (now) to 3
GREEDY = 3  # bits: the greedy actions; -1: no arrows
COLOUR = 4  # of 4: the places on the ramp; -1: nothing known; -2: no triangle
NUMBER = 8  # of 4: the number written, in units of its last digit
NUM_COLUMNS = 12

COIN, POISON, PLAYER, START, CURSOR, GLOW = 1, 2, 4, 8, 16, 32
PATROLLER = 64  # times 2 to the power of the heading
NO_NUMBER = -(2**31)
_BEYOND = 10

_grounds: list[tuple[str, ...]] = []
_ground_numbers: dict[tuple[str, ...], int] = {}


class Digits(NamedTuple):
    """How a map's numbers are written."""

    decimals: int
    signed: bool

    def text(self, number: int) -> str:
        """Return a number of a row as it is written."""
        value = number / 10**self.decimals
        written = f"{value:{'+' if self.signed and number else ''}.{self.decimals}f}"
        return written.replace("-", "\N{MINUS SIGN}")


def ground_number(layers: tuple[str, ...]) -> int:
    """Return the number that stands for a pile of ground sprites."""
    if layers not in _ground_numbers:
        _ground_numbers[layers] = len(_grounds)
        _grounds.append(layers)
    return _ground_numbers[layers]


def ground_layers(number: int) -> tuple[str, ...]:
    """Return the pile of ground sprites that a number stands for."""
    return _grounds[number]


def digits_of(cell_map: CellMap, num_digits: int) -> Digits:
    """Return how to write a map's numbers, so that the largest has `num_digits` digits."""
    largest = max(map(abs, ends(cell_map.scale)))
    return Digits(decimals_of(largest, num_digits), cell_map.scale.signed)


def widest(cell_map: CellMap, digits: Digits) -> str:
    """Return a text as wide as the widest number of a map's scale."""
    low, high = ends(cell_map.scale)
    texts = [digits.text(round(value * 10**digits.decimals)) for value in (low, high)]
    return max(texts, key=len)


def still_rows(level: "Level", cell_map: CellMap | None, digits: Digits | None) -> NDArray[np.int32]:
    """Return the rows of ground and map, int32 [cells, NUM_COLUMNS]; `digits` None: no numbers are written."""
    ground = [ground_number(layers) for layers in rendering.ground(level)]
    rows = np.zeros((len(ground), NUM_COLUMNS), np.int32)
    rows[:, GROUND] = ground
    rows[:, GREEDY] = -1
    rows[:, COLOUR : COLOUR + 4] = -2
    rows[:, NUMBER:] = NO_NUMBER
    if cell_map is None:
        return rows
    values = np.asarray(cell_map.values, np.float64).reshape(len(ground), -1)  # [cells, 1 or 4]
    values = np.where(_walls(level)[:, None], np.nan, values)
    known = np.isfinite(values)
    width = values.shape[1]
    rows[:, COLOUR : COLOUR + width] = colour_numbers(values, cell_map.scale)
    if digits is not None:
        written = np.rint(np.where(known, values, 0) * 10**digits.decimals)
        # A value far beyond the scale, of an agent that diverges, would be wider than its cell.
        fits = known & (np.abs(written) < _BEYOND * max(map(abs, ends(cell_map.scale))) * 10**digits.decimals)
        rows[:, NUMBER : NUMBER + width] = np.where(fits, written, NO_NUMBER)
    if cell_map.greedy is not None:
        bits = np.asarray(cell_map.greedy, bool) @ np.array([1, 2, 4, 8])
        rows[:, GREEDY] = np.where(known.any(axis=1), bits, -1)
    return rows


def add_pieces(rows: NDArray[np.int32], board: Board) -> None:
    """Write what can move into rows that hold none of it: items, patrollers, player, trail, cursor, glow."""
    level, state = board.level, board.state
    pieces = rows[:, PIECES]
    if state is None:
        for kind, cells in ((COIN, level.coins), (POISON, level.poisons), (START, level.starts)):
            pieces[list(cells)] |= kind
        patrollers = list(level.patrollers)
    else:
        item_cells, num_coins, phases = rendering.pieces(level)
        for item, (cell, is_left) in enumerate(zip(item_cells, state.items, strict=True)):
            if is_left:
                pieces[cell] |= COIN if item < num_coins else POISON
        patrollers = phases[state.step % len(phases)]
        pieces[state.cell] |= PLAYER
    for cell, heading in patrollers:
        pieces[cell] |= PATROLLER << heading
    for cell in board.unreachable:
        pieces[cell] |= GLOW
    if board.cursor is not None and 0 <= board.cursor < len(rows):
        pieces[board.cursor] |= CURSOR
    if board.trail:
        _add_trail(rows[:, TRAIL], board.trail, level.columns)


def _add_trail(column: NDArray[np.int32], trail: tuple[int, ...], columns: int) -> None:
    sides = {-columns: 0, columns: 1, -1: 2, 1: 3}
    last = len(trail) - 1
    for number, (cell, following) in enumerate(pairwise(trail)):
        side = sides.get(following - cell)
        if side is None:
            continue  # it bumped into a wall, or was put somewhere else
        age = 1 if last - number <= 6 else 2 if last - number <= 20 else 3
        for at, through in ((cell, side), (following, side ^ 1)):
            bits, before = column[at] & 15, column[at] >> 4
            column[at] = bits | 1 << through | (min(before, age) if before else age) << 4


def _walls(level: "Level") -> NDArray[np.bool_]:
    return np.array([glyph == "#" for row in level.map for glyph in row])
