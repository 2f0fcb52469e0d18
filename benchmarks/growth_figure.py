"""What was found of growing costs, as a figure: a panel for each growth, times over sizes, both logarithmic."""

from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, NullLocator

from benchmarks.growth_report import shown_times, slope_head, slope_text, whole
from gridrl.plots.looks import agent_look
from gridrl.plots.style import PAGE_WIDTH, new_figure, styled, wrapped

LOOKS = [agent_look(name) for name in ("q-learning", "dqn", "double-dqn", "dueling-dqn", "c51", "noisy-dqn")]
GUIDE = "#9ca3af"
PANEL, GAP, TOP, LEFT, RIGHT = 2.15, 0.75, 0.75, 0.75, 3.1  # inches
LABEL = 0.155  # inches, of a line of text
HOW_TO_READ = (
    "How to read: dots are medians over the turns, thin lines reach from the shortest to the longest. Both scales are "
    "logarithmic: a slope of 0 is a cost that does not grow, 1 (grey, dashed) one that grows as the size does. On the "
    "right are the slopes, medians with their ranges over the turns. In growth-runs they are those of a step of all "
    "runs together, and the time shown is that of one run: level is linear."
)


@styled()
def growth_figure(results: dict[str, Any]) -> Figure:
    """Return the figure of all growths that were measured."""
    growths, machine = results["growths"], results["machine"]
    note = wrapped(
        f"{HOW_TO_READ}\n{machine['processor']}, {machine['usable_cores']} cores; load average {results['load'][0]} to "
        f"{results['load'][-1]}; {results['options']['turns']} turns of {results['options']['seconds']:g} s.",
        PAGE_WIDTH - 0.3,
        8,
    )
    note_height = 0.165 * (note.count("\n") + 1) + 0.12
    height = TOP + len(growths) * (PANEL + GAP) + note_height
    figure = new_figure(PAGE_WIDTH, height)
    for place, growth in enumerate(growths):
        bottom = height - TOP - place * (PANEL + GAP) - PANEL
        width = PAGE_WIDTH - LEFT - RIGHT
        axes = figure.add_axes((LEFT / PAGE_WIDTH, bottom / height, width / PAGE_WIDTH, PANEL / height))
        _draw(axes, growth)
    figure.text(0.15 / PAGE_WIDTH, 1 - 0.3 / height, "How costs grow", fontsize=11, weight="bold")
    figure.text(0.15 / PAGE_WIDTH, note_height / height, note, fontsize=8, va="top", linespacing=1.35)
    return figure


def _draw(axes: Axes, growth: dict[str, Any]) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    sizes = sorted({size for line in growth["lines"] for size in line["sizes"]})
    ends = []
    for look, line in zip(LOOKS, growth["lines"], strict=False):
        times = shown_times(growth, line)
        middle = [median(turns) for turns in times]
        axes.vlines(
            line["sizes"], [min(turns) for turns in times], [max(turns) for turns in times], look.colour, lw=0.9
        )
        axes.plot(
            line["sizes"], middle, color=look.colour, linestyle=look.dashes, marker=look.marker, markersize=4, lw=1.5
        )
        ends.append((line["sizes"][-1], middle[-1]))
    axes.set_xlim(sizes[0] / 1.15, sizes[-1] * 1.15)
    _widen(axes)
    if not growth["shared"]:
        _guide(axes)
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: whole(round(value)))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if np.ptp(np.log10(axes.get_ylim())) < 2 else (1,)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(lambda value, _: _duration(value))
    axes.set_xlabel(growth["size"])
    axes.set_title(f"{growth['name']}: time of {growth['time']}", fontsize=9)
    axes.text(1.05, 1.035, slope_head(growth), transform=axes.transAxes, fontsize=8)
    _name(axes, growth["lines"], ends)


def _widen(axes: Axes) -> None:
    """Make room above and below, and show a factor of ten at least: else noise looks like growth."""
    low, high = np.log10(axes.get_ylim())
    spare = max(0.0, 1.0 - (high - low)) / 2 + 0.05
    axes.set_ylim(10 ** (low - spare), 10 ** (high + spare))


def _guide(axes: Axes) -> None:
    """Draw growth as large as the size's, from the lower left corner."""
    (begin, end), low = axes.get_xlim(), axes.get_ylim()[0]
    limits = axes.get_ylim()
    axes.plot((begin, end), (low, low * end / begin), color=GUIDE, linestyle="--", linewidth=1, zorder=1)
    axes.set_ylim(limits)


def _name(axes: Axes, lines: Sequence[dict[str, Any]], ends: Sequence[tuple[float, float]]) -> None:
    """Write each line's name and slopes on the right, at its end's height as far as the others leave room."""
    heights = [axes.transAxes.inverted().transform(axes.transData.transform(end))[1] for end in ends]
    texts = [_text(line) for line in lines]
    rows = [LABEL * (text.count("\n") + 1) / PANEL for text in texts]
    for look, end, text, at in zip(LOOKS, ends, texts, spread(heights, rows), strict=False):
        axes.annotate(
            text,
            end,
            (1.05, at),
            "data",
            axes.transAxes,
            {"arrowstyle": "-", "color": look.colour, "linewidth": 0.6, "shrinkA": 2, "shrinkB": 4, "relpos": (0, 0.5)},
            va="center",
            fontsize=8,
            color=look.colour,
        )


def _text(line: dict[str, Any]) -> str:
    parts = line["slopes"]
    if len(parts) == 1:
        return f"{line['name']}: {slope_text(parts[0]['slope'])}"
    return "\n".join(
        [line["name"], *(f"  {slope_text(part['slope'])} {part['part']}" for part in parts if part["slope"])]
    )


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= 0.999 * size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds / 1e-6:g} us"


def spread(wanted: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Return places near the wanted ones, in their order, at which labels of these heights do not overlap.

    Labels that touch are one block, in the middle of what its labels want.
    """
    blocks: list[tuple[list[int], float, float]] = []  # labels from below, the middle, the height
    for label in sorted(range(len(wanted)), key=wanted.__getitem__):
        labels, middle, height = [label], wanted[label], sizes[label]
        while blocks and blocks[-1][1] + blocks[-1][2] / 2 > middle - height / 2:
            below, its_middle, its_height = blocks.pop()
            middle = (len(below) * its_middle + len(labels) * middle) / (len(below) + len(labels))
            labels, height = below + labels, its_height + height
        blocks.append((labels, middle, height))
    places = [0.0] * len(wanted)
    for labels, middle, height in blocks:
        edge = middle - height / 2
        for label in labels:
            places[label] = edge + sizes[label] / 2
            edge += sizes[label]
    return places
