"""Lines over any quantity, with their bands, as panels of a figure; beside them what is known."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter
from numpy.typing import ArrayLike

from gridrl.intervals import Floats, Summary
from gridrl.plots.looks import TRUTH, Look, agent_look
from gridrl.plots.style import styled

KNOWN_DASHES = ((0, (1, 1.6)), (0, (4, 1.6)), (0, (6, 1.4, 1, 1.4)), (0, (1, 4)))  # told apart without a colour


class Line(NamedTuple):
    """One line, [N] points, and the band about it."""

    label: str
    x: ArrayLike
    y: ArrayLike
    look: Look
    band: tuple[Floats, Floats] | None = None  # its ends, [N] each; None, or NaN: no band


def agent_line(agent: str, x: ArrayLike, found: Summary) -> Line:
    """Return an agent's line in its own look, with its interval and the number of its runs."""
    return Line(f"{agent} (n={found.n})", x, found.centre, agent_look(agent), (found.low, found.high))


def spare_line(number: int, label: str, x: ArrayLike, found: Summary) -> Line:
    """Return the line of something that is no agent, in the `number`-th look, with its interval."""
    return Line(f"{label} (n={found.n})", x, found.centre, spare_look(number), (found.low, found.high))


def spare_look(number: int) -> Look:
    """Return the `number`-th of the looks for what is no agent, far apart in colour, dashes and grey."""
    return agent_look(("q-learning", "dqn", "double-q-learning", "dueling-dqn")[number])


def known_line(label: str, x: ArrayLike, y: ArrayLike, number: int = 0) -> Line:
    """Return a line of what is known; `number` counts those of a panel from 0, to tell them apart."""
    return Line(label, x, y, Look(TRUTH, KNOWN_DASHES[number], ""))


class LinesPanel(NamedTuple):
    """Lines as one panel of a `curves_figure`."""

    title: str
    xlabel: str
    ylabel: str
    lines: Sequence[Line]
    ticks: Sequence[float] = ()  # where x is marked; none: matplotlib's choice
    doubling: bool = False  # x on a scale on which each doubling takes the same room

    @styled()
    def draw(self, axes: Axes, rng: np.random.Generator) -> None:
        """Draw it; nothing is left to `rng`."""
        for line in self.lines:
            axes.plot(
                line.x,
                line.y,
                color=line.look.colour,
                linestyle=line.look.dashes,
                marker=line.look.marker,
                markevery=max(np.size(line.x) // 8, 1),
                markersize=4.5,
                label=line.label,
                zorder=4 if line.look.colour == TRUTH else 3,
            )
            if line.band is not None and np.isfinite(line.band).any():
                axes.fill_between(line.x, *line.band, color=line.look.colour, alpha=0.18, linewidth=0, zorder=2)
        if self.doubling:
            axes.set_xscale("log", base=2)
        if len(self.ticks):
            axes.xaxis.set_major_locator(FixedLocator(self.ticks))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.set(title=self.title, xlabel=self.xlabel, ylabel=self.ylabel)
        axes.margins(x=0.03)
