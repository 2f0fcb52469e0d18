"""What a part of the page is drawn on: a surface that knows the zoom, with text and boxes in design units."""

from typing import TYPE_CHECKING, NamedTuple

from gridrl.studio.views import shapes, text
from gridrl.studio.views.palette import INK, Colour

if TYPE_CHECKING:
    import pygame

TITLE, BODY, SMALL, TINY = 14, 13, 12, 11  # sizes of type, in design units: pixels at zoom 1


class Canvas(NamedTuple):
    """A surface and how many pixels a design unit has. Places and sizes are pixels, sizes of type design units."""

    surface: "pygame.Surface"
    zoom: float = 1.0

    @property
    def width(self) -> int:
        """Pixels."""
        return self.surface.get_width()

    @property
    def height(self) -> int:
        """Pixels."""
        return self.surface.get_height()

    def px(self, units: float) -> int:
        """Return design units in pixels."""
        return round(units * self.zoom)

    def type_px(self, size: float) -> int:
        """Return a size of type in pixels."""
        return max(round(size * self.zoom), 6)

    def text(
        self,
        line: str,
        x: int,
        middle: int,
        size: float = BODY,
        colour: Colour = INK,
        *,
        bold: bool = False,
        align: str = "left",
        room: int | None = None,
    ) -> int:
        """Set a line with its middle at a height, shortened to `room` pixels; return its width."""
        px = self.type_px(size)
        if room is not None:
            line = text.shortened(line, px, max(room, 0), bold)
        if not line:
            return 0
        picture = text.picture(line, px, colour, bold)
        left = {"left": x, "right": x - picture.get_width(), "middle": x - picture.get_width() // 2}[align]
        self.surface.blit(picture, (left, middle - picture.get_height() // 2))
        return picture.get_width()

    def text_width(self, line: str, size: float = BODY, *, bold: bool = False) -> int:
        """Return the width of a line."""
        return text.width(line, self.type_px(size), bold)

    def box(
        self,
        rect: tuple[int, int, int, int],
        radius: float,
        fill: Colour | None,
        edge: Colour | None = None,
        line: float = 1.0,
    ) -> None:
        """Draw a box with round corners, radius and edge in design units."""
        shapes.box(self.surface, rect, self.px(radius), fill, edge, max(1, self.px(line)))
