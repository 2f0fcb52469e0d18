"""A state as text."""

from gridrl_envs.dynamics import State
from gridrl_envs.level import Level
from gridrl_envs.patrol import timetable

_HEADING_GLYPHS = "^v<>"  # by action number


def ansi(level: Level, state: State) -> str:
    """Return the board in the glyphs of a level's map, one line per row, each ended by a newline.

    `P` is the player (a start that it has left is floor), and a patroller points where it moves next.
    """
    cells = [glyph if glyph in "#GX" else " " for row in level.map for glyph in row]
    for cell, there in zip(level.coins + level.poisons, state.items, strict=True):
        if there:
            cells[cell] = "$" if cell in level.coins else "@"
    patroller_cells, headings, _ = timetable(level)
    phase = state.step % len(patroller_cells)
    for cell, heading in zip(patroller_cells[phase], headings[phase], strict=True):
        cells[cell] = _HEADING_GLYPHS[heading]
    cells[state.cell] = "P"
    return "".join(
        "".join(cells[begin : begin + level.columns]) + "\n" for begin in range(0, len(cells), level.columns)
    )
