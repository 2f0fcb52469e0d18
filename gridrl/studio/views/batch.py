"""The transitions that were learned from last: where, what was done, what it brought, where to, how much it weighs."""

from typing import NamedTuple

from gridrl.studio.shown import BatchRow
from gridrl.studio.views import shapes, text
from gridrl.studio.views.canvas import BODY, TINY, Canvas
from gridrl.studio.views.palette import CARD, EDGE, FAINT, GRID, INK, MUTED, WARNING, Colour

ROW, TOP = 18, 52  # heights, in design units
_PAD = 12
_WEIGHT: Colour = (91, 151, 201)


class Batch(NamedTuple):
    """What the panel draws."""

    rows: tuple[BatchRow, ...]
    columns: int  # of the level, to turn a cell into its row and column


def draw(canvas: Canvas, batch: Batch) -> None:
    """Draw as many rows as fit the canvas."""
    canvas.box((0, 0, canvas.width, canvas.height), 10, CARD, EDGE)
    px, pad = canvas.px, canvas.px(_PAD)
    right = canvas.width - pad
    fitting = max((canvas.height - px(TOP) - px(6)) // px(ROW), 0)
    size = f"{min(fitting, len(batch.rows))} of {len(batch.rows)}"
    used = canvas.text(size, right, px(19), TINY, MUTED, align="right")
    canvas.text("Batch drawn last", pad, px(19), BODY, bold=True, room=right - pad - used - px(8))
    weighed = any(row.weight is not None for row in batch.rows)
    width = right - pad
    shares = (0.0, 0.24, 0.53, 0.6) if weighed else (0.0, 0.3, 0.66, 0.74)
    cell, act, reward, following = (pad + round(width * share) for share in shares)
    weight_x = pad + round(width * 0.86)
    for line, x, align in (("cell", cell, "left"), ("reward", reward, "right"), ("next", following, "left")):
        canvas.text(line, x, px(40), TINY, FAINT, align=align)
    if weighed:
        canvas.text("weight", right, px(40), TINY, FAINT, align="right")
    largest = max((row.weight or 0.0 for row in batch.rows), default=0.0) or 1.0
    for number, row in enumerate(batch.rows[:fitting]):
        middle = px(TOP) + px(ROW) * number + px(ROW) // 2
        canvas.text(_place(row.cell, batch.columns), cell, middle, TINY, INK)
        arrow = shapes.arrows(px(12), (row.action,), INK)
        canvas.surface.blit(arrow, (act, middle - arrow.get_height() // 2))
        colour = WARNING if row.reward < 0 else INK if row.reward else FAINT
        sign = "+" if row.reward > 0 else ""
        canvas.text(sign + text.number(row.reward), reward, middle, TINY, colour, align="right")
        if row.ended:
            canvas.text("end", following, middle, TINY, MUTED)
        else:
            canvas.text(_place(row.next_cell, batch.columns), following, middle, TINY, INK)
        if weighed and row.weight is not None:
            track = right - weight_x
            canvas.surface.fill(GRID, (weight_x, middle - px(3), track, px(6)))
            canvas.surface.fill(_WEIGHT, (weight_x, middle - px(3), round(track * row.weight / largest), px(6)))


def _place(cell: int, columns: int) -> str:
    """Return a cell as its row and column, counted from 1 as everywhere."""
    return f"{cell // columns + 1}, {cell % columns + 1}"
