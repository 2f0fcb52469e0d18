"""Where the maps of a figure stand, and all that stands around them."""

import math
from typing import TYPE_CHECKING

from gridrl.plots import marks
from gridrl.plots.style import PAGE_WIDTH

if TYPE_CHECKING:
    from gridrl_envs.level import Level

Place = tuple[float, float, float, float]  # left, bottom, width, height, in parts of the figure
ARROWS = 0.16  # inches of a cell in which arrows can still be told apart


class Places:
    """Where everything stands, worked out in inches, handed out in parts of the figure as matplotlib wants it."""

    margin, gap, panel_title, bar_room, tallest = 0.2, 0.25, 0.32, 0.95, 9.5

    def __init__(
        self, num_panels: int, level: "Level", columns: int | None, note_text: str, titled: bool, enough: float
    ) -> None:
        """`enough` inches are a cell that holds all that is written into it."""
        # The more columns, the less tall the figure: as many as leave room for all in a cell, or else for arrows.
        sizes = [self.cell_size(num_panels, level, n) for n in range(1, num_panels + 1)]
        least = next((least for least in (enough, ARROWS) if max(sizes) >= least), max(sizes))
        most = columns or max(n for n, size in enumerate(sizes, start=1) if size >= least)
        self.rows = math.ceil(num_panels / most)
        self.columns = columns or math.ceil(num_panels / self.rows)  # four are two by two, not three and one
        self.note_text = note_text
        cell = self.cell_size(num_panels, level, self.columns)
        self.panel_width, self.panel_height = (
            cell * (side - 2 + 2 * marks.RIM) for side in (level.columns, level.rows)
        )
        self.top = 0.36 if titled else 0.08
        self.note_height = 0.16 * (note_text.count("\n") + 1) if note_text else 0.0
        self.bottom = 0.12 + self.note_height + 0.35
        self.maps_height = self.rows * (self.panel_height + self.panel_title)
        self.height = self.top + self.maps_height + self.bottom
        self.left, self.note = self.margin / PAGE_WIDTH, 0.1 / self.height
        self.legend = (0.1 + self.note_height + 0.08) / self.height

    @classmethod
    def cell_size(cls, num_panels: int, level: "Level", columns: int) -> float:
        """Return the side of a cell that fills the page's width, unless the page would grow too tall."""
        width = (PAGE_WIDTH - 2 * cls.margin - cls.bar_room - cls.gap * (columns - 1)) / columns
        height = cls.tallest / math.ceil(num_panels / columns) - cls.panel_title
        shown = 2 - 2 * marks.RIM
        return min(width / (level.columns - shown), max(height, 0.5) / (level.rows - shown), 0.62)

    def from_top(self, inches: float) -> float:
        """Return the height of what stands some inches below the top."""
        return 1 - inches / self.height

    def panel(self, number: int) -> Place:
        """Return the place of a panel: left, bottom, width, height."""
        row, column = divmod(number, self.columns)
        left = self.margin + column * (self.panel_width + self.gap)
        bottom = self.height - self.top - (row + 1) * (self.panel_height + self.panel_title)
        return self._parts(left, bottom, self.panel_width, self.panel_height)

    def colour_bar(self, number: int, total: int) -> Place:
        """Return the place of one of several colour bars: left, bottom, width, height."""
        left = self.margin + self.columns * (self.panel_width + self.gap) - 0.1
        share = self.maps_height / total
        bottom = self.height - self.top - (number + 1) * share
        length = min(share - self.panel_title, 3.0)
        return self._parts(left, bottom + (share - self.panel_title - length), 0.14, length)

    def _parts(self, left: float, bottom: float, width: float, height: float) -> Place:
        return left / PAGE_WIDTH, bottom / self.height, width / PAGE_WIDTH, height / self.height
