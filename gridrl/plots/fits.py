"""Fits of equal values beside each other, their maximum, and how far it and a double estimate are off."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gridrl.plots.looks import TRUTH, agent_look
from gridrl.plots.style import PAGE_WIDTH, fitting_size, new_figure, styled, wrapped

HOW_TO_READ = (
    "How to read: all ten actions are worth the same, the dotted line. Each is fitted to samples (dots, with noise of "
    "standard deviation {noise:g}) at 11 of the 13 whole numbers; which two are missing differs. Left: one fit. "
    "Middle: all ten, and their maximum, which follows whichever errs upwards. Right: the mean error over {num_draws} "
    "draws of the noise, of the maximum and of a double estimate, where one set of fits chooses and a second one "
    "values; above it, the mean over the states."
)
LOOKS = {"maximum": agent_look("dqn"), "double": agent_look("double-q-learning")}
SHORT = {"maximum": "max", "double": "double"}
FIT = "#6b7280"
TITLE: dict[str, Any] = {"weight": "normal", "size": 9}


class FitRow(NamedTuple):
    """One row of panels; G states, m actions."""

    name: str
    states: NDArray[np.float64]  # [G]
    truth: NDArray[np.float64]  # [G]
    fits: NDArray[np.float64]  # [m, G]
    shown: int  # the action that is drawn by itself
    samples: NDArray[np.float64]  # [P, 2], its samples: state and value
    errors: Mapping[str, NDArray[np.float64]]  # by estimate, [G]


@styled()
def fits_figure(rows: Sequence[FitRow], noise: float, num_draws: int) -> Figure:
    """Draw three panels for each of `rows`; `noise` and `num_draws` are told in the line on how to read."""
    note = wrapped(HOW_TO_READ.format(noise=noise, num_draws=num_draws), PAGE_WIDTH - 0.4, 8)
    top, bottom = 0.75, 0.85 + 0.16 * (note.count("\n") + 1)
    height = top + 2.0 * len(rows) + bottom
    figure = new_figure(PAGE_WIDTH, height)
    places = figure.subplots(len(rows), 3, sharex=True, squeeze=False)
    figure.subplots_adjust(0.085, bottom / height, 0.98, 1 - top / height, wspace=0.24, hspace=0.36)
    for row, axes in zip(rows, places, strict=True):
        _draw_fit(axes[0], row)
        _draw_all(axes[1], row)
        _draw_errors(axes[2], row)
        axes[0].set_ylabel(row.name)
    for axes in places[-1]:
        axes.set_xlabel("state s")
        axes.set_xticks(range(-6, 7, 3))
    title = "Where nothing but the fit errs: the maximum of ten estimates of one value"
    size = fitting_size(title, PAGE_WIDTH - 0.4, 12)
    figure.text(0.2 / PAGE_WIDTH, 1 - 0.25 / height, title, size=size, weight="bold", va="center")
    figure.text(0.2 / PAGE_WIDTH, 0.1 / height, note, size=8, va="bottom", linespacing=1.35)
    artists = {str(artist.get_label()): artist for axes in places[0] for artist in axes.lines}
    shown = [artist for label, artist in artists.items() if not label.startswith("_")]
    legend_bottom = bottom - 0.8
    figure.legend(handles=shown, loc="lower center", bbox_to_anchor=(0.5, legend_bottom / height), ncols=len(shown))
    return figure


def _draw_truth(axes: Axes, row: FitRow) -> None:
    axes.plot(row.states, row.truth, color=TRUTH, linestyle=(0, (1, 1.6)), label="truth", zorder=4)


def _draw_fit(axes: Axes, row: FitRow) -> None:
    axes.plot(*row.samples.T, "o", color=FIT, markersize=4.5, label="samples", zorder=3)
    axes.plot(row.states, row.fits[row.shown], color=FIT, linewidth=1.4, label="fit", zorder=3)
    _draw_truth(axes, row)
    axes.set_title("one action", **TITLE)


def _draw_all(axes: Axes, row: FitRow) -> None:
    axes.plot(row.states, row.fits.T, color=FIT, alpha=0.6, linewidth=0.7, zorder=2)
    maximum = row.fits.max(axis=0)
    axes.plot(row.states, maximum, color=LOOKS["maximum"].colour, label="maximum", zorder=3)
    _draw_truth(axes, row)
    # Fits that dive are of no interest: room for the maximum.
    low, high = row.truth.min(), max(maximum.max(), row.truth.max())
    axes.set_ylim(low - 0.3 * (high - low), high + 0.06 * (high - low))
    axes.set_title("all ten and their maximum", **TITLE)


def _draw_errors(axes: Axes, row: FitRow) -> None:
    axes.axhline(0, color=TRUTH, linestyle=(0, (1, 1.6)), zorder=2)
    words = []
    for name, error in row.errors.items():
        look = LOOKS[name]
        axes.plot(row.states, error, color=look.colour, linestyle=look.dashes, label=name, zorder=3)
        words.append(f"{SHORT[name]} {error.mean():+.2f}".replace("-", "\N{MINUS SIGN}"))
    axes.set_title(f"error: {', '.join(words)}", **TITLE)
