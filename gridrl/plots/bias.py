"""Overestimation drawn: over training, and split into what the estimate gets wrong and what the policy leaves."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gridrl.intervals import Summary
from gridrl.plots.curves import HOW_TO_READ, CurvePanel, curves_figure, value_against_truth
from gridrl.plots.looks import TRUTH, agent_look
from gridrl.plots.series import agents_in, series
from gridrl.plots.style import PAGE_WIDTH, fitting_size, new_figure, styled, wrapped

if TYPE_CHECKING:
    import pandas

HOW_TO_READ_BIAS = (
    "Solid: the value an agent believes in, max Q; dashed: what its own greedy policy is truly worth; dotted: the best "
    "possible. Solid above dashed is overestimation; dashed below dotted is what the policy loses."
)
HOW_TO_READ_MAPS = (
    "How to read: arrows are the actions that an agent thinks best (several: tie). max Q: what it believes a cell is "
    "worth; true value: what following its own arrows earns from there. Differences: blue (+) is believed too high, "
    "orange (\N{MINUS SIGN}) too low, white: right."
)
HOW_TO_READ_SPLIT = (
    "How to read: a mark is the mean over n runs (seeds), its bar the 95 % bootstrap interval (none for one run); each "
    "shape is one set of states. Left: right of zero, an agent believes in more than its own policy is worth. Right: "
    "how far that policy falls short of the best. The two add up to max Q \N{MINUS SIGN} best possible."
)
MARKERS = {"start": "o", "visited": "s", "optimal-path": "^", "random": "D"}
NUM_ERROR_PANELS = 2  # sets of states whose error is drawn over training; all are in the split
SPLIT = (
    ("estimate_error", "error of the estimate:\nmax Q \N{MINUS SIGN} true value"),
    ("policy_loss", "loss of the policy:\ntrue value \N{MINUS SIGN} best possible"),
)

Summaries = Mapping[tuple[str, str, str], Summary]  # by agent, set of states and metric; each of one number


class BeliefPanel(NamedTuple):
    """One agent over one set of states: what it believes, what its policy is worth, what is possible."""

    title: str
    table: "pandas.DataFrame"  # of one set of states
    agent: str

    def draw(self, axes: Axes, rng: np.random.Generator) -> None:
        """Draw it."""
        bounds = [self._mean(metric) for metric in ("optimum_low", "optimum_high")]
        truth = None if bounds[0] is None or bounds[1] is None else (float(bounds[0][-1]), float(bounds[1][-1]))
        value_against_truth(
            axes,
            self.table,
            self.agent,
            rng=rng,
            believed="believed",
            earned="policy_value",
            truth=truth,
            title=self.title,
        )
        best = self._mean("optimal_value")
        if best is not None:
            label = f"best possible: {best[-1]:.0f}" + ("" if np.ptp(best) == 0 else " at the end")
            steps = series(self.table, self.agent, "believed").steps
            axes.plot(steps, best, color=TRUTH, linestyle=(0, (1, 1.6)), linewidth=1.6, label=label, zorder=4)

    def _mean(self, metric: str) -> np.ndarray | None:
        """Return the mean over runs of a metric at each step, None where it was not to be had."""
        if self.agent not in agents_in(self.table, metric):
            return None
        return series(self.table, self.agent, metric).values.mean(axis=0)


def finite(table: "pandas.DataFrame") -> "pandas.DataFrame":
    """Return a table without an agent's steps at which something over a set of states is infinite."""
    infinite = ~np.isfinite(table["value"])
    return table[~infinite.groupby([table["agent"], table["step"], table["states"]]).transform("any")]


def bias_figure(table: "pandas.DataFrame", *, rng: np.random.Generator, title: str = "") -> Figure:
    """Draw a panel for each agent over the first set of states, then the estimate's error over the first two.

    `table` is tidy: columns agent, run, step, states, metric, value, all `finite`. `rng` draws the bootstrap. Raises
    ValueError for an empty table.
    """
    if table.empty:
        raise ValueError("a figure of the bias needs at least one value, got none")
    sets = [name for name in MARKERS if (table["states"] == name).any()]
    by_set = {name: table[table["states"] == name] for name in sets}
    panels: list[BeliefPanel | CurvePanel] = [
        BeliefPanel(f"{agent}: {sets[0]}", by_set[sets[0]], agent) for agent in agents_in(by_set[sets[0]], "believed")
    ]
    panels += [
        CurvePanel(
            f"error of the estimate: {name}",
            by_set[name],
            "estimate_error",
            unit="max Q \N{MINUS SIGN} true value",
            lines=[("no error", 0.0)],
        )
        for name in sets[:NUM_ERROR_PANELS]
    ]
    longest = max(map(len, agents_in(table, "believed")))
    columns = None if longest < 22 else 2 if longest < 44 else 1  # room for the legends
    note = f"{HOW_TO_READ} {HOW_TO_READ_BIAS}"
    figure = curves_figure(panels, rng=rng, title=title, note=note, columns=columns)
    for kind in (BeliefPanel, CurvePanel):  # alike on one scale
        places = [axes for panel, axes in zip(panels, figure.axes, strict=True) if isinstance(panel, kind)]
        limits = np.array([axes.get_ylim() for axes in places])
        for axes in places:
            axes.set_ylim(limits[:, 0].min(), limits[:, 1].max())
    return figure


