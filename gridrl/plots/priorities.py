"""Priorities of a few transitions, how often each is drawn, and errors before and after their weights."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from gridrl.plots.lines import spare_look
from gridrl.plots.looks import TRUTH
from gridrl.plots.style import styled

Floats = NDArray[np.float64]


class BarsPanel(NamedTuple):
    """Bars side by side for each of a few transitions, as one panel of a `curves_figure`."""

    title: str
    ylabel: str
    bars: Mapping[str, Floats]  # by label, [N]

    @styled()
    def draw(self, axes: Axes, rng: np.random.Generator) -> None:
        """Draw it; nothing is left to `rng`."""
        width = 0.84 / len(self.bars)
        for number, (label, heights) in enumerate(self.bars.items()):
            x = np.arange(len(heights)) + (number - (len(self.bars) - 1) / 2) * width
            axes.bar(x, heights, width, color=spare_look(number).colour, label=label, zorder=3)
        axes.axhline(0, color="#6b7280", linewidth=0.8, zorder=4)
        axes.set(title=self.title, xlabel=XLABEL, ylabel=self.ylabel, xticks=[])


class SharesPanel(NamedTuple):
    """How often each of a few transitions is drawn, by several rules, as one panel of a `curves_figure`."""

    title: str
    probability: Mapping[str, Floats]  # by rule, [N]
    drawn: Mapping[str, Floats]  # by rule, [N]: what was counted

    @styled()
    def draw(self, axes: Axes, rng: np.random.Generator) -> None:
        """Draw it; nothing is left to `rng`."""
        for number, (label, probability) in enumerate(self.probability.items()):
            look = spare_look(number)
            axes.plot(probability, color=look.colour, linestyle=look.dashes, label=label, zorder=3)
            axes.plot(self.drawn[label], look.marker, color=look.colour, markersize=4, zorder=3)
        count = len(next(iter(self.probability.values())))
        axes.axhline(1 / count, color=TRUTH, linestyle=(0, (1, 1.6)), label="even draws", zorder=4)
        axes.set(title=self.title, xlabel=XLABEL, ylabel="probability", xticks=[])


XLABEL = "the twenty transitions, largest |TD error| first"
