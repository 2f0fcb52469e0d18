"""Boards beside and below each other, as large as they can be."""

from gridrl.studio.views import header
from gridrl.studio.views.palette import PAPER
from gridrl.studio.views.parts import Part, Rect, Unit

_GAP = 16
_LARGEST = 112  # a cell's side, in design units
_HEAD_GAP = 4


def place(u: Unit, shapes: tuple[tuple[int, int], ...], head: int, area: Rect) -> tuple[float, list[Part]]:
    """Return the smallest tile, in pixels, and the parts: a header (where `head`) and a board for each shape.

    `shapes` are rows and columns; all boards have tiles of one size where they have one shape.
    """
    if not shapes:
        return 0.0, []
    rows, columns = max(shape[0] for shape in shapes), max(shape[1] for shape in shapes)
    gap, (x, y, w, h) = u(_GAP), area
    best: tuple[int, int, int] = (0, 1, 0)
    for across in range(1, len(shapes) + 1):
        down = -(-len(shapes) // across)
        pane_w = (w - gap * (across - 1)) // across
        heading = _head_height(u, head, pane_w)
        pane_h = (h - gap * (down - 1)) // down - heading
        tile = min(pane_w // columns, pane_h // rows, u(_LARGEST))
        if tile > best[0]:
            best = (tile, across, heading)
    tile, across, heading = best
    if tile < 1:  # the level is larger than the window: its upper left corner is seen
        tile, across, heading = 1, 1, 0
    down = -(-len(shapes) // across)
    board_w, board_h = columns * tile, rows * tile
    # A header may be wider than its board, up to half the gap beside it, so that a small board's legend is legible.
    pane_w = (w - gap * (across - 1)) // across
    head_w = min(max(board_w, u(300)), pane_w)
    cell_w = max(board_w, head_w if heading else 0)
    left = x + (w - cell_w * across - gap * (across - 1)) // 2
    top = y + max((h - (board_h + heading) * down - gap * (down - 1)) // 2, 0) * (0 if heading else 1)
    parts: list[Part] = []
    for number, (its_rows, its_columns) in enumerate(shapes):
        row, column = divmod(number, across)
        in_row = min(across, len(shapes) - row * across)
        indent = (across - in_row) * (cell_w + gap) // 2
        px = left + indent + column * (cell_w + gap)
        py = top + row * (board_h + heading + gap)
        if heading:
            parts.append(Part("header", (px, py, cell_w, heading - u(_HEAD_GAP)), number=number, behind=PAPER))
        rect = (
            px + (cell_w - its_columns * tile) // 2,
            py + heading,
            min(its_columns * tile, w),
            min(its_rows * tile, h),
        )
        parts.append(Part("board", rect, number=number, tile=tile))
    return float(tile), parts


def _head_height(u: Unit, head: int, width: int) -> int:
    if not head:
        return 0
    return u(header.LINE if width >= u(header.WIDE) else header.TWO_LINES) + u(_HEAD_GAP)
