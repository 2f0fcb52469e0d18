"""The legend and the keys, over the whole page: made from the same buttons that the page shows."""

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from gridrl.studio.shown import Button, Scale, Slider
from gridrl.studio.views import controls, header, shapes, text, tiles
from gridrl.studio.views.canvas import BODY, SMALL, TINY, TITLE, Canvas
from gridrl.studio.views.palette import CARD, EDGE, INK, MUTED, PAPER, TRUTH

if TYPE_CHECKING:
    import pygame

_MARGIN, _PAD, _SMALL_PAD = 12, 24, 16
_NARROW = 720  # below this width the small pad
_TOP = 60
_SPRITES = (
    ("player", "player", ""),
    ("player start", "start", "Of several, each episode draws one."),
    ("coin", "coin", ""),
    ("poison", "poison", ""),
    ("goal", "goal", "Ends the episode."),
    ("pit", "pit", "Ends the episode."),
    ("patroller3", "patroller", "Its tip shows where it goes next."),
    ("wall", "wall", ""),
)


class HelpData(NamedTuple):
    """What the help says."""

    buttons: tuple[Button, ...]
    sliders: tuple[Slider, ...]
    map_name: str
    scale: Scale | None
    has_triangles: bool


# Draws at (left, middle), at most so many pixels high.
Picture = Callable[[Canvas, int, int, int], None]


class _Entry(NamedTuple):
    """One line of the help."""

    picture: "Picture | None"  # None: a title
    label: str
    hint: str = ""


class _Style(NamedTuple):
    row: float
    size: float
    hints: bool
    column: float  # least width
    picture: float  # width of what stands before the label


_STYLES = (
    _Style(24, BODY, True, 300, 64),
    _Style(20, SMALL, True, 260, 54),
    _Style(19, SMALL, True, 215, 48),
    _Style(22, SMALL, False, 190, 60),
    _Style(18, TINY, False, 150, 56),
    _Style(15.5, TINY, False, 114, 44),
    _Style(12, TINY - 2, False, 100, 40),
)


