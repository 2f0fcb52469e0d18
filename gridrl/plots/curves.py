"""Curves over training: averages over runs with 95 % bands, beside what is true."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from gridrl.intervals import Average, Summary, summarise
from gridrl.plots.layout import AXES_HEIGHT, lay_out, legend_below
from gridrl.plots.looks import TRUTH, Look, agent_look
from gridrl.plots.series import Series, agents_in, series
from gridrl.plots.style import PAGE_WIDTH, new_figure, styled, wrapped

if TYPE_CHECKING:
    import pandas

HOW_TO_READ = (
    "How to read: a line is the average over n runs (seeds), the band its 95 % bootstrap interval (none for one run)."
)
HOW_TO_READ_TRUTH = (
    "Solid: the value an agent believes in at the start; dashed: what its own greedy policy earns from there; between "
    "them lies its overestimation. A solid line above the best possible promises what no policy can keep."
)
_WORD = {"mean": "mean", "iqm": "interquartile mean"}


@styled()
def learning_curves(
    axes: Axes,
    table: "pandas.DataFrame",
    metric: str,
    *,
    rng: np.random.Generator,
    average: Average = "mean",
    lines: Sequence[tuple[str, float]] = (),
    bands: Sequence[tuple[str, float, float]] = (),
    title: str = "",
    unit: str = "return",
    look: Callable[[str], Look] = agent_look,
) -> None:
    """Draw one line per agent of a tidy table (columns agent, run, step, metric, value) with its 95 % band and its n.

    `lines` (label, value) and `bands` (label, low, high) mark what is known, the optimum for one. `rng` draws the
    bootstrap; `look` says how an agent's line looks. Raises ValueError where no agent has the metric.
    """
    agents = agents_in(table, metric)
    if not agents:
        raise ValueError(f"the table has no {metric!r}")
    for agent in agents:
        looks = look(agent)
        data = series(table, agent, metric)
        summary = summarise(data.values, rng, average=average)
        _draw_line(axes, data, summary, looks.colour, looks.dashes, f"{agent} (n={summary.n})", looks.marker)
    _draw_known(axes, lines, bands)
    _finish(axes, title, f"{unit} ({_WORD[average]} of runs)")


@styled()
def value_against_truth(
    axes: Axes,
    table: "pandas.DataFrame",
    agent: str,
    *,
    rng: np.random.Generator,
    believed: str = "max_q_start",
    earned: str = "greedy_discounted_return",
    truth: float | tuple[float, float] | None = None,
    average: Average = "mean",
    title: str = "",
    unit: str = "discounted return",
) -> None:
    """Draw what an agent believes at the start (metric `believed`) beside what its own greedy policy earns (`earned`).

    `truth` is the best possible value there, or the two bounds it is known to lie between. `rng` draws the bootstrap.
    Raises ValueError where the agent has none of the metrics.
    """
    look = agent_look(agent)
    for metric, dashes, words in ((believed, "-", "it believes: max Q"), (earned, (0, (4, 2)), "its policy earns")):
        data = series(table, agent, metric)
        summary = summarise(data.values, rng, average=average)
        colour = look.colour if metric == believed else "#6b7280"
        _draw_line(axes, data, summary, colour, dashes, f"{words} (n={summary.n})")
    if isinstance(truth, tuple):
        _draw_known(axes, (), [(f"best possible: {truth[0]:.0f} to {truth[1]:.0f}", *truth)])
    elif truth is not None:
        _draw_known(axes, [(f"best possible: {truth:.0f}", truth)], ())
    _finish(axes, title or agent, f"{unit} ({_WORD[average]} of runs)")


class Panel(Protocol):
    """Anything that draws itself into axes."""

    def draw(self, axes: Axes, rng: np.random.Generator) -> None:
        """Draw it; `rng` draws the bootstrap."""


class CurvePanel(NamedTuple):
    """`learning_curves` as one panel of a figure."""

    title: str
    table: "pandas.DataFrame"
    metric: str
    unit: str = "return"
    lines: Sequence[tuple[str, float]] = ()
    bands: Sequence[tuple[str, float, float]] = ()
    average: Average = "mean"

    def draw(self, axes: Axes, rng: np.random.Generator) -> None:
        """Draw it."""
        learning_curves(
            axes,
            self.table,
            self.metric,
            rng=rng,
            average=self.average,
            lines=self.lines,
            bands=self.bands,
            title=self.title,
            unit=self.unit,
        )


class TruthPanel(NamedTuple):
    """`value_against_truth` as one panel of a figure."""

    title: str
    table: "pandas.DataFrame"
    agent: str
    truth: float | tuple[float, float] | None = None
    believed: str = "max_q_start"
    earned: str = "greedy_discounted_return"
    average: Average = "mean"

    def draw(self, axes: Axes, rng: np.random.Generator) -> None:
        """Draw it."""
        value_against_truth(
            axes,
            self.table,
            self.agent,
            rng=rng,
            believed=self.believed,
            earned=self.earned,
            truth=self.truth,
            average=self.average,
            title=self.title,
        )


@styled()
def curves_figure(
    panels: Sequence[Panel],
    *,
    rng: np.random.Generator,
    title: str = "",
    note: str | None = None,
    columns: int | None = None,
    legend_columns: int | None = None,
    axes_height: float = AXES_HEIGHT,
) -> Figure:
    """Draw panels side by side, at most three in a row, each with its legend below; `note` says how to read them.

    A panel's legend has `legend_columns`: one, or three where a panel has the whole width, if that is None.
    `axes_height` is in inches.

    Raises ValueError without panels.
    """
    if not panels:
        raise ValueError("a figure of curves needs at least one panel, got none")
    columns = columns or min(len(panels), 3 if len(panels) != 4 else 2)
    rows = math.ceil(len(panels) / columns)
    if note is None:
        note = " ".join([HOW_TO_READ, HOW_TO_READ_TRUTH][: 1 + any(isinstance(panel, TruthPanel) for panel in panels)])
    note = wrapped(note, PAGE_WIDTH - 0.4, 8)
    figure = new_figure(PAGE_WIDTH, 4.0)
    places = [figure.add_subplot(rows, columns, number + 1) for number in range(len(panels))]
    for panel, axes in zip(panels, places, strict=True):
        panel.draw(axes, rng)
    lay_out(figure, places, columns, title, note, legend_columns or (3 if columns == 1 else 1), axes_height)
    return figure


def _draw_line(
    axes: Axes, data: Series, summary: Summary, colour: str, dashes: object, label: str, marker: str = ""
) -> None:
    many = len(data.steps) > 1
    axes.plot(
        data.steps,
        summary.centre,
        color=colour,
        linestyle=dashes,
        label=label,
        marker=marker if marker or many else "o",
        markevery=max(len(data.steps) // 8, 1),
        markersize=4.5,
        zorder=3,
    )
    if summary.n > 1:
        axes.fill_between(data.steps, summary.low, summary.high, color=colour, alpha=0.18, linewidth=0, zorder=2)


def _draw_known(axes: Axes, lines: Sequence[tuple[str, float]], bands: Sequence[tuple[str, float, float]]) -> None:
    for number, (label, value) in enumerate(lines):
        dashes = (0, (1, 1.6 + 1.6 * number))
        axes.axhline(value, color=TRUTH, linestyle=dashes, linewidth=1.6, label=label, zorder=4)
    for label, low, high in bands:
        axes.axhspan(low, high, facecolor="#9ca3af", edgecolor=TRUTH, linestyle=":", alpha=0.5, label=label, zorder=1)


def _finish(axes: Axes, title: str, ylabel: str) -> None:
    axes.set(title=title, xlabel="environment steps of a run", ylabel=ylabel)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.margins(x=0.02)
    legend_below(axes, 1)
