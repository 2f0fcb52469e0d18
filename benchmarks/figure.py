"""What was found, as a figure: a bar for each comparison, from 1 (as fast as the peer) to the ratio."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from benchmarks.report import number
from gridrl.plots.style import INK, PAGE_WIDTH, new_figure, styled, wrapped

FASTER, SLOWER = "#0072B2", "#E69F00"  # of Okabe & Ito's; the side of the line at 1 tells them apart in grey
ROW, NAMES, RIGHT, TOP = 0.23, 3.0, 2.0, 0.5  # inches
HOW_TO_READ = (
    "How to read: a bar is how many times as fast as the peer we are, the median over the turns, with a thin line from "
    "the lowest to the highest; on the right stand both rates, ours first. The scale is logarithmic. A black mark is "
    "the aim."
)


@styled()
def ratio_figure(results: dict[str, Any]) -> Figure:
    """Return the figure of all comparisons that were measured on both sides."""
    rows = [row for row in results["comparisons"] if row.get("ratio")]
    machine = results["machine"]
    note = wrapped(
        f"{HOW_TO_READ}\n{machine['processor']}, {machine['usable_cores']} cores; load average {results['load'][0]} to "
        f"{results['load'][-1]}; {results['options']['turns']} turns of {results['options']['seconds']:g} s.",
        PAGE_WIDTH - 0.3,
        8,
    )
    # The note, and above it the axis with its ticks and its label.
    note_height = 0.165 * (note.count("\n") + 1) + 0.12
    bottom = note_height + 0.5
    bars = ROW * (len(rows) + 1)
    height = TOP + bars + bottom
    figure = new_figure(PAGE_WIDTH, height)
    axes = figure.add_axes(
        (NAMES / PAGE_WIDTH, bottom / height, (PAGE_WIDTH - NAMES - RIGHT) / PAGE_WIDTH, bars / height)
    )
    places = range(len(rows))
    ratios = [row["ratio"]["median"] for row in rows]
    axes.barh(
        places,
        [ratio - 1 for ratio in ratios],
        left=1,
        height=0.66,
        color=[FASTER if ratio >= 1 else SLOWER for ratio in ratios],
    )
    axes.set_xscale("log")
    axes.axvline(1, color=INK, linewidth=1)
    for place, row in zip(places, rows, strict=True):
        found, aim = row["ratio"], row["aim"]
        axes.plot((found["low"], found["high"]), (place, place), color=INK, linewidth=0.9)
        if aim is not None:
            axes.plot((aim, aim), (place - 0.45, place + 0.45), color="black", linewidth=2.4, zorder=4)
        axes.text(
            1.03,
            place,
            f"{number(row['ours']['rate'])} : {number(row['peer']['rate'])} {row['unit']}",
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=7.5,
        )
    axes.set_yticks(places, [row["what"] for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("times as fast as the peer")
    figure.text(0.15 / PAGE_WIDTH, 1 - 0.3 / height, "Speed beside the peers", fontsize=11, weight="bold")
    figure.legend(
        handles=[Patch(color=FASTER, label="faster"), Patch(color=SLOWER, label="slower"), _aim()],
        loc="upper right",
        ncols=3,
        bbox_to_anchor=(1 - 0.1 / PAGE_WIDTH, 1 - 0.1 / height),
    )
    figure.text(0.15 / PAGE_WIDTH, note_height / height, note, fontsize=8, va="top", linespacing=1.35)
    return figure


def _aim() -> Line2D:
    return Line2D(
        [],
        [],
        color="black",
        linewidth=2.4,
        linestyle="none",
        marker="|",
        markersize=9,
        markeredgewidth=2.4,
        label="aim",
    )