def draw(canvas: Canvas, data: HelpData) -> None:
    """Draw the help over the whole canvas; the text grows smaller where there is little room."""
    px, margin = canvas.px, canvas.px(_MARGIN)
    pad = px(_PAD if canvas.width >= px(_NARROW) else _SMALL_PAD)
    canvas.surface.fill(PAPER)
    card = (margin, margin, canvas.width - 2 * margin, canvas.height - 2 * margin)
    canvas.box(card, 12, CARD, EDGE)
    x, w = margin + pad, card[2] - 2 * pad
    close = next((button for button in data.buttons if button.name == "help"), None)
    used = 0
    if close is not None and close.key:
        said = "closes this"
        used = canvas.text(said, x + w, margin + px(32), SMALL, MUTED, align="right") + px(8)
        cap = canvas.text_width(text.key_cap(close.key), TINY) + px(10)
        used += controls.draw_cap(canvas, close.key, x + w - used - cap, margin + px(32), INK, CARD, px(18)) + px(16)
    canvas.text("Legend and keys", x, margin + px(32), TITLE + 4, bold=True, room=w - used)
    top, low = margin + px(_TOP), card[1] + card[3] - px(14)
    groups = _groups(data)
    for style, unbroken in product(_STYLES, (True, False)):
        most = max((w + pad) // (px(style.column) + pad), 1)
        for columns in range(1, most + 1):  # the fewest columns that do
            wide = (w + pad) // columns - pad
            flow = _flow(canvas, groups, style, columns, wide, low - top, unbroken)
            if flow is not None:
                break
        if flow is not None:
            break
    flow = flow or _flow(canvas, groups, style, columns, wide, 10**9, False) or []
    for column, y, entry in flow:
        if top + y + px(style.row) <= low + px(6):
            _draw_entry(canvas, entry, style, x + column * (wide + pad), top + y, wide)


def _flow(
    canvas: Canvas,
    groups: list[list[_Entry]],
    style: _Style,
    columns: int,
    width: int,
    height: int,
    unbroken: bool,
) -> list[tuple[int, int, _Entry]] | None:
    """Return the column and the height of each entry, with groups in one piece or not; None where there is no room."""
    placed: list[tuple[int, int, _Entry]] = []
    column, y = 0, 0
    for group in groups:
        heights = [_height(canvas, entry, style, width) for entry in group]
        if y:
            y += round(canvas.px(style.row) * 0.6)
        if y and y + (sum(heights) if unbroken else sum(heights[:2])) > height:
            column, y = column + 1, 0
        for entry, tall in zip(group, heights, strict=True):
            if y and y + tall > height:
                column, y = column + 1, 0
            placed.append((column, y, entry))
            y += tall
    return placed if column < columns else None


def _height(canvas: Canvas, entry: _Entry, style: _Style, width: int) -> int:
    height = canvas.px(style.row)
    if style.hints and entry.hint:
        lines = text.wrapped(entry.hint, canvas.type_px(TINY), width - canvas.px(style.picture))
        height += len(lines) * canvas.px(14) + canvas.px(4)
    return height


def _draw_entry(canvas: Canvas, entry: _Entry, style: _Style, x: int, y: int, width: int) -> None:
    px = canvas.px
    middle = y + px(style.row) // 2
    if entry.picture is None:
        canvas.text(entry.label, x, middle, style.size, MUTED, bold=True, room=width)
        return
    entry.picture(canvas, x, middle, px(style.row) - 1)
    left = x + px(style.picture)
    canvas.text(entry.label, left, middle, style.size, INK, room=width - px(style.picture))
    if style.hints and entry.hint:
        lines = text.wrapped(entry.hint, canvas.type_px(TINY), width - px(style.picture))
        for number, line in enumerate(lines):
            canvas.text(line, left, y + px(style.row) + px(14 * number + 5), TINY, MUTED)


def _groups(data: HelpData) -> list[list[_Entry]]:
    groups = [[_Entry(None, "On the board"), *(_Entry(_sprite(name), label, hint) for name, label, hint in _SPRITES)]]
    groups.append(_colours(data))
    every: tuple[Button | Slider, ...] = (*data.buttons, *data.sliders)
    for group in dict.fromkeys(control.group for control in every):
        entries = [_Entry(None, group.capitalize() or "Controls")]
        for button in data.buttons:
            if button.group == group:
                entries.append(_Entry(_cap(button.key), button.label, button.hint))
        for slider in data.sliders:
            if slider.group == group:
                entries.append(_Entry(_slider, slider.label, slider.hint))
        groups.append(entries)
    return groups


def _colours(data: HelpData) -> list[_Entry]:
    triangles = data.has_triangles
    entries = [_Entry(None, "Colours and marks")]
    if data.scale is not None:
        entries += [
            _Entry(_ramp(data.scale.signed), data.map_name or "the map, low to high"),
            _Entry(_picture(lambda size: tiles.ground(size, ("floor",))), "bare floor", "Nothing is known of it."),
            _Entry(_picture(lambda size: tiles.head(size, 3) if triangles else tiles.greedy(size, 8)), "best action"),
        ]
        if not triangles:
            entries.append(_Entry(_picture(lambda size: tiles.greedy(size, 15)), "all are alike"))
        entries.append(_Entry(_truth, "the true value"))
    entries += [
        _Entry(_picture(lambda size: tiles.trail(size, 1 << 4 | 12)), "way that it came"),
        _Entry(_picture(lambda size: tiles.frame(size, 2, False)), "cell looked at"),
        _Entry(_picture(tiles.glow), "out of reach"),
    ]
    return entries


def _picture(make: "Callable[[int], pygame.Surface]") -> Picture:
    def draw_picture(canvas: Canvas, left: int, middle: int, height: int) -> None:
        picture = make(min(canvas.px(18), height))
        canvas.surface.blit(picture, (left, middle - picture.get_height() // 2))

    return draw_picture


def _sprite(name: str) -> Picture:
    if name == "wall":
        return _picture(lambda size: tiles.ground(size, ("wall",)))
    if name == "player start":
        return _picture(_start)
    return _picture(lambda size: tiles.sprite(size, name))


def _start(size: int) -> "pygame.Surface":
    picture = shapes.clear((size, size))
    picture.blit(tiles.sprite(size, "player", 0.55), (0, 0))
    picture.blit(tiles.frame(size, 1, True), (0, 0))
    return picture


def _cap(key: str) -> Picture:
    def draw_key(canvas: Canvas, left: int, middle: int, height: int) -> None:
        if key:
            controls.draw_cap(canvas, key, left, middle, INK, CARD, height)

    return draw_key


def _slider(canvas: Canvas, left: int, middle: int, height: int) -> None:
    canvas.box((left, middle - canvas.px(2), canvas.px(34), max(canvas.px(4), 2)), 2, EDGE)
    knob = shapes.disc(canvas.px(10), CARD, INK, canvas.px(1.5))
    canvas.surface.blit(knob, (left + canvas.px(12), middle - knob.get_height() // 2))


def _ramp(signed: bool) -> Picture:
    def draw_strip(canvas: Canvas, left: int, middle: int, height: int) -> None:
        header.draw_ramp(canvas, (left + 1, middle - canvas.px(5), canvas.px(36), canvas.px(10)), signed)

    return draw_strip


def _truth(canvas: Canvas, left: int, middle: int, height: int) -> None:
    canvas.surface.fill(TRUTH, (left + canvas.px(8), middle - canvas.px(6), max(2, canvas.px(2)), canvas.px(12)))
