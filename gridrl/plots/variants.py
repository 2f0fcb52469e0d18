"""The figure of a study: a row for each quantity, how its variants learn, and where they end."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gridrl.intervals import Summary
from gridrl.plots.curves import Panel, curves_figure, learning_curves
from gridrl.plots.layout import AXES_HEIGHT
from gridrl.plots.looks import TRUTH, Look, variant_look
from gridrl.plots.style import INK, styled

if TYPE_CHECKING:
    import pandas

FAR = (
    2.0  # times the highest of all lines: a best that lies beyond is marked at the edge, or nothing else could be read
)
LETTERS = {3: 19, 2: 38}  # how long the longest label may be, for so many columns of the legend
VARIANT_HEIGHT = 0.34  # inches, for a variant's name and its dots
HOW_TO_READ = (
    "How to read: lines are interquartile means over n runs (seeds), bands their 95 % bootstrap intervals (none for "
    "one run). On the right each run's mean over the last quarter of its training is a small dot, their interquartile "
    "mean a mark with its interval."
)
HOW_TO_READ_TRUTH = " The hollow mark is what the greedy policy really earns: max Q above it is overestimation."


class Row(NamedTuple):
    """A quantity that is shown: its curves, [variant, run, step, value], and what runs have in the end."""

    words: str
    unit: str
    curves: "pandas.DataFrame"
    ends: Mapping[str, np.ndarray]  # variant -> [R]
    averages: Mapping[str, Summary]
    best: tuple[float, float] | None = None  # bounds of what is possible
    truths: Mapping[str, Summary] | None = None  # what each variant's policy earns, beside what it believes


class CurvesPanel(NamedTuple):
    """How the variants learn."""

    row: Row

    @styled()
    def draw(self, axes: Axes, rng: np.random.Generator) -> None:
        """Draw a line with its band for each variant, and the best that is possible."""
        looks = {label: variant_look(number) for number, label in enumerate(self.row.ends)}
        table = self.row.curves.rename(columns={"variant": "agent"}).assign(metric="")
        learning_curves(
            axes,
            table,
            "",
            rng=rng,
            average="iqm",
            title=_capital(self.row.words),
            look=lambda label: looks[label],
        )
        axes.set_ylabel(self.row.unit)
        if self.row.best is not None:
            _draw_best(axes, self.row.best)


class EndsPanel(NamedTuple):
    """Where the variants end: a line of dots for each, under its name."""

    row: Row

    @styled()
    def draw(self, axes: Axes, rng: np.random.Generator) -> None:
        """Draw it; nothing is left to `rng`."""
        for place, (label, values) in enumerate(self.row.ends.items()):
            look, found = variant_look(place), self.row.averages[label]
            axes.text(0.02, place - 0.3, label, transform=axes.get_yaxis_transform(), size=8, va="center", color=INK)
            if found.n > 1:
                axes.plot(values, [place] * len(values), "o", markersize=3, color=look.colour, alpha=0.35, zorder=2)
                axes.plot([found.low, found.high], [place] * 2, color=look.colour, linewidth=2.2, zorder=3)
            axes.plot(found.centre, place, look.marker, color=look.colour, markersize=7, zorder=5)
            if self.row.truths is not None:
                self._draw_truth(axes, self.row.truths[label], place, look)
        axes.set(title="In the last quarter", xlabel=self.row.unit, ylabel="", ylim=(len(self.row.ends) - 0.5, -0.7))
        axes.yaxis.set_visible(False)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.margins(x=0.06)

    def _draw_truth(self, axes: Axes, found: Summary, place: float, look: Look) -> None:
        low = place + 0.2
        if found.n > 1:
            axes.plot([found.low, found.high], [low] * 2, color=look.colour, linewidth=1, zorder=3)
        style = {"markerfacecolor": "white", "markersize": 6, "linestyle": "", "zorder": 4}
        axes.plot(found.centre, low, marker=look.marker, color=look.colour, **style)  # type: ignore[arg-type]


@styled()
def variants_figure(rows: Sequence[Row], *, rng: np.random.Generator, title: str) -> Figure:
    """Draw two panels for each row; `rng` draws the bootstrap."""
    panels: list[Panel] = []
    for row in rows:
        panels += [CurvesPanel(row), EndsPanel(row)]
    note = HOW_TO_READ + HOW_TO_READ_TRUTH * any(row.truths is not None for row in rows)
    longest = max(map(len, rows[0].ends))
    return curves_figure(
        panels,
        rng=rng,
        title=title,
        note=note,
        columns=2,
        legend_columns=next((columns for columns, most in LETTERS.items() if longest <= most), 1),  # below both panels
        axes_height=max(AXES_HEIGHT, len(rows[0].ends) * VARIANT_HEIGHT),
    )


def _draw_best(axes: Axes, best: tuple[float, float]) -> None:
    """Mark the best that is possible: where it is, or at the upper edge where that is far above all else."""
    low, high = best
    words = "best possible: " + " to ".join(dict.fromkeys(f"{bound:.{0 if bound > 10 else 2}f}" for bound in best))
    top = axes.get_ylim()[1]
    if low > FAR * top > 0:
        axes.set_ylim(top=top * 1.12)
        axes.plot(
            np.linspace(0.02, 0.98, 9),
            [1.0] * 9,
            transform=axes.transAxes,
            color=TRUTH,
            linestyle=":",
            linewidth=1.4,
            marker="^",
            markersize=5,
            clip_on=False,
            label=f"{words}, far above",
        )
    elif high > low:
        axes.axhspan(low, high, facecolor="#9ca3af", edgecolor=TRUTH, linestyle=":", alpha=0.5, label=words, zorder=1)
    else:
        axes.axhline(low, color=TRUTH, linestyle=":", linewidth=1.6, label=words, zorder=4)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
