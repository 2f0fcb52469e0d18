"""The distribution of the return that an agent believes in: a small plot for each action, beside what is true."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from gridrl.plots.looks import TRUTH
from gridrl.plots.style import INK, PAGE_WIDTH, fitting_size, new_figure, styled, wrapped

HOW_TO_READ_DISTRIBUTIONS = (
    "How to read: bars tell how probable the agent thinks each return is (ticks: its quantiles); solid, their mean, Q; "
    "dashed, what its own greedy policy truly earns after this action; dotted, the best possible, where it is known; "
    "star: its best action."
)
ACTIONS = ("up", "down", "left", "right")
NUM_BINS = 50
MASS, RIM, MEAN = "#8fbfdb", "#31688e", "#0072B2"
TRUTH_DASHES: tuple[Any, Any] = ((0, (4, 2)), (0, (1, 1.6)))  # of the policy's own return, of the best possible
_REST = 0.005  # of the probability may lie beyond either end of the axis


class ReturnPanel(NamedTuple):
    """One agent's row of plots; A actions, K returns that are told apart."""

    title: str
    returns: NDArray[np.float64]  # [A, K]
    probability: NDArray[np.float64]  # [A, K], sums to 1 over K
    policy_returns: NDArray[np.float64] | None = None  # [A], true
    optimal_returns: NDArray[np.float64] | None = None  # [A]

    @property
    def means(self) -> NDArray[np.float64]:
        """Q, [A]."""
        return np.asarray((self.returns * self.probability).sum(axis=1))

    @property
    def has_atoms(self) -> bool:
        """Whether the returns are given and their probabilities learned, not the other way round."""
        return bool((self.returns == self.returns[0]).all())

    def span(self) -> tuple[float, float]:
        """Return the returns between which all that matters lies."""
        marked = [self.means, self.policy_returns, self.optimal_returns]
        ends = [float(end) for array in marked if array is not None for end in (array.min(), array.max())]
        for returns, probability in zip(self.returns, self.probability, strict=True):
            order = np.argsort(returns)
            below = probability[order].cumsum()
            last = len(order) - 1
            first, final = np.searchsorted(below, (_REST, 1 - _REST))
            ends += [float(returns[order[min(place, last)]]) for place in (first, final)]
        return min(ends), max(ends)


@styled()
def distributions_figure(
    panels: Sequence[ReturnPanel], *, title: str, unit: str = "discounted return", note: str = ""
) -> Figure:
    """Draw a row for each panel and a column for each action, all on one scale of returns.

    `note` follows on how to read them. Raises ValueError without panels.
    """
    if not panels:
        raise ValueError("a figure of distributions needs at least one panel, got none")
    note = wrapped(f"{HOW_TO_READ_DISTRIBUTIONS} {note}", PAGE_WIDTH - 0.4, 8)
    left, gap, right, row_height, axes_height = 0.6, 0.18, 0.15, 2.05, 1.3
    top, below = 0.4, 0.14 + 0.16 * (note.count("\n") + 1) + 0.4
    height = top + row_height * len(panels) + below
    width = (PAGE_WIDTH - left - right - 3 * gap) / 4
    figure = new_figure(PAGE_WIDTH, height)
    spans = np.array([panel.span() for panel in panels])
    low, high = spans[:, 0].min(), spans[:, 1].max()
    margin = 0.04 * (high - low) or 0.5
    for row, panel in enumerate(panels):
        bottom = height - top - (row + 1) * row_height + 0.4
        where = [left + column * (width + gap) for column in range(len(ACTIONS))]
        places = [
            figure.add_axes((x / PAGE_WIDTH, bottom / height, width / PAGE_WIDTH, axes_height / height)) for x in where
        ]
        _draw_row(places, panel, low - margin, high + margin)
        figure.text(left / PAGE_WIDTH, (bottom + axes_height + 0.24) / height, panel.title, size=9, weight="bold")
    figure.text(0.5, (below + 0.05) / height, unit, size=8.5, ha="center")
    truths = [any(panel[k] is not None for panel in panels) for k in (3, 4)]
    figure.legend(
        handles=_handles(*truths),
        loc="lower left",
        bbox_to_anchor=(left / PAGE_WIDTH, (below - 0.3) / height),
        ncols=4,
        borderpad=0,
        borderaxespad=0,
    )
    size = fitting_size(title, PAGE_WIDTH - 0.4, 12)
    figure.text(0.2 / PAGE_WIDTH, 1 - 0.22 / height, title, size=size, weight="bold", va="center")
    figure.text(0.2 / PAGE_WIDTH, 0.1 / height, note, size=8, va="bottom", linespacing=1.35)
    return figure


def _draw_row(places: Sequence[Axes], panel: ReturnPanel, low: float, high: float) -> None:
    means, tallest = panel.means, 0.0
    for action, axes in enumerate(places):
        axes.set_xlim(low, high)
        axes.grid(axis="y")
        axes.locator_params(nbins=4)
        tallest = max(tallest, _draw_mass(axes, panel, action))
        axes.axvline(means[action], color=MEAN, linewidth=1.6)
        for array, dashes in zip(panel[3:], TRUTH_DASHES, strict=True):
            if array is not None:
                axes.axvline(array[action], color=TRUTH, linewidth=1.4, linestyle=dashes)
        star = " \N{BLACK STAR}" if means[action] == means.max() else ""
        axes.set_title(f"{ACTIONS[action]}{star}: Q = {means[action]:.4g}", size=8.5, weight="normal", pad=3)
    for action, axes in enumerate(places):  # below zero is room for the quantiles' ticks
        axes.set_ylim(0.0 if panel.has_atoms else -0.12 * tallest, 1.05 * tallest)
        if action:
            axes.set_yticklabels([])
    places[0].set_ylabel("probability")


def _draw_mass(axes: Axes, panel: ReturnPanel, action: int) -> float:
    """Draw the bars of one action, and its quantiles' ticks; return the height of the tallest."""
    returns, height = panel.returns[action], panel.probability[action]
    if panel.has_atoms:
        width = np.diff(returns).min() if len(returns) > 1 else 1.0
    else:
        on_axis = axes.get_xaxis_transform()
        axes.plot(returns, np.full(len(returns), 0.05), "|", color=INK, markersize=5, mew=0.5, transform=on_axis)
        edges = np.linspace(*axes.get_xlim(), NUM_BINS + 1)
        height, _ = np.histogram(returns, edges, weights=height)
        returns, width = (edges[:-1] + edges[1:]) / 2, edges[1] - edges[0]
    some = height > 0
    axes.bar(returns[some], height[some], width, color=MASS, edgecolor=RIM, linewidth=0.4)
    return float(height.max())


def _handles(policy: bool, optimum: bool) -> list[Line2D | Patch]:
    found: list[Line2D | Patch] = [
        Patch(facecolor=MASS, edgecolor=RIM, label="believed probability"),
        Line2D([], [], color=MEAN, label="believed mean, Q"),
    ]
    for is_drawn, dashes, label in zip(
        (policy, optimum), TRUTH_DASHES, ("its policy earns", "best possible, Q*"), strict=True
    ):
        found += [Line2D([], [], color=TRUTH, linewidth=1.4, linestyle=dashes, label=label)] * is_drawn
    return found
