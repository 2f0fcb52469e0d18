"""Controls in rows: the bar at the bottom, the row above the boards, the column at the left."""

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from gridrl.studio.views import controls, icons
from gridrl.studio.views.palette import CARD, PAPER, Colour
from gridrl.studio.views.parts import ControlNames, Part, Rect, Unit, fitted

if TYPE_CHECKING:
    from gridrl.studio.views.layout import Content

_GAP, _GROUP_GAP = 6, 16
_BUTTON = 28
_LEAST_TIMELINE = 300


class Bar(NamedTuple):
    """The bar at the bottom."""

    card: Rect
    parts: list[Part]


class Density(NamedTuple):
    """How closely the controls of the column stand, in design units."""

    button: float
    gap: float
    title: float  # height of a group's title; 0: a gap instead
    slider: float
    icon: float
    with_keys: bool


_DENSITIES = (
    Density(28, 6, 24, 38, 36, True),
    Density(26, 5, 22, 34, 32, True),
    Density(24, 4, 20, 32, 30, False),
    Density(22, 3, 18, 22, 26, False),
    Density(20, 2, 0, 20, 24, False),
    Density(17, 2, 0, 17, 22, False),
)
_SEPARATION = 8  # between groups


def _width(u: Unit, control: tuple[str, str, str, str], with_key: bool) -> int:
    name, label, key, _ = control
    return controls.natural_width(label, key, with_key, u.zoom, icons.has_icon(name))


def _gaps(u: Unit, names: ControlNames) -> list[int]:
    """Return the gap before each control: wider where another group begins."""
    before = [None, *(control[3] for control in names)]
    return [
        0 if other is None else u(_GAP if other == control[3] else _GROUP_GAP)
        for other, control in zip(before, names, strict=False)
    ]


def _total(u: Unit, names: ControlNames, with_keys: bool) -> int:
    return sum(_width(u, control, with_keys) for control in names) + sum(_gaps(u, names))


def fits_bar(u: Unit, names: ControlNames, width: int, content: "Content") -> bool:
    """Return whether all controls of a simple page fit the bar, so that it needs no column of controls."""
    if content.sliders or content.has_timeline or any(icons.has_icon(control[0]) for control in names):
        return False
    return _total(u, names, True) <= width - 2 * u(10)


def row(u: Unit, names: ControlNames, area: Rect, *, behind: Colour = PAPER) -> list[Part]:
    """Set controls side by side; where they do not fit, first without their keys, then narrower and narrower."""
    x, y, w, h = area
    with_keys = _total(u, names, True) <= w
    gaps = _gaps(u, names)
    widths = [_width(u, control, with_keys) for control in names]
    if sum(widths) + sum(gaps) > w:
        gaps = [min(gap, u(3)) for gap in gaps]
    room = max(w - sum(gaps), len(names))
    widths = fitted(widths, room)
    parts = []
    for control, width, gap in zip(names, widths, gaps, strict=True):
        x += gap
        parts.append(Part("button", (x, y, width, h), control[0], with_key=with_keys, behind=behind))
        x += width
    return parts


