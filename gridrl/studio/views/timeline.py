"""The moments that were kept, along a line that one can scrub."""

from gridrl.studio.shown import Timeline
from gridrl.studio.views import shapes, text
from gridrl.studio.views.canvas import SMALL, TINY, Canvas
from gridrl.studio.views.palette import ACCENT, CARD, EDGE, FAINT, INK, MUTED

_KNOB = 14
_END = 92  # width of the text at the right, in design units
_NEAR_NOW = 0.985  # beyond this the present is meant


def track(width: int, zoom: float) -> tuple[int, int]:
    """Return where the line begins and ends, in pixels from the left of a timeline `width` pixels wide."""
    return round(12 * zoom), max(width - round((_END + 10) * zoom), round(12 * zoom) + 1)


def position_of(timeline: Timeline, step: int) -> float:
    """Return where a step lies along the line, from 0 to 1 (now)."""
    return min(max(step / timeline.now, 0.0), 1.0) if timeline.now > 0 else 1.0


def moment_at(timeline: Timeline, position: float) -> int | None:
    """Return the kept step that lies nearest to a position; None where the present is nearer."""
    if not timeline.steps or position >= _NEAR_NOW:
        return None
    nearest = min(timeline.steps, key=lambda step: abs(position_of(timeline, step) - position))
    return nearest if abs(position_of(timeline, nearest) - position) <= 1.0 - position else None


def draw(canvas: Canvas, timeline: Timeline, hovered: bool, selected: bool) -> None:
    """Draw the line, a tick for each moment, and a knob at the one that is looked at."""
    canvas.surface.fill(CARD)
    px, middle = canvas.px, canvas.height // 2
    left, right = track(canvas.width, canvas.zoom)
    thick = max(px(4), 2)
    canvas.box((left, middle - thick // 2, right - left, thick), 2, EDGE)
    at_now = timeline.looked_at is None
    step = timeline.now if timeline.looked_at is None else timeline.looked_at
    knob_x = left + round(position_of(timeline, step) * (right - left))
    canvas.box((left, middle - thick // 2, max(knob_x - left, thick), thick), 2, ACCENT)
    for x in sorted({left + round(position_of(timeline, kept) * (right - left)) for kept in timeline.steps}):
        canvas.surface.fill(ACCENT if x <= knob_x else FAINT, (x, middle - px(6), max(1, px(1)), px(12)))
    knob = shapes.disc(px(_KNOB + (2 if hovered or selected else 0)), ACCENT if at_now else CARD, ACCENT, px(2.5))
    canvas.surface.blit(knob, (knob_x - knob.get_width() // 2, middle - knob.get_height() // 2))
    x = right + px(14)
    room = canvas.width - x
    tall = canvas.height >= px(34)
    upper = middle - px(8) if tall else middle
    canvas.text(f"step {text.count(step)}", x, upper, SMALL, INK, bold=True, room=room)
    if tall:
        below = "now" if at_now else f"of {text.count(timeline.now)}"
        canvas.text(below, x, middle + px(8), TINY, MUTED, room=room)
