"""A table of numbers: what each is at the left, one text for each mind at the right."""

from typing import NamedTuple

from gridrl.studio.views.canvas import BODY, SMALL, TINY, Canvas
from gridrl.studio.views.palette import CARD, EDGE, GRID, INK, MUTED
from gridrl.studio.views.parts import fitted

ROW, TOP = 20, 34  # heights, in design units
_PAD = 12


class Table(NamedTuple):
    """What the panel draws."""

    rows: tuple[tuple[str, ...], ...]
    titles: tuple[str, ...]  # of the minds; one or none: no line of titles


def height(num_rows: int) -> int:
    """Return the height that a table wants, in design units."""
    return TOP + num_rows * ROW + 8


def draw(canvas: Canvas, table: Table) -> None:
    """Draw a table that fills the canvas; rows beyond its height are left out."""
    canvas.box((0, 0, canvas.width, canvas.height), 10, CARD, EDGE)
    px, pad = canvas.px, canvas.px(_PAD)
    right = canvas.width - pad
    texts = max((len(row) - 1 for row in table.rows), default=1)
    titles = table.titles[:texts] if len(table.titles) > 1 else ()
    columns = []
    for place in range(texts):
        widths = [canvas.text_width(row[place + 1], SMALL) for row in table.rows if place + 1 < len(row)]
        widths += [canvas.text_width(title, TINY) for title in titles[place : place + 1]]
        columns.append(max(widths, default=0) + px(12))
    columns = fitted(columns, (right - pad) * 2 // 3)
    ends = [right - sum(columns[place + 1 :]) for place in range(texts)]
    canvas.text("Numbers", pad, px(19), BODY, bold=True, room=right - pad - (sum(columns) if titles else 0))
    for title, end, column in zip(titles, ends, columns, strict=False):
        canvas.text(title, end, px(19), TINY, MUTED, align="right", room=column - px(6))
    for number, row in enumerate(table.rows):
        middle = px(TOP + ROW * number + ROW / 2)
        if middle + px(ROW / 2) > canvas.height - px(4):
            return
        if number:
            canvas.surface.fill(GRID, (pad, middle - px(ROW / 2), right - pad, max(1, px(1))))
        canvas.text(row[0], pad, middle, SMALL, MUTED, room=right - pad - sum(columns))
        for line, end, column in zip(row[1:], ends, columns, strict=False):
            canvas.text(line, end, middle, SMALL, INK, align="right", room=column - px(6))
