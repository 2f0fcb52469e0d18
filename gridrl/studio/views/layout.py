"""Where everything stands, for any size of window and any zoom: a function of what there is, not of what it says.

At the left the controls, in the middle the boards with the choice of maps above them and the plots below or beside
them, at the right what is known of one cell, the numbers and the batch; at the bottom time and one line of text. In a
small window the right column goes first, then numbers and batch, then plots; controls shrink before any is left out.
"""

from functools import lru_cache
from typing import NamedTuple

from gridrl.studio.shown import Shown
from gridrl.studio.views import bars, boards, header, numbers
from gridrl.studio.views.parts import ControlNames, Part, Rect, Unit, grown

MARGIN = 12
STATUS = 28
_SIDES = ((1100, 224), (760, 200), (0, 178))  # from this width of window on, the width of the controls
_RIGHT_FROM, _RIGHT_WIDTH = 1180, 284
_FACTS, _LEAST_FACTS, _LEAST_BATCH = 232, 150, 110
_LEAST_PLOT = (168, 96)
_MOST_BELOW = 340
_SHORT = 0.6  # a column of controls that needs less of its height has a card of its own height
BARRED = ("time", "past", "window")  # groups that stand in the bar at the bottom
MAPS = "map"  # the group that stands above the boards


class Content(NamedTuple):
    """What there is to lay out."""

    boards: tuple[tuple[int, int], ...]  # rows and columns; the last may be the difference
    has_headers: bool
    num_minds: int
    has_facts: bool
    num_plots: int
    num_rows: int  # of the table of numbers
    has_batch: bool
    has_timeline: bool
    buttons: ControlNames
    sliders: ControlNames


class Layout(NamedTuple):
    """The parts of a page, none over another, and the cards that lie behind some of them."""

    parts: tuple[Part, ...]
    cards: tuple[Rect, ...]


def content_of(shown: Shown) -> Content:
    """Return what there is to lay out in what is shown."""
    every = (*shown.boards, *((shown.difference,) if shown.difference is not None else ()))
    return Content(
        tuple((board.level.rows, board.level.columns) for board in every),
        any(board.title or board.map is not None or board.note for board in every),
        len(shown.boards),
        bool(shown.facts or shown.plots),
        len(shown.plots),
        len(shown.numbers),
        bool(shown.batch),
        shown.timeline is not None,
        tuple((button.name, button.label, button.key, button.group) for button in shown.buttons),
        tuple((slider.name, slider.label, "", slider.group) for slider in shown.sliders),
    )


