"""Curves that grow: lines over the steps of learning, with axes, a legend, and the truth dashed."""

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridrl.studio.shown import Line, Plot
from gridrl.studio.views import shapes
from gridrl.studio.views.canvas import BODY, TINY, Canvas
from gridrl.studio.views.palette import CARD, EDGE, FAINT, GRID, MUTED
from gridrl.studio.views.parts import fitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from gridrl.studio.views.shapes import Point

_PAD = 12
_DENSE = 1.5  # points per pixel from which a line is gathered into columns
_BAND_OPACITY = 60, 42  # of one line; of several
_LOW = 120  # a plot lower than this has no room for a line of legend
NOTHING_YET = "nothing yet"


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most `most` round numbers between two ends: steps of 1, 2 or 5 times a power of ten."""
    if not high > low or most < 1:
        return [low]
    step = 10 ** math.floor(math.log10((high - low) / most))
    for factor in (1, 2, 5, 10, 20, 50, 100):
        first, last = math.ceil(low / (step * factor) - 1e-9), math.floor(high / (step * factor) + 1e-9)
        if last - first + 1 <= most:
            return [number * step * factor for number in range(first, last + 1)]
    return [low]


def short(value: float) -> str:
    """Return an axis's number: 20000 as 20k."""
    size = abs(value)
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= unit * (10 if letter == "k" else 1):
            return f"{value / unit:.3g}{letter}".replace("-", "\N{MINUS SIGN}")
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}") if size > 1e-12 else "0"


class Dense(NamedTuple):
    """A line of more points than there is room for: by columns, its mean and how far it ranges."""

    steps: NDArray[np.float64]  # [C]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def gathered(steps: NDArray[np.float64], values: NDArray[np.float64], num_columns: int) -> Dense:
    """Return a line gathered into at most so many columns of equal width; columns without a known value are gone."""
    known = np.isfinite(values)
    steps, values = steps[known], values[known]
    span = (steps[-1] - steps[0]) or 1.0
    column = np.minimum((steps - steps[0]) * (num_columns / span), num_columns - 1).astype(np.int64)
    begins = np.flatnonzero(np.diff(column, prepend=-1))
    counts = np.diff(begins, append=len(steps))
    return Dense(
        np.add.reduceat(steps, begins) / counts,
        np.add.reduceat(values, begins) / counts,
        np.minimum.reduceat(values, begins),
        np.maximum.reduceat(values, begins),
    )


