"""What can be said of a map as it is drawn: its glyphs, its border, what can be walked to.

A cell is its flat index, row * columns + column. In messages rows and columns are counted from 1.
"""

from collections.abc import Iterable
from itertools import chain

from gridrl_envs.settings import LevelError

GLYPHS = "#P$@GX><^v"  # and a space for floor
HEADINGS = {"^": 0, "v": 1, "<": 2, ">": 3}  # a patroller's glyph and the action of the same direction
MAX_CELLS = 65_536  # 256 x 256; also the most that a check looks at


def moves(columns: int) -> tuple[int, int, int, int]:
    """Return by how much each action changes the flat cell: 0 up, 1 down, 2 left, 3 right."""
    return -columns, columns, -1, 1


def place(cell: int, columns: int) -> str:
    """Return a cell in words: "row 1, column 1" is the first."""
    return f"row {cell // columns + 1}, column {cell % columns + 1}"


def check_grid(rows: tuple[str, ...]) -> None:
    """Raise `LevelError` unless the rows are a rectangle of known glyphs within a wall."""
    size = sum(map(len, rows))
    if size == 0:
        raise LevelError("expected a map, got an empty one; draw it with '#' for walls and 'P' for the start")
    if size > MAX_CELLS:
        raise LevelError(f"expected a map of at most {MAX_CELLS} cells, got {size}; draw a smaller one")
    width = len(rows[0])
    for number, row in enumerate(rows, start=1):
        for column, glyph in enumerate(row, start=1):
            if glyph == "\t":
                raise LevelError(f"a tab at row {number}, column {column}; write floor as spaces")
            if glyph != " " and glyph not in GLYPHS:
                raise LevelError(
                    f"unknown glyph {glyph!r} at row {number}, column {column}; use {' '.join(GLYPHS)} or a space"
                )
        if len(row) != width:
            raise LevelError(f"row {number} has {len(row)} cells where row 1 has {width}; make all rows equally long")
    for number, row in enumerate(rows, start=1):
        for column in range(1, width + 1) if number in (1, len(rows)) else (1, width):
            if row[column - 1] != "#":
                raise LevelError(
                    f"the border is open at row {number}, column {column} ({row[column - 1]!r}); close it with '#'"
                )


def check_drawing(rows: tuple[str, ...]) -> None:
    """Raise `LevelError` unless the rows are a rectangle of known glyphs within a wall, with a start and an aim."""
    check_grid(rows)
    drawing = "".join(rows)
    if "P" not in drawing:
        raise LevelError("expected at least one start, got none; put a 'P' on the map")
    if "$" not in drawing and "G" not in drawing:
        raise LevelError("expected a coin or a goal, got neither; put a '$' or a 'G' on the map")


def walk(drawing: str, columns: int, starts: Iterable[int]) -> dict[int, int]:
    """Return the number of steps from the nearest start to each cell that can be walked to.

    A goal, a pit and a patroller that cannot move are reached, but nothing is reached through them: they end the
    episode. `drawing` is the whole map in one string, closed by walls.
    """
    up, down, left, right = moves(columns)
    distance = dict.fromkeys(starts, 0)
    frontier = list(distance)
    while frontier:
        nearer, frontier = frontier, []
        for cell in nearer:
            if drawing[cell] in "GX" or is_stuck(drawing, columns, cell):
                continue
            for neighbour in (cell + up, cell + down, cell + left, cell + right):
                if neighbour not in distance and drawing[neighbour] != "#":
                    distance[neighbour] = distance[cell] + 1
                    frontier.append(neighbour)
    return distance


def is_stuck(drawing: str, columns: int, cell: int) -> bool:
    """Return whether a patroller on this cell, if there is one, has walls ahead and behind."""
    glyph = drawing[cell]
    if glyph not in HEADINGS:
        return False
    step = moves(columns)[HEADINGS[glyph]]
    return drawing[cell + step] == "#" and drawing[cell - step] == "#"


def check_reach(rows: tuple[str, ...]) -> None:
    """Raise `LevelError` if a start has no coin or goal in reach, or a coin or goal no start."""
    columns, drawing = len(rows[0]), "".join(rows)
    starts = [cell for cell, glyph in enumerate(drawing) if glyph == "P"]
    reached: dict[int, int] = {}
    for start in starts:
        if start in reached:
            continue  # another start lies in the same room, which has been seen to hold something
        room = walk(drawing, columns, [start])
        if not any(drawing[cell] in "$G" for cell in room):
            raise LevelError(
                f"from the start at {place(start, columns)} no coin and no goal can be reached; open a way to one"
            )
        reached |= room
    for cell, glyph in enumerate(drawing):
        if glyph in "$G" and cell not in reached:
            kind = "coin" if glyph == "$" else "goal"
            raise LevelError(
                f"the {kind} at {place(cell, columns)} cannot be reached from a start; open a way to it or remove it"
            )


def read_rows(text: str) -> tuple[str, ...]:
    """Return the rows of a map drawn in a text, without blank lines around it and indentation before it.

    A byte order mark and carriage returns at line ends are read as if they were not there.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    drawn = [number for number, line in enumerate(lines) if line.strip(" ")]
    if not drawn:
        return ()
    lines = lines[drawn[0] : drawn[-1] + 1]
    # Every row begins with a wall, so that spaces before all of them can only be indentation.
    indent = min(len(line) - len(line.lstrip(" ")) for line in lines if line)
    return tuple(line[indent:] for line in lines)


def replace_cells(rows: tuple[str, ...], cells: Iterable[int]) -> tuple[str, ...]:
    """Return the rows with bare floor on the given cells."""
    columns, drawing = len(rows[0]), list(chain.from_iterable(rows))
    for cell in cells:
        drawing[cell] = " "
    return tuple("".join(drawing[begin : begin + columns]) for begin in range(0, len(drawing), columns))