def bottom_bar(u: Unit, names: ControlNames, has_timeline: bool, left: int, right: int, low: int) -> Bar:
    """Set time's controls and the timeline, in one row where that is long enough, else in two."""
    pad, height, gap = u(10), u(_BUTTON), u(_GROUP_GAP)
    inner_left, inner = left + pad, right - left - 2 * pad
    needed = _total(u, names, True) + (gap + u(_LEAST_TIMELINE) if has_timeline else 0)
    ending = tuple(control for control in names if control[3] == "window")
    leading = tuple(control for control in names if control[3] != "window")
    if needed <= inner or not (has_timeline and names):
        y = low - pad - height
        parts, x = _spread(u, leading, ending, (inner_left, y, inner, height))
        if has_timeline:
            stop = min((part.rect[0] for part in parts if part.rect[0] > x), default=inner_left + inner + gap) - gap
            begin = x + gap if leading else inner_left
            parts.append(Part("timeline", (begin, y - u(4), stop - begin, height + u(8))))
        return Bar((left, y - pad, right - left, height + 2 * pad), parts)
    past = tuple(control for control in leading if control[3] == "past")
    others = tuple(control for control in leading if control[3] != "past")
    y = low - pad - height
    parts, _ = _spread(u, others, ending, (inner_left, y, inner, height))
    upper = y - u(8) - height
    past_room = min(_total(u, past, True), inner // 2)
    if past_room < _total(u, past, True):
        past_room = min(_total(u, past, False), inner // 2)
    if past:
        parts += row(u, past, (inner_left + inner - past_room, upper, past_room, height), behind=CARD)
    end = inner_left + inner - past_room - (gap if past else 0)
    parts.append(Part("timeline", (inner_left, upper - u(4), end - inner_left, height + u(8))))
    return Bar((left, upper - pad, right - left, 2 * height + u(8) + 2 * pad), parts)


def _spread(u: Unit, leading: ControlNames, ending: ControlNames, area: Rect) -> tuple[list[Part], int]:
    """Set some controls from the left and some at the right end; return them and where the left ones end."""
    x, y, w, h = area
    gap = u(_GROUP_GAP) if leading and ending else 0
    if _total(u, leading, True) + gap + _total(u, ending, True) > w:
        everything = row(u, (*leading, *ending), area, behind=CARD)
        last = everything[len(leading) - 1].rect if leading else (x, y, 0, h)
        return everything, last[0] + last[2]
    parts = row(u, leading, area, behind=CARD) if leading else []
    end = parts[-1].rect[0] + parts[-1].rect[2] if parts else x
    if ending:
        wide = _total(u, ending, True)
        parts += row(u, ending, (x + w - wide, y, wide, h), behind=CARD)
    return parts, end


def sidebar(u: Unit, buttons: ControlNames, sliders: ControlNames, area: Rect) -> list[Part]:
    """Set all controls in a column by their groups, as closely as needed; what still has no room is left out."""
    low = area[1] + area[3]
    for density in _DENSITIES:
        parts, end = _column(u, buttons, sliders, area, density)
        if end <= low:
            return parts
    return [part for part in parts if part.rect[1] + part.rect[3] <= low]


def _column(
    u: Unit, buttons: ControlNames, sliders: ControlNames, area: Rect, density: Density
) -> tuple[list[Part], int]:
    x, y, w, _ = area
    gap = u(density.gap)
    parts: list[Part] = []
    groups = list(dict.fromkeys(control[3] for control in (*buttons, *sliders)))
    for number, group in enumerate(groups):
        if number:
            y += u(_SEPARATION)
        if group and density.title:
            title = u(density.title if number else 16)
            parts.append(Part("group", (x, y, w, title), group))
            y += title
        of_group = [control for control in buttons if control[3] == group]
        for pictured, several in groupby(of_group, key=lambda control: icons.has_icon(control[0])):
            chosen = tuple(several)
            if pictured:
                rows, y = _icons(u, chosen, (x, y, w, 0), density)
            else:
                rows, y = _slots(u, chosen, (x, y, w, 0), density)
            parts += rows
            y += gap
        for slider in sliders:
            if slider[3] == group:
                parts.append(Part("slider", (x, y, w, u(density.slider)), slider[0]))
                y += u(density.slider) + u(density.gap / 2)
        y -= gap if of_group or any(slider[3] == group for slider in sliders) else 0
    return parts, y


def _icons(u: Unit, names: ControlNames, area: Rect, density: Density) -> tuple[list[Part], int]:
    """Set pictured controls as a grid of squares."""
    x, y, w, _ = area
    gap = u(density.gap)
    across = max((w + gap) // (u(density.icon) + gap), 1)
    across = -(-len(names) // -(-len(names) // across))  # rows of nearly equal length
    parts = []
    for number, control in enumerate(names):
        row_number, column = divmod(number, across)
        x0, x1 = (x + (w + gap) * place // across for place in (column, column + 1))
        rect = (x0, y + row_number * (u(density.icon) + gap), x1 - x0 - gap, u(density.icon))
        parts.append(Part("button", rect, control[0], as_icon=True))
    return parts, parts[-1].rect[1] + parts[-1].rect[3]


def _slots(u: Unit, names: ControlNames, area: Rect, density: Density) -> tuple[list[Part], int]:
    """Set controls in slots of a third, a half or the whole of the width, as their labels need."""
    x, y, w, _ = area
    gap, height = u(density.gap), u(density.button)
    widths = [_width(u, control, density.with_keys) for control in names]
    across = 3 if len(names) > 2 and max(widths) <= (w - 2 * gap) // 3 else 2
    parts: list[Part] = []
    column = 0
    for place, (control, width) in enumerate(zip(names, widths, strict=True)):
        slot = (w + gap) // across
        alone = column == 0 and place == len(names) - 1
        span = across if width > slot - gap or alone else 1
        if column + span > across:
            # The one before has the rest of its row to itself.
            last = parts[-1]
            parts[-1] = last._replace(rect=(*last.rect[:2], x + w - last.rect[0], last.rect[3]))
            y, column = y + height + gap, 0
        right = x + w if column + span == across else x + (column + span) * slot - gap
        left = x + column * slot
        parts.append(Part("button", (left, y, right - left, height), control[0], with_key=density.with_keys))
        column += span
        if column >= across:
            y, column = y + height + gap, 0
    if column:
        last = parts[-1]
        parts[-1] = last._replace(rect=(*last.rect[:2], x + w - last.rect[0], last.rect[3]))
        y += height + gap
    return parts, y - gap