@lru_cache(maxsize=16)
def layout_of(content: Content, size: tuple[int, int], zoom: float) -> Layout:
    """Return where everything stands in a window of `size` pixels, whose design unit has `zoom` pixels."""
    u = Unit(zoom)
    width, height = size
    margin = u(MARGIN)
    parts: list[Part] = []
    cards: list[Rect] = []
    low = height - u(STATUS)
    parts.append(Part("status", (margin, low, max(width - 2 * margin, 1), u(STATUS))))
    left, right, top = margin, width - margin, margin

    maps = tuple(control for control in content.buttons if control[3] == MAPS)
    others = tuple(control for control in content.buttons if control[3] not in (*BARRED, MAPS))
    barred = tuple(control for control in content.buttons if control[3] in BARRED)
    if others and bars.fits_bar(u, (*barred, *others), right - left, content):
        barred, others = (*barred, *others), ()
    if barred or content.has_timeline:
        bar = bars.bottom_bar(u, barred, content.has_timeline, left, right, low)
        parts += bar.parts
        cards.append(bar.card)
        low = bar.card[1] - margin
    if others or content.sliders:
        side = next(u(wide) for least, wide in _SIDES if width >= u(least))
        pad = u(MARGIN)
        card = (left, top, side, max(low - top, 1))
        column = bars.sidebar(u, others, content.sliders, grown(card, -pad))
        end = max(part.rect[1] + part.rect[3] for part in column) + pad if column else low
        if end - top < _SHORT * card[3]:
            card = (left, top, side, end - top)
        parts += column
        cards.append(card)
        left += side + margin
    has_right = content.has_facts or content.num_rows or content.has_batch
    if has_right and width >= u(_RIGHT_FROM) and low - top >= u(360):
        wide = max(u(_RIGHT_WIDTH), min(width // 5, u(400)))
        right -= wide
        parts += _right_column(u, content, (right, top, wide, low - top))
        right -= margin
        content = content._replace(has_facts=False, num_rows=0, has_batch=False)
    if maps:
        row = bars.row(u, maps, (left, top, right - left, u(28)))
        parts += row
        top += u(28) + u(10)
    parts += _middle(u, content, (left, top, max(right - left, 1), max(low - top, 1)))
    return Layout(tuple(part for part in parts if part.rect[2] > 0 and part.rect[3] > 0), tuple(cards))


def _right_column(u: Unit, content: Content, area: Rect) -> list[Part]:
    """Stack facts, numbers and batch; what has no room is left out."""
    x, y, w, h = area
    gap, low = u(MARGIN), y + h
    parts: list[Part] = []
    table = u(numbers.height(content.num_rows)) if content.num_rows else 0
    reserved = (table + gap if table else 0) + (u(_LEAST_BATCH) + gap if content.has_batch else 0)
    fact_height = (h - reserved - gap * (content.num_minds - 1)) // max(content.num_minds, 1)
    fact_height = min(max(fact_height, u(_LEAST_FACTS)), u(_FACTS))
    for mind in range(content.num_minds if content.has_facts else 0):
        if y + fact_height <= low:
            parts.append(Part("facts", (x, y, w, fact_height), number=mind))
            y += fact_height + gap
    if table and low - y >= u(numbers.height(2)):
        table = min(table, low - y)
        parts.append(Part("numbers", (x, y, w, table)))
        y += table + gap
    if content.has_batch and low - y >= u(_LEAST_BATCH):
        parts.append(Part("batch", (x, y, w, low - y)))
    return parts


def _middle(u: Unit, content: Content, area: Rect) -> list[Part]:
    """Place the boards, and what else there is below or beside them, whichever leaves the boards larger tiles."""
    x, y, w, h = area
    gap = u(MARGIN)
    panels = _panels(content)
    head = 0
    if content.has_headers:
        head = u(header.LINE)
    if not panels or h < u(230) or w < u(_LEAST_PLOT[0]):
        return boards.place(u, content.boards, head, area)[1]
    least = max(u(_LEAST_PLOT[1]), round(h * 0.27))
    tile_below, below = boards.place(u, content.boards, head, (x, y, w, h - least - gap))
    side = max(u(_LEAST_PLOT[0]), round(w * 0.4))
    tile_beside, beside = boards.place(u, content.boards, head, (x, y, w - side - gap, h))
    if tile_beside > tile_below * 1.06 and w - side >= u(220):
        board_right = max(part.rect[0] + part.rect[2] for part in beside)
        shift = board_right - x
        return [*beside, *_grid(u, panels, (x + shift + gap, y, w - shift - gap, h))]
    board_low = max(part.rect[1] + part.rect[3] for part in below)
    panel_top = max(board_low + gap, y + h - u(_MOST_BELOW) * (2 if len(panels) > 4 else 1))
    slack = panel_top - board_low - gap
    below = [part._replace(rect=_moved(part.rect, 0, slack // 2)) for part in below]
    return [*below, *_grid(u, panels, (x, panel_top, w, y + h - panel_top))]


def _panels(content: Content) -> list[Part]:
    """Return the panels that stand by the boards, the most wanted first; their rects are still to come."""
    nowhere = (0, 0, 0, 0)
    panels = [Part("facts", nowhere, number=mind) for mind in range(content.num_minds)] if content.has_facts else []
    panels += [Part("plot", nowhere, number=number) for number in range(content.num_plots)]
    if content.num_rows:
        panels.append(Part("numbers", nowhere))
    if content.has_batch:
        panels.append(Part("batch", nowhere))
    return panels


def _grid(u: Unit, panels: list[Part], area: Rect) -> list[Part]:
    """Lay panels out in rows and columns of equal size, as many of them as have room."""
    x, y, w, h = area
    gap = u(MARGIN)
    least_w, least_h = u(_LEAST_PLOT[0]), u(_LEAST_PLOT[1])
    best: tuple[float, int, int, int] = (-1.0, 1, 1, 1)
    for columns in range(1, len(panels) + 1):
        for rows in range(1, -(-len(panels) // columns) + 1):
            pane_w, pane_h = (w + gap) // columns - gap, (h + gap) // rows - gap
            if (pane_w < least_w or pane_h < least_h) and (columns, rows) != (1, 1):
                continue
            count = min(columns * rows, len(panels))
            evenness = count / (columns * rows)
            score = count * 100 + evenness * 20 + min(pane_w / 1.9, pane_h) / max(u(1), 1) / 100
            if score > best[0]:
                best = (score, columns, rows, count)
    _, columns, rows, count = best
    placed = []
    for number, panel in enumerate(panels[:count]):
        row, column = divmod(number, columns)
        in_row = min(columns, count - row * columns)
        x0, x1 = (x + (w + gap) * place // in_row for place in (column, column + 1))
        y0, y1 = (y + (h + gap) * place // rows for place in (row, row + 1))
        placed.append(panel._replace(rect=(x0, y0, x1 - x0 - gap, y1 - y0 - gap)))
    return placed


def _moved(rect: Rect, right: int, down: int) -> Rect:
    return rect[0] + right, rect[1] + down, rect[2], rect[3]
