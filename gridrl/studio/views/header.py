"""The line above a board: whose mind it is, what its map says, and the scale of its colours."""

from typing import NamedTuple

import numpy as np

from gridrl.studio.shown import Scale
from gridrl.studio.views import palette, shapes, text
from gridrl.studio.views.canvas import SMALL, TITLE, Canvas
from gridrl.studio.views.palette import EDGE, INK, MUTED, WARNING

LINE, TWO_LINES = 28, 48  # heights, in design units
WIDE = 560  # from this width on, one line is enough
_BAR = 96


class Header(NamedTuple):
    """What a board's header says."""

    title: str
    map_name: str
    scale: Scale | None
    note: str


def draw(canvas: Canvas, header: Header) -> None:
    """Draw the title at the left and the legend at the right, in one line or in two."""
    canvas.surface.fill(palette.PAPER)
    px, width = canvas.px, canvas.width
    if canvas.height >= px(TWO_LINES):
        canvas.text(header.title, 0, px(14), TITLE, bold=True, room=width)
        _draw_legend(canvas, header, 0, width, px(35))
        return
    used = canvas.text(header.title, 0, px(15), TITLE, bold=True, room=width // 2)
    left = used + px(20) if used else 0
    _draw_legend(canvas, header, left, width, px(15), align="right" if used else "left")


def _draw_legend(canvas: Canvas, header: Header, left: int, right: int, middle: int, align: str = "left") -> None:
    px = canvas.px
    if header.scale is None:
        line = header.note or header.map_name
        at = left if align == "left" else right
        canvas.text(line, at, middle, SMALL, WARNING if header.note else MUTED, align=align, room=right - left)
        return
    low, high = (text.number(end) for end in palette.ends(header.scale))
    bar = min(px(_BAR), (right - left) // 5)
    gap = px(8)
    ends_width = canvas.text_width(low, SMALL) + canvas.text_width(high, SMALL) + 2 * px(6)
    x = right - ends_width - bar
    if x - gap > left:
        name_width = min(canvas.text_width(header.map_name, SMALL), x - px(14) - left)
        at = left if align == "left" else x - px(14) - name_width
        canvas.text(header.map_name, at, middle, SMALL, MUTED, room=max(name_width, 0))
    x += canvas.text(low, x, middle, SMALL, INK) + px(6)
    draw_ramp(canvas, (x, middle - px(5), bar, px(10)), header.scale.signed)
    canvas.text(high, x + bar + px(6), middle, SMALL, INK)


def draw_ramp(canvas: Canvas, rect: tuple[int, int, int, int], signed: bool) -> None:
    """Draw the colours of a scale from its low end at the left to its high end at the right."""
    pygame = shapes.load_pygame()
    x, y, w, h = rect
    colours = palette.ramp(signed)
    strip = shapes.from_pixels(np.ascontiguousarray(colours[None, :]))
    canvas.surface.blit(pygame.transform.scale(strip, (max(w, 1), max(h, 1))), (x, y))
    pygame.draw.rect(canvas.surface, EDGE, (x - 1, y - 1, w + 2, h + 2), 1)
