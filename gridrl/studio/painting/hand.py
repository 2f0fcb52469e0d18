"""The hand that touches the world: a brush, a cursor, and the strokes that are painted with them."""

from typing import TYPE_CHECKING

from gridrl.studio.painting.strokes import BRUSHES, CLOCKWISE, line
from gridrl.studio.painting.touch import Sketch

if TYPE_CHECKING:
    from gridrl_envs.dynamics import State
    from gridrl_envs.level import Level

GLYPHS = {brush.name: brush.glyph for brush in BRUSHES}
MOVES = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


class Hand:
    """A brush and a cursor over a level.

    `sketch` is the level as it is drawn, right or wrong; `cursor` the cell under the pointer or the keyboard's cursor;
    `brush` the name of what is painted, "" where nothing is.
    """

    def __init__(self, level: "Level") -> None:
        self.sketch = Sketch(level)
        self.cursor: int | None = None
        self.brush = ""
        self._drawn: Level | None = None
        self._patroller = GLYPHS["patroller"]
        self._last: int | None = None  # the cell that a stroke has come to; None: no stroke is under way
        self._has_painted = False  # whether this stroke has changed anything yet

    @property
    def painting(self) -> bool:
        """Whether a stroke is under way."""
        return self._last is not None

    @property
    def glyph(self) -> str:
        """What the brush paints."""
        return self._patroller if self.brush == "patroller" else GLYPHS[self.brush]

    def take(self, brush: str) -> None:
        """Take a brush; taken again, the patroller's turns, and any other is put away."""
        if brush != self.brush:
            self.brush = brush
        elif brush == "patroller":
            self._patroller = CLOCKWISE[self._patroller]
        else:
            self.brush = ""

    def begin(self, cell: int) -> None:
        """Begin a stroke on a cell."""
        self._has_painted = self.sketch.paint([cell], self.glyph)
        self._last = cell

    def draw_on(self, cell: int) -> None:
        """Lead the stroke to a cell, over all that lie between."""
        if self._last is not None and cell != self._last:
            cells = line(self._last, cell, self.sketch.columns)
            self._has_painted |= self.sketch.paint(cells, self.glyph, same_stroke=self._has_painted)
            self._last = cell

    def lift(self) -> None:
        """End the stroke."""
        self._last = None

    def move(self, direction: str) -> None:
        """Move the cursor by a cell; the first move shows it at the first start, or in a corner."""
        columns, rows = self.sketch.columns, len(self.sketch.rows)
        if self.cursor is None:
            self.cursor = max("".join(self.sketch.rows).find("P"), 0)
            return
        row, column = divmod(self.cursor, columns)
        down, right = MOVES[direction]
        self.cursor = min(max(row + down, 0), rows - 1) * columns + min(max(column + right, 0), columns - 1)

    def drawn(self, level: "Level") -> "Level":
        """Return the level as it is drawn now: `level`, the world's, itself where that is the same map."""
        rows = self.sketch.rows
        if rows == level.map:
            return level
        if self._drawn is None or self._drawn.map != rows:
            self._drawn = self.sketch.drawn
        return self._drawn

    def follow(self, level: "Level") -> None:
        """Draw a level that was come to in another way than by this hand: what was undone or may be redone is over."""
        self.sketch = Sketch(level)
        self._last = None
        if self.cursor is not None and self.cursor >= level.rows * level.columns:
            self.cursor = None


def state_in(state: "State", level: "Level", drawn: "Level") -> "State":
    """Return a state of `level` as it looks in a level that is `drawn` now: what is new lies there.

    Both have maps of one size.
    """
    left = dict(zip(level.coins + level.poisons, state.items, strict=True))
    return state._replace(items=tuple(left.get(cell, True) for cell in drawn.coins + drawn.poisons))
