"""What is known of one cell: a bar for each action's Q with the truth beside it, and the returns it expects."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridrl.studio.shown import Facts
from gridrl.studio.views import shapes, text
from gridrl.studio.views.canvas import BODY, SMALL, TINY, Canvas
from gridrl.studio.views.palette import ACCENT, CARD, EDGE, FAINT, GRID, INK, MUTED, TRUTH, Colour

POINT_AT_A_CELL = "Point at a cell to see what is known of it."
NO_VALUES = "No action is valued here."
_BAR: Colour = (91, 151, 201)  # the high end of the values' colours
_BEST: Colour = ACCENT
_PAD = 12


class CellFacts(NamedTuple):
    """What a panel of facts draws."""

    mind: str  # whose these are; empty where there is one mind
    facts: Facts | None


def draw(canvas: Canvas, shown: CellFacts) -> None:
    """Draw a panel of facts that fills the canvas."""
    canvas.box((0, 0, canvas.width, canvas.height), 10, CARD, EDGE)
    px, pad = canvas.px, canvas.px(_PAD)
    right = canvas.width - pad
    facts = shown.facts
    if facts is None:
        canvas.text(shown.mind or "This cell", pad, px(20), BODY, bold=True, room=right - pad)
        for number, line in enumerate(text.wrapped(POINT_AT_A_CELL, canvas.type_px(SMALL), right - pad, 3)):
            canvas.text(line, pad, px(44 + 18 * number), SMALL, MUTED)
        return
    has_names = canvas.height >= px(118)
    title = facts.title if has_names or not shown.mind else f"{shown.mind}: {facts.title}"
    canvas.text(title, pad, px(20), BODY, bold=True, room=right - pad)
    y = px(34)
    if has_names:
        _draw_names(canvas, shown.mind, facts, px(39))
        y = px(52)
    if facts.q is None:
        canvas.text(NO_VALUES, pad, y + px(10), SMALL, MUTED, room=right - pad)
        return
    low = canvas.height - px(8)
    has_returns = facts.returns is not None and low - y >= px(4 * 14 + 50)
    share = px(4 * 20) if low - y >= px(4 * 20 + 64) else px(4 * 15)
    bars_low = y + (share if has_returns else min(low - y, px(4 * 26)))
    _draw_bars(canvas, facts, pad, right, y, bars_low)
    if has_returns:
        _draw_returns(canvas, facts, pad, right, bars_low + px(6), low)


def _draw_names(canvas: Canvas, mind: str, facts: Facts, middle: int) -> None:
    """Write whose values these are, how often the cell was seen, and what the dark marks are."""
    px, pad = canvas.px, canvas.px(_PAD)
    right = canvas.width - pad
    if facts.truth is not None and facts.truth_name:
        used = canvas.text(facts.truth_name, right, middle, TINY, MUTED, align="right", room=(right - pad) // 2)
        canvas.surface.fill(TRUTH, (right - used - px(8), middle - px(5), max(2, px(2)), px(10)))
        right -= used + px(16)
    seen = "" if facts.visits is None else f"seen {text.count(facts.visits)}\N{MULTIPLICATION SIGN}"
    said = " \N{MIDDLE DOT} ".join(part for part in (mind, seen) if part)
    canvas.text(said, pad, middle, TINY, MUTED, room=right - pad)


def _draw_bars(canvas: Canvas, facts: Facts, left: int, right: int, top: int, low: int) -> None:
    assert facts.q is not None
    px = canvas.px
    q = np.asarray(facts.q, float)
    truth = None if facts.truth is None else np.asarray(facts.truth, float)
    everything = np.concatenate([q, truth if truth is not None else q])
    finite = everything[np.isfinite(everything)]
    begin, end = min(0.0, finite.min(initial=0.0)), max(0.0, finite.max(initial=0.0))
    begin, end = (begin, end) if end > begin else (0.0, 1.0)
    size = TINY if (low - top) / 4 < px(17) else SMALL
    texts = [text.number(value) for value in q]
    truths = [text.number(value) for value in truth] if truth is not None else []
    q_width = max(canvas.text_width(line, size, bold=True) for line in texts)
    truth_width = max((canvas.text_width(line, size) for line in truths), default=0)
    arrow = px(16)
    x0 = left + arrow + px(6)
    x1 = right - q_width - (truth_width + px(10) if truths else 0) - px(10)
    pitch = (low - top) / 4
    thick = max(min(round(pitch * 0.5), px(10)), 3)

    def at(value: float) -> int:
        return x0 + round((value - begin) / (end - begin) * max(x1 - x0, 1))

    best = np.isfinite(q) & (q >= np.nanmax(q)) if np.isfinite(q).any() else np.zeros(4, bool)
    for action in range(4):
        middle = round(top + pitch * (action + 0.5))
        arrow_picture = shapes.arrows(arrow - px(3), (action,), INK if best[action] else FAINT)
        canvas.surface.blit(arrow_picture, (left, middle - arrow_picture.get_height() // 2))
        if x1 - x0 > px(24):
            canvas.surface.fill(GRID, (x0, middle - thick // 2, x1 - x0, thick))
            if np.isfinite(q[action]):
                bar = sorted((at(0.0), at(float(q[action]))))
                colour = _BEST if best[action] else _BAR
                canvas.surface.fill(colour, (bar[0], middle - thick // 2, max(bar[1] - bar[0], 1), thick))
            if truth is not None and np.isfinite(truth[action]):
                mark = max(2, px(2))
                x = min(at(float(truth[action])), x1 - mark)
                canvas.surface.fill(CARD, (x - 1, middle - thick // 2 - px(2), mark + 2, thick + px(4)))
                canvas.surface.fill(TRUTH, (x, middle - thick // 2 - px(2), mark, thick + px(4)))
        value_right = right - (truth_width + px(10) if truths else 0)
        canvas.text(texts[action], value_right, middle, size, INK, bold=bool(best[action]), align="right")
        if truths:
            canvas.text(truths[action], right, middle, size, MUTED, align="right")


def _draw_returns(canvas: Canvas, facts: Facts, left: int, right: int, top: int, low: int) -> None:
    """Draw the histogram of the best action's returns, and a line at its mean."""
    assert facts.q is not None
    assert facts.returns is not None
    px = canvas.px
    best = int(np.nanargmax(facts.q)) if np.isfinite(facts.q).any() else 0
    name = facts.actions[best]
    canvas.text(f"Returns expected of {name}", left, top + px(7), TINY, MUTED, room=right - left)
    top += px(20)
    base = low - px(16)
    num_bins = max(min((right - left) // max(px(5), 1), 48), 4)
    begin, end, heights = histogram(facts.returns, facts.probability, best, num_bins)
    canvas.surface.fill(EDGE, (left, base, right - left, max(1, px(1))))
    edges = [left + (right - left) * number // num_bins for number in range(num_bins + 1)]
    for x, following, height in zip(edges, edges[1:], heights / (heights.max() or 1.0), strict=False):
        h = round(height * (base - top))
        if h:
            canvas.surface.fill(_BAR, (x, base - h, max(following - x - 1, 1), h))
    mean = float(facts.q[best])
    if begin <= mean <= end:
        x = left + round((mean - begin) / (end - begin) * (right - left - 1))
        canvas.surface.fill(_BEST, (x, top, max(2, px(2)), base - top))
    canvas.text(text.number(begin), left, low - px(6), TINY, MUTED)
    canvas.text(text.number(end), right, low - px(6), TINY, MUTED, align="right")


def histogram(
    returns: NDArray[np.floating], probability: NDArray[np.floating] | None, action: int, num_bins: int
) -> tuple[float, float, NDArray[np.float64]]:
    """Return the two ends and the probability in each bin of one action's returns; all actions share the ends."""
    returns = np.asarray(returns, float)
    if probability is None:
        probability = np.full_like(returns, 1 / returns.shape[1])
    held = np.asarray(probability, float) > 1e-3 * np.max(probability)  # what is all but impossible has no room
    begin, end = float(returns[held].min()), float(returns[held].max())
    if end - begin < 1e-9 * max(abs(begin), abs(end), 1e-9):
        begin, end = begin - 0.5, end + 0.5
    heights, _ = np.histogram(returns[action], num_bins, (begin, end), weights=probability[action])
    return begin, end, heights.astype(np.float64)
