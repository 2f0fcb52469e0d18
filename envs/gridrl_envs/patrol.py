"""Where the patrollers are, for every step of an episode.

A patroller walks straight, and where the next cell is a wall it turns round and makes its move the other way. Its
heading is the direction of its next move: it turns as soon as a wall is ahead. So its path is purely periodic, and a
place in it is a lookup by the step counter.
"""

from functools import lru_cache
from math import lcm

import numpy as np
from numpy.typing import NDArray

from gridrl_envs.geometry import moves
from gridrl_envs.level import Level, LevelError

MAX_TABLE = 2**23  # places of patrollers over all phases; two tables of 64 MiB
_OPPOSITE = (1, 0, 3, 2)


def round_trip(drawing: str, columns: int, cell: int, heading: int) -> list[tuple[int, int]]:
    """Return the (cell, heading) before each move of one patroller, until it is back where it began.

    In a dead end of one cell that is a single entry.
    """
    step = moves(columns)

    def turned(cell: int, heading: int) -> int:
        ahead_is_wall = drawing[cell + step[heading]] == "#"
        behind_is_wall = drawing[cell - step[heading]] == "#"
        return _OPPOSITE[heading] if ahead_is_wall and not behind_is_wall else heading

    start = (cell, turned(cell, heading))
    path = [start]
    while True:
        cell, heading = path[-1]
        ahead = cell + step[heading]
        if drawing[ahead] == "#":  # walls on both sides
            return path
        following = (ahead, turned(ahead, heading))
        if following == start:
            return path
        path.append(following)


@lru_cache(maxsize=64)
def timetable(level: Level) -> tuple[NDArray[np.intp], NDArray[np.intp], bool]:
    """Return the patrollers' cells [phases, K], their headings [phases, K] and whether the table repeats.

    The phases are the patrollers' joint period in steps, or, where that is less, the max_steps + 1 steps that an
    episode can count; only a whole joint period repeats. The arrays are read-only. Raises `LevelError` if the table
    would be too large.
    """
    drawing = "".join(level.map)
    paths = [round_trip(drawing, level.columns, cell, heading) for cell, heading in level.patrollers]
    period = level.patrol_period * lcm(*map(len, paths)) if any(len(path) > 1 for path in paths) else 1
    phases = min(period, level.max_steps + 1)
    if phases * len(paths) > MAX_TABLE:
        raise LevelError(
            f"{len(paths)} patrollers with a joint round of {period} steps need a table of {phases * len(paths)} "
            f"places, more than {MAX_TABLE}; set a smaller max_steps or give them corridors of equal length",
            f"level '{level.name}'",
        )
    cells = np.empty((phases, len(paths)), np.intp)
    headings = np.empty((phases, len(paths)), np.intp)
    num_moves = np.arange(phases) // level.patrol_period
    for k, path in enumerate(paths):
        cells[:, k], headings[:, k] = np.array(path, np.intp)[num_moves % len(path)].T
    cells.flags.writeable = headings.flags.writeable = False  # one table serves all who ask
    return cells, headings, phases == period
