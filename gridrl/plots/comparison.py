"""A comparison as one figure: curves, what is earned, who beats whom, bias, memory and time."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from gridrl.comparison.measures import Comparison, Standing
from gridrl.comparison.tables import number, size
from gridrl.intervals import Summary
from gridrl.plots.curves import learning_curves
from gridrl.plots.looks import TRUTH, Look, agent_look
from gridrl.plots.style import DIFFERENCES, INK, PAGE_WIDTH, fitting_size, new_figure, styled, wrapped

HOW_TO_READ = (
    "How to read: lines and dots are averages over the runs (seeds), bands and bars their 95 % bootstrap intervals; "
    "one run alone has none. Above: means. Middle: interquartile means, filled for the greedy policy, hollow at "
    "epsilon .05; beside it, how probably a run of the row earns more than one of the column, bold where it "
    "is hardly chance (p < .05). Below: bias is max Q minus what the learned policy truly earns, filled at the start, "
    "hollow over the states that it visits; right of zero it overestimates. Memory and time are those of one run; "
    "time is filled for the whole training and hollow for coming to {threshold:g} of the best possible (a median, "
    "missing where half of the runs never did)."
)
EDGE, GAP = 0.2, 0.3  # inches: of the page, and between axes
MIDDLE_ROW, BELOW_ROW = 0.33, 0.24  # inches of an entry
LEGEND_COLUMNS = 3


class Place(NamedTuple):
    """Where axes stand, in inches from the page's upper left corner."""

    left: float
    top: float
    width: float
    height: float


@styled()
def comparison_figure(comparison: Comparison, *, rng: np.random.Generator) -> Figure:
    """Return the figure of a comparison; `rng` draws the bootstrap of the curves' bands."""
    standings, count = comparison.standings, len(comparison.standings)
    looks = distinct_looks(standings)
    left = EDGE + min(0.5 + 0.068 * max(len(standing.label) for standing in standings), 2.4)
    legend = 0.18 * math.ceil((count + 1) / LEGEND_COLUMNS)
    curves = Place(0.8, 0.68, PAGE_WIDTH - 0.8 - EDGE, 2.3)
    matrix = 0.0 if count == 1 else max(min(0.5 * count, 2.9), 1.8)
    middle_top, middle = curves.top + curves.height + 0.5 + legend + 0.55, max(MIDDLE_ROW * count, 0.5)
    below_top, below = middle_top + middle + 0.95, BELOW_ROW * count + 0.15
    note = wrapped(HOW_TO_READ.format(threshold=comparison.threshold), PAGE_WIDTH - 2 * EDGE, 8)
    height = below_top + below + 0.6 + 0.165 * (note.count("\n") + 1) + 0.15

    figure = new_figure(PAGE_WIDTH, height)

    def add(place: Place) -> Axes:
        low = 1 - (place.top + place.height) / height
        return figure.add_axes((place.left / PAGE_WIDTH, low, place.width / PAGE_WIDTH, place.height / height))

    axes = add(curves)
    _draw_curves(axes, comparison, looks.__getitem__, rng)
    handles, labels = axes.get_legend_handles_labels()
    corner = (0.8 / PAGE_WIDTH, 1 - (curves.top + curves.height + 0.5) / height)
    figure.legend(handles, labels, loc="upper left", bbox_to_anchor=corner, ncols=LEGEND_COLUMNS, borderpad=0)
    dots = PAGE_WIDTH - left - EDGE - (matrix + GAP if matrix else 0.0)
    _draw_returns(add(Place(left, middle_top, dots, middle)), comparison, looks)
    if matrix:
        _draw_improvements(add(Place(PAGE_WIDTH - EDGE - matrix, middle_top, matrix, middle)), comparison)
    width = (PAGE_WIDTH - left - EDGE - 2 * GAP) / 3
    places = [add(Place(left + column * (width + GAP), below_top, width, below)) for column in range(3)]
    _draw_bias(places[0], standings, looks)
    _draw_memory(places[1], standings, looks)
    _draw_seconds(places[2], standings, looks)
    for axes in places[1:]:
        axes.set_yticklabels([])
    title = f"{comparison.problem} at step {comparison.step}"
    title_size = fitting_size(title, PAGE_WIDTH - 2 * EDGE, 12)
    figure.text(EDGE / PAGE_WIDTH, 1 - 0.22 / height, title, size=title_size, weight="bold", va="center")
    figure.text(EDGE / PAGE_WIDTH, 0.1 / height, note, size=8, va="bottom", linespacing=1.35)
    return figure


def distinct_looks(standings: Sequence[Standing]) -> dict[str, Look]:
    """Return a look for each label, no two alike: the agent's own, but where its colour is taken one that is not."""
    looks: dict[str, Look] = {}
    for standing in standings:
        taken = list(looks.values())
        own, *others = [agent_look(standing.agent), *(agent_look(f"{standing.label} {n}") for n in range(200))]
        free = [look for look in (own, *others) if look not in taken]
        fresh = [look for look in free if look.colour not in {other.colour for other in taken}]
        looks[standing.label] = (fresh or free or [own])[0]
    return looks


def _draw_curves(axes: Axes, comparison: Comparison, look: Callable[[str], Look], rng: np.random.Generator) -> None:
    best = _best_return(comparison.standings)
    lines = [] if best is None else [(f"best possible: {best:.0f}", best)]
    learning_curves(
        axes, comparison.curves, "greedy_return", rng=rng, lines=lines, title="Greedy return while learning", look=look
    )
    legend = axes.get_legend()
    assert legend is not None
    legend.remove()  # the figure has one in several columns


