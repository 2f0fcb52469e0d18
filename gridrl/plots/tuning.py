"""A search for settings: the score of each trial, the best so far, and beside it what unseen seeds say."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gridrl.intervals import summarise
from gridrl.plots.lines import spare_look
from gridrl.plots.style import INK, PAGE_WIDTH, fitting_size, new_figure, styled, wrapped

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

BOOTSTRAP_SEED = 0
LEFT, RIGHT, GAP, TOP, AXES_HEIGHT = 0.75, 0.2, 0.3, 0.62, 2.6  # inches
UNSEEN_WIDTH = 2.3
HOW_TO_READ = (
    "How to read: left, a dot is the score of a trial, the mean over its {seeds} seed(s); the line is the best so far. "
    "Right, the best found and the defaults, trained anew with seeds that the search did not see: a small dot is a "
    "run, the large one the mean with its 95 % bootstrap interval. The dashed line is the best score in the search; "
    "how far it lies above the first mean on the right is how much that score flatters."
)


@styled()
def tuning_figure(
    trials: "ArrayLike", unseen: "Sequence[tuple[str, ArrayLike]]", *, num_seeds: int, title: str
) -> Figure:
    """Return the figure of a search.

    `trials` [N] are the scores in their order, NaN for one that failed; `unseen` gives a label and the scores of runs
    [R] for each of the settings that were judged anew; `num_seeds` is how many runs a trial has.
    """
    scores = np.asarray(trials, np.float64)
    note = wrapped(HOW_TO_READ.format(seeds=num_seeds), PAGE_WIDTH - 0.4, 8)
    height = TOP + AXES_HEIGHT + 0.6 + 0.165 * (note.count("\n") + 1) + 0.1
    figure = new_figure(PAGE_WIDTH, height)
    width = PAGE_WIDTH - LEFT - RIGHT - GAP - UNSEEN_WIDTH
    low, tall = 1 - (TOP + AXES_HEIGHT) / height, AXES_HEIGHT / height
    left = figure.add_axes((LEFT / PAGE_WIDTH, low, width / PAGE_WIDTH, tall))
    right = figure.add_axes(((LEFT + width + GAP) / PAGE_WIDTH, low, UNSEEN_WIDTH / PAGE_WIDTH, tall), sharey=left)
    _draw_trials(left, scores)
    _draw_unseen(right, unseen)
    for axes in (left, right):
        axes.axhline(np.nanmax(scores), color=INK, linestyle=(0, (4, 2)), linewidth=1.0, zorder=1)
    figure.text(
        0.2 / PAGE_WIDTH,
        1 - 0.22 / height,
        title,
        size=fitting_size(title, PAGE_WIDTH - 0.4, 12),
        weight="bold",
        va="center",
    )
    figure.text(0.2 / PAGE_WIDTH, 0.1 / height, note, size=8, va="bottom", linespacing=1.35)
    return figure


def _draw_trials(axes: Axes, scores: np.ndarray) -> None:
    numbers, look = np.arange(len(scores)), spare_look(0)
    so_far = np.fmax.accumulate(scores)
    axes.step(numbers, so_far, where="post", color=INK, linewidth=1.4, zorder=2)
    axes.plot(numbers, scores, "o", color=look.colour, markersize=4.5, zorder=3)
    best = int(np.nanargmax(scores))
    axes.plot([best], [scores[best]], "o", markersize=9, markerfacecolor="none", markeredgecolor=INK, zorder=4)
    axes.set(title="In the search", xlabel="trial", ylabel="score")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlim(-0.03 * len(scores) - 0.5, 1.03 * len(scores) - 0.5)


def _draw_unseen(axes: Axes, unseen: "Sequence[tuple[str, ArrayLike]]") -> None:
    for place, (_, scores) in enumerate(unseen):
        values, look = np.asarray(scores, np.float64), spare_look(place)
        apart = np.linspace(-0.22, 0.22, len(values)) if len(values) > 1 else np.zeros(1)
        axes.plot(place + apart, values, "o", color=look.colour, alpha=0.45, markersize=3, zorder=2)
        found = summarise(values, np.random.default_rng(BOOTSTRAP_SEED))
        if found.n > 1:
            axes.plot([place, place], [found.low, found.high], color=look.colour, linewidth=2.2, zorder=3)
        axes.plot([place], [found.centre], look.marker, color=look.colour, markersize=8, zorder=4)
    axes.set_xticks(range(len(unseen)), [f"{label}\n(n={np.size(scores)})" for label, scores in unseen])
    axes.set(title="With unseen seeds", xlim=(-0.6, len(unseen) - 0.4))
    axes.tick_params(axis="y", labelleft=False)
    axes.grid(axis="x", visible=False)
