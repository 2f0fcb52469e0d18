"""Tables and networks as a level grows: what they earn on their path and off it, what they take."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter, NullLocator

from gridrl.intervals import summarise
from gridrl.plots.looks import TRUTH, agent_look
from gridrl.plots.style import PAGE_WIDTH, new_figure, styled, wrapped

if TYPE_CHECKING:
    import pandas

BOOTSTRAP_SEED = 0
THIN = 0.9  # points
HOW_TO_READ = (
    "How to read: a line is the mean over the runs (seeds) of an agent, the band its 95 % bootstrap interval. "
    "Above: the share of all coins that is earned, by the greedy policy from the start, with 5 % random actions, "
    "and of the coins left after a detour that the agent did not choose. Below: how often the table is asked about "
    "a situation that it never met; what a run keeps in memory to learn (thin: a network's weights, all it needs "
    "to act) beside a table with a row for every state (black, leaving the picture); and its time."
)


class Panel(NamedTuple):
    """One metric over the number of coins."""

    title: str
    metric: str
    ylabel: str
    is_share: bool


PANELS = (
    Panel("On its path", "share", "share of the coins", True),
    Panel("A little off it", "share_exploring", "share of the coins", True),
    Panel("After a detour", "share_after_detour", "share of the coins left", True),
    Panel("Never met", "unseen", "share of the moments", True),
    Panel("Memory of a run", "memory", "bytes", False),
    Panel("Time of a run", "seconds", "seconds", False),
)
COLUMNS, AXES_HEIGHT, ROW_HEIGHT = 3, 1.75, 2.65  # inches
LEFT, RIGHT, GAP, TOP = 0.62, 0.15, 0.62, 0.72


@styled()
def frontier_figure(frontier: "pandas.DataFrame", levels: "pandas.DataFrame", bytes_of_row: int) -> Figure:
    """Return the figure of the frontier study.

    `frontier` is tidy: coins, agent, run, metric, value; `levels` has the number of `states` for each number of
    `coins`, of which a table takes `bytes_of_row` each.
    """
    note = wrapped(HOW_TO_READ, PAGE_WIDTH - 0.4, 8)
    agents = list(dict.fromkeys(frontier["agent"]))
    height = TOP + 2 * ROW_HEIGHT + 0.02 + 0.165 * (note.count("\n") + 1) + 0.1
    width = (PAGE_WIDTH - LEFT - RIGHT - GAP * (COLUMNS - 1)) / COLUMNS
    figure = new_figure(PAGE_WIDTH, height)
    for number, panel in enumerate(PANELS):
        row, column = divmod(number, COLUMNS)
        low = 1 - (TOP + row * ROW_HEIGHT + AXES_HEIGHT) / height
        left = (LEFT + column * (width + GAP)) / PAGE_WIDTH
        axes = figure.add_axes((left, low, width / PAGE_WIDTH, AXES_HEIGHT / height))
        for agent in agents:
            _draw_line(axes, frontier, agent, panel.metric)
        if panel.metric == "memory":
            for agent in agents:
                _draw_line(axes, frontier, agent, "weights", thin=True)
            _draw_full_table(axes, levels, bytes_of_row)
        _finish(axes, panel, [int(coins) for coins in levels["coins"]])
    handles = [_handle(agent) for agent in agents]
    handles.append(Line2D([], [], color=TRUTH, linewidth=1.6, label="a row for every state"))
    low = 1 - (TOP + 2 * ROW_HEIGHT - 0.38) / height
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(LEFT / PAGE_WIDTH, low), ncols=5, borderpad=0)
    title = "Tables and networks as the coins of dense-v0 grow in number"
    figure.text(0.2 / PAGE_WIDTH, 1 - 0.22 / height, title, size=12, weight="bold", va="center")
    figure.text(0.2 / PAGE_WIDTH, 0.1 / height, note, size=8, va="bottom", linespacing=1.35)
    return figure


def _handle(agent: str) -> Line2D:
    look = agent_look(agent)
    return Line2D([], [], color=look.colour, linestyle=look.dashes, marker=look.marker, markersize=4.5, label=agent)


def _draw_line(axes: Axes, frontier: "pandas.DataFrame", agent: str, metric: str, *, thin: bool = False) -> None:
    """Draw a metric of an agent, where it has it."""
    rows = frontier[(frontier["agent"] == agent) & (frontier["metric"] == metric)]
    if rows.empty:
        return
    look = agent_look(agent)
    values = rows.pivot(index="run", columns="coins", values="value")
    summary = summarise(values.to_numpy(), np.random.default_rng(BOOTSTRAP_SEED))
    coins = values.columns.to_numpy()
    axes.plot(
        coins,
        summary.centre,
        color=look.colour,
        linestyle=look.dashes,
        linewidth=THIN if thin else None,
        marker="" if thin else look.marker,
        markersize=4.5,
        zorder=3,
    )
    if summary.n > 1:
        axes.fill_between(coins, summary.low, summary.high, color=look.colour, alpha=0.18, linewidth=0, zorder=2)


def _draw_full_table(axes: Axes, levels: "pandas.DataFrame", bytes_of_row: int) -> None:
    """Draw what a table of all states takes, out of a picture that has room for what the others take."""
    axes.set_yscale("log")
    high = axes.get_ylim()[1]
    axes.plot(levels["coins"], levels["states"] * bytes_of_row, color=TRUTH, linewidth=1.6, zorder=1)
    axes.set_ylim(top=30 * high)


def _finish(axes: Axes, panel: Panel, coins: list[int]) -> None:
    axes.set(title=panel.title, xlabel="coins", ylabel=panel.ylabel, xscale="log")
    axes.set_xticks(_apart(coins), [str(k) for k in _apart(coins)])
    axes.xaxis.set_minor_locator(NullLocator())
    if panel.is_share:
        axes.set_ylim(min(-0.03, axes.get_ylim()[0]), 1.03)
    else:
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(NullFormatter())


def _apart(coins: list[int]) -> list[int]:
    """Return the numbers of coins that can be written below a logarithmic axis without running into each other."""
    shown = coins[:1]
    for k in coins[1:]:
        if k >= 1.35 * shown[-1]:
            shown.append(k)
    return shown
