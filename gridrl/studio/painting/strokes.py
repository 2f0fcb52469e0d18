"""What a brush does to a map's rows: glyphs laid on cells, and a map of another size."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gridrl_envs.geometry import HEADINGS, MAX_CELLS
from gridrl_envs.settings import LevelError

CLOCKWISE = {"^": ">", ">": "v", "v": "<", "<": "^"}
SMALLEST = 3  # rows or columns: a border and something within

Rows = tuple[str, ...]


class Brush(NamedTuple):
    """A thing that can be painted."""

    name: str
    glyph: str
    hint: str  # one sentence


BRUSHES = (
    Brush("wall", "#", "Paint walls: nobody walks through them."),
    Brush("floor", " ", "Paint floor: whatever lies there is taken away."),
    Brush("start", "P", "Paint a start: of several, each episode draws one."),
    Brush("coin", "$", "Paint coins: with the last one collected the episode ends."),
    Brush("poison", "@", "Paint poison."),
    Brush("goal", "G", "Paint a goal: it ends the episode."),
    Brush("pit", "X", "Paint a pit: it ends the episode, and costs."),
    Brush("patroller", ">", "Paint a patroller; paint it again to turn the way that it sets out."),
)


def painted(rows: Rows, cells: Iterable[int], glyph: str) -> Rows:
    """Return the rows with `glyph` on `cells`; the border stays wall, a patroller on a patroller turns clockwise."""
    columns, changed = len(rows[0]), list(rows)
    for cell in cells:
        row, column = divmod(cell, columns)
        if not (0 < row < len(rows) - 1 and 0 < column < columns - 1):
            continue
        line = changed[row]
        laid = CLOCKWISE[line[column]] if glyph in HEADINGS and line[column] in HEADINGS else glyph
        changed[row] = line[:column] + laid + line[column + 1 :]
    return tuple(changed)


def resized(rows: Rows, num_rows: int, num_columns: int) -> Rows:
    """Return a map of another size: what lies inside the border stays where it is, and new cells are floor.

    Raises `LevelError` for a size that no map has.
    """
    if min(num_rows, num_columns) < SMALLEST or num_rows * num_columns > MAX_CELLS:
        raise LevelError(
            f"a map has {SMALLEST} rows and columns or more and at most {MAX_CELLS} cells, got {num_rows} rows and "
            f"{num_columns} columns; choose another size"
        )
    width = num_columns - 2
    inside = [line[1:-1][:width].ljust(width) for line in rows[1:-1][: num_rows - 2]]
    inside += [" " * width] * (num_rows - 2 - len(inside))
    wall = "#" * num_columns
    return (wall, *(f"#{line}#" for line in inside), wall)


def line(begin: int, end: int, columns: int) -> Sequence[int]:
    """Return the cells of a straight line from `begin` (left out) to `end`: what a fast pointer has passed over."""
    (row, column), (last_row, last_column) = divmod(begin, columns), divmod(end, columns)
    length = max(abs(last_row - row), abs(last_column - column))
    return [
        (row + round((last_row - row) * k / length)) * columns + column + round((last_column - column) * k / length)
        for k in range(1, length + 1)
    ]