def _best_return(standings: Sequence[Standing]) -> float | None:
    """Return the best possible undiscounted return, where it is known."""
    sticks = [standing.yardstick for standing in standings if standing.yardstick is not None]
    return next((stick.best for stick in sticks if stick.metric == "greedy_return"), None)


def _draw_returns(axes: Axes, comparison: Comparison, looks: dict[str, Look]) -> None:
    standings = comparison.standings
    _rows(axes, standings, "Return (interquartile mean)")
    axes.set_yticklabels([f"{standing.label}  {row}" for row, standing in enumerate(standings, start=1)])
    for row, standing in enumerate(standings):
        _dot(axes, row - 0.13, standing.greedy_iqm, looks[standing.label])
        _dot(axes, row + 0.17, standing.exploring_iqm, looks[standing.label], hollow=True)
    best = _best_return(standings)
    if best is not None:
        axes.axvline(best, color=TRUTH, linestyle=(0, (1, 1.6)), linewidth=1.6)
    axes.set_xlabel("return")
    axes.xaxis.set_major_locator(MaxNLocator(5))


def _draw_improvements(axes: Axes, comparison: Comparison) -> None:
    labels = [standing.label for standing in comparison.standings]
    chance = np.full((len(labels), len(labels)), np.nan)
    for (ours, theirs), found in comparison.improvements.items():
        chance[labels.index(ours), labels.index(theirs)] = found.probability
    axes.imshow(np.ma.masked_invalid(chance), cmap=DIFFERENCES, vmin=0, vmax=1, aspect="auto")
    for (ours, theirs), found in comparison.improvements.items():
        row, column = labels.index(ours), labels.index(theirs)
        weight = "bold" if found.is_sure else "normal"
        axes.text(column, row, f"{found.probability:.2f}".lstrip("0"), ha="center", va="center", size=8, weight=weight)
    for place in range(len(labels)):
        axes.add_patch(Rectangle((place - 0.5, place - 0.5), 1, 1, facecolor="#e5e7eb", linewidth=0))
    axes.set_xticks(range(len(labels)), [str(column) for column in range(1, len(labels) + 1)])
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set_title("P(row beats column)")


def _draw_bias(axes: Axes, standings: Sequence[Standing], looks: dict[str, Look]) -> None:
    _rows(axes, standings, "Bias")
    for row, standing in enumerate(standings):
        for states, shift in (("start", -0.13), ("visited", 0.17)):
            if states in standing.bias:
                _dot(axes, row + shift, standing.bias[states], looks[standing.label], hollow=states == "visited")
    axes.axvline(0, color=TRUTH, linewidth=1.0)
    axes.set_xlabel("discounted return")
    axes.xaxis.set_major_locator(MaxNLocator(4))


def _draw_memory(axes: Axes, standings: Sequence[Standing], looks: dict[str, Look]) -> None:
    _rows(axes, standings, "Memory")
    for row, standing in enumerate(standings):
        _on_scale(axes, row, standing.memory, looks[standing.label], size(standing.memory))
    _log_scale(axes, [standing.memory for standing in standings])
    axes.set_xlabel("bytes")


def _draw_seconds(axes: Axes, standings: Sequence[Standing], looks: dict[str, Look]) -> None:
    _rows(axes, standings, "Time")
    shown = []
    for row, standing in enumerate(standings):
        look = looks[standing.label]
        if standing.reached is not None and math.isfinite(standing.reached.seconds):
            _on_scale(axes, row, standing.reached.seconds, look, "", hollow=True)
            shown.append(standing.reached.seconds)
        if math.isfinite(standing.seconds):
            _on_scale(axes, row, standing.seconds, look, f"{number(standing.seconds)} s")
            shown.append(standing.seconds)
    _log_scale(axes, shown)
    axes.set_xlabel("seconds")


def _rows(axes: Axes, standings: Sequence[Standing], title: str) -> None:
    """Prepare axes with a row for each entry, the first on top."""
    axes.set(title=title, ylim=(len(standings) - 0.5, -0.5))
    axes.set_yticks(range(len(standings)), [standing.label for standing in standings])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)


def _dot(axes: Axes, row: float, summary: Summary, look: Look, *, hollow: bool = False) -> None:
    centre = float(summary.centre)
    if summary.n > 1:
        axes.plot([summary.low, summary.high], [row, row], color=look.colour, linewidth=1.6, solid_capstyle="butt")
    _mark(axes, centre, row, look, hollow)


def _mark(axes: Axes, x: float, row: float, look: Look, hollow: bool) -> None:
    face = "white" if hollow else look.colour
    axes.plot([x], [row], look.marker, color=look.colour, markerfacecolor=face, markersize=5, zorder=4)


def _on_scale(axes: Axes, row: int, value: float, look: Look, text: str, *, hollow: bool = False) -> None:
    _mark(axes, value, row, look, hollow)
    axes.annotate(
        text, (value, row), xytext=(6, 0), textcoords="offset points", size=7, va="center", color=INK, zorder=5
    )


def _log_scale(axes: Axes, values: Sequence[float]) -> None:
    """Set a logarithmic axis with room for a number right of the last dot."""
    positive = [value for value in values if value > 0]
    if not positive:
        return
    axes.set_xscale("log")
    low, high = min(positive), max(positive)
    room = max(high / low, 10.0)
    axes.set_xlim(low / room**0.15, high * room**0.55)
    axes.xaxis.set_major_locator(LogLocator(10, numticks=4))
    axes.xaxis.set_minor_formatter(NullFormatter())