@styled()
def split_figure(summaries: Summaries, *, title: str = "", why_no_loss: str = "") -> Figure:
    """Draw the error of the estimate beside the loss of the policy, for each agent over each set of states.

    `why_no_loss` stands where no agent's loss is known. Raises ValueError without summaries.
    """
    if not summaries:
        raise ValueError("a figure of the bias needs at least one summary, got none")
    agents = list(dict.fromkeys(agent for agent, _, _ in summaries))
    sets = list(dict.fromkeys(name for _, name, _ in summaries))
    note = wrapped(HOW_TO_READ_SPLIT, PAGE_WIDTH - 0.4, 8)
    top, below = (0.36 if title else 0.05) + 0.45, 0.14 + 0.16 * (note.count("\n") + 1) + 0.75
    body = 0.24 * len(agents) * (len(sets) + 1) + 0.1
    height = top + body + below
    labels = [_label(summaries, agent) for agent in agents]
    longest = max(len(line) for label in labels for line in label.split("\n"))
    left, gap, right = 0.3 + 0.075 * longest, 0.35, 0.2
    width = (PAGE_WIDTH - left - gap - right) / 2
    figure = new_figure(PAGE_WIDTH, height)
    for column, (metric, heading) in enumerate(SPLIT):
        x = left + column * (width + gap)
        axes = figure.add_axes((x / PAGE_WIDTH, below / height, width / PAGE_WIDTH, body / height))
        axes.set_title(heading, size=9)
        if not any(name == metric for _, _, name in summaries):
            axes.set(xticks=[], yticks=[])
            axes.text(0.5, 0.5, wrapped(why_no_loss, width - 0.2, 8), size=8, ha="center", transform=axes.transAxes)
            continue
        _draw_split(axes, summaries, agents, sets, metric)
        axes.set_xlabel("discounted return")
        if not column:
            axes.set_yticklabels(labels)
    figure.legend(
        handles=[Line2D([], [], linestyle="none", marker=MARKERS[name], color=TRUTH, label=name) for name in sets],
        loc="lower left",
        bbox_to_anchor=(left / PAGE_WIDTH, (below - 0.72) / height),
        ncols=len(sets),
        borderpad=0,
        borderaxespad=0,
        handletextpad=0.3,
    )
    size = fitting_size(title, PAGE_WIDTH - 0.4, 12)
    figure.text(0.2 / PAGE_WIDTH, 1 - 0.22 / height, title, size=size, weight="bold", va="center")
    figure.text(0.2 / PAGE_WIDTH, 0.1 / height, note, size=8, va="bottom", linespacing=1.35)
    return figure


def _draw_split(axes: Axes, summaries: Summaries, agents: Sequence[str], sets: Sequence[str], metric: str) -> None:
    block = len(sets) + 1
    axes.axvline(0, color=TRUTH, linewidth=1.0, zorder=1)
    for i, agent in enumerate(agents):
        colour = agent_look(agent).colour
        for k, name in enumerate(sets):
            found, y = summaries.get((agent, name, metric)), i * block + k
            if found is None or not np.isfinite(found.centre):
                continue
            if found.n > 1:
                axes.plot([found.low, found.high], [y, y], color=colour, linewidth=2.2, solid_capstyle="butt", zorder=2)
            axes.plot([found.centre], [y], marker=MARKERS[name], color=colour, markersize=6, zorder=3)
    axes.set_yticks([i * block + (block - 2) / 2 for i in range(len(agents))], [""] * len(agents))
    axes.set_ylim(len(agents) * block - 0.8, -1.2)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.08)


def _label(summaries: Summaries, agent: str) -> str:
    n = max(found.n for (other, _, _), found in summaries.items() if other == agent)
    return f"{textwrap.fill(agent, 20)}\n(n={n})"