def draw(canvas: Canvas, plot: Plot) -> None:
    """Draw a plot that fills the canvas."""
    canvas.box((0, 0, canvas.width, canvas.height), 10, CARD, EDGE)
    px, pad = canvas.px, canvas.px(_PAD)
    right = canvas.width - pad
    used = canvas.text(plot.title, pad, px(19), BODY, bold=True, room=right - pad)
    top = px(36)
    named = tuple(line for line in plot.lines if line.label)
    if len(named) > 1:
        top = _draw_legend(canvas, named, pad, right, used)
    low = canvas.height - px(24)
    lines = [(line, *_known(line)) for line in plot.lines]
    if not any(len(steps) for _, steps, _ in lines) or low - top < px(24):
        if low - top >= px(24):
            canvas.text(NOTHING_YET, canvas.width // 2, (top + low) // 2, TINY, FAINT, align="middle")
        return
    _draw_lines(canvas, lines, pad, right, top, low)


def _known(line: Line) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a line's points, as arrays; none of them where no value is known."""
    steps, values = np.asarray(line.steps, np.float64), np.asarray(line.values, np.float64)
    return (steps, values) if np.isfinite(values).any() else (steps[:0], values[:0])


def _draw_legend(canvas: Canvas, lines: tuple[Line, ...], pad: int, right: int, title_width: int) -> int:
    """Draw the legend beside the title where it fits, else below it; return where the plot begins."""
    px = canvas.px
    swatch, gap, room = px(16), px(12), right - pad
    labels = [canvas.text_width(line.label, TINY) for line in lines]
    total = sum(labels) + (swatch + px(5)) * len(lines) + gap * (len(lines) - 1)
    beside = total <= room - title_width - px(16)
    if not beside and canvas.height < px(_LOW):  # no room for a line of its own
        beside, room = True, room - title_width - px(14)
        if room < px(30) * len(lines):
            return px(36)
    if total > room:
        swatch, gap = px(9), px(8)
        whole, labels = labels, fitted(labels, room - (swatch + px(5)) * len(lines) - gap * (len(lines) - 1))
        if any(width < min(wanted, px(32)) for width, wanted in zip(labels, whole, strict=True)):
            return px(36)  # a letter or two of a name say nothing
        total = sum(labels) + (swatch + px(5)) * len(lines) + gap * (len(lines) - 1)
    x, middle = (right - total, px(20)) if beside else (pad, px(38))
    thick = max(2, px(2))
    for line, width in zip(lines, labels, strict=True):
        if line.dashed:
            for part in (0.0, 0.4, 0.8):
                canvas.surface.fill(line.colour, (x + round(swatch * part), middle - thick // 2, swatch // 5, thick))
        else:
            canvas.surface.fill(line.colour, (x, middle - thick // 2, swatch, thick))
        canvas.text(line.label, x + swatch + px(5), middle, TINY, MUTED, room=width)
        x += swatch + px(5) + width + gap
    return px(36) if beside else px(52)


def _draw_lines(
    canvas: Canvas,
    lines: list[tuple[Line, NDArray[np.float64], NDArray[np.float64]]],
    pad: int,
    right: int,
    top: int,
    low: int,
) -> None:
    px = canvas.px
    lines = [each for each in lines if len(each[1])]
    first, last = min(steps[0] for _, steps, _ in lines), max(steps[-1] for _, steps, _ in lines)
    bottom = float(min(np.nanmin(values[np.isfinite(values)]) for _, _, values in lines))
    highest = float(max(np.nanmax(values[np.isfinite(values)]) for _, _, values in lines))
    if highest - bottom < 1e-9 * max(abs(highest), 1e-9):
        room = 0.5 * abs(highest) or 0.5
        bottom, highest = bottom - room, highest + room
    y_ticks = ticks(bottom, highest, max(3, (low - top) // px(28)))
    labels = [short(tick) for tick in y_ticks]
    left = pad + max(canvas.text_width(label, TINY) for label in labels) + px(7)
    plot_width, plot_height = max(right - left, 1), low - top
    last = last if last > first else first + 1

    def x_of(step: NDArray | float) -> NDArray | float:
        return left + (step - first) / (last - first) * plot_width

    def y_of(value: NDArray | float) -> NDArray | float:
        return low - (value - bottom) / (highest - bottom) * plot_height

    for tick, label in zip(y_ticks, labels, strict=True):
        y = round(float(y_of(tick)))
        canvas.surface.fill(GRID, (left, y, plot_width, max(1, px(1))))
        canvas.text(label, left - px(7), y, TINY, MUTED, align="right")
    free = pad  # right end of the last label
    for tick in ticks(first, last, max(2, plot_width // px(56))):
        x, label = round(float(x_of(tick))), short(tick)
        half = canvas.text_width(label, TINY) // 2
        at = min(max(x, pad + half), right - half)
        if at - half >= free:
            canvas.text(label, at, low + px(12), TINY, MUTED, align="middle")
            free = at + half + px(8)
    canvas.surface.fill(EDGE, (left, low, plot_width, max(1, px(1))))
    before = canvas.surface.get_clip()
    canvas.surface.set_clip((left - px(2), top - px(4), plot_width + px(6), plot_height + px(8)))
    opacity = _BAND_OPACITY[len(lines) > 1]
    for line, steps, values in lines:
        if len(steps) > _DENSE * plot_width and not line.dashed:
            dense = gathered(steps, values, max(plot_width // px(3), 1))
            _draw_band(canvas, line, dense, x_of, y_of, opacity)
            steps, values = dense.steps, dense.mean
        for points in _pieces(np.asarray(x_of(steps)), np.asarray(y_of(values))):
            _draw_line(canvas, line, points)
    canvas.surface.set_clip(before)


def _draw_band(
    canvas: Canvas,
    line: Line,
    dense: Dense,
    x_of: "Callable[..., Any]",
    y_of: "Callable[..., Any]",
    opacity: int,
) -> None:
    """Draw how far a dense line ranges, lightly."""
    x = np.asarray(x_of(dense.steps))
    above = list(zip(x.tolist(), np.asarray(y_of(dense.high)).tolist(), strict=True))
    below = list(zip(x.tolist(), np.asarray(y_of(dense.low)).tolist(), strict=True))
    if len(above) > 1:
        veil = shapes.clear(canvas.surface.get_size())
        shapes.load_pygame().draw.polygon(veil, (*line.colour, opacity), [*above, *below[::-1]])
        canvas.surface.blit(veil, (0, 0))


def _draw_line(canvas: Canvas, line: Line, points: "list[Point]") -> None:
    thickness = (1.5 if len(points) > 400 else 1.9) * canvas.zoom
    if len(points) == 1 and not line.dashed:
        dot = shapes.disc(max(canvas.px(5), 3), line.colour)
        x, y = points[0]
        canvas.surface.blit(dot, (round(x) - dot.get_width() // 2, round(y) - dot.get_height() // 2))
    pieces = shapes.dashes(points, canvas.px(6), canvas.px(4)) if line.dashed else [points]
    for piece in pieces:
        shapes.curve(canvas.surface, piece, line.colour, thickness)


def _pieces(x: NDArray, y: NDArray) -> "list[list[Point]]":
    """Return the points between gaps."""
    known = np.isfinite(y)
    edges = np.flatnonzero(np.diff(known.astype(np.int8), prepend=0, append=0))
    return [
        list(zip(x[begin:end].tolist(), y[begin:end].tolist(), strict=True))
        for begin, end in zip(edges[::2], edges[1::2], strict=True)
    ]
