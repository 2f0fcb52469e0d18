"""Panels in rows on a page, each with its legend below it."""

import math
import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from gridrl.plots.style import PAGE_WIDTH, fitting_size

AXES_HEIGHT = 2.35  # inches


def lay_out(
    figure: Figure,
    places: Sequence[Axes],
    columns: int,
    title: str,
    note: str,
    legend_columns: int,
    axes_height: float,
) -> None:
    """Give every panel its place, in inches, once the lines of its title and the entries of its legend are known."""
    left, gap, right = 0.8, 0.55, 0.2
    width = (PAGE_WIDTH - left - right - gap * (columns - 1)) / columns
    labels = {axes.get_ylabel() for axes in places}
    if len(labels) > 1:  # each panel needs room for its own
        gap += 0.25
        width -= 0.25 * (columns - 1) / columns
    for axes in places:
        letters = max(int(width / 0.088), 10)  # a bold letter of 10 points takes .088 inches
        axes.set_title(textwrap.fill(axes.get_title(loc="left"), letters, break_on_hyphens=False), loc="left")
        legend_below(axes, legend_columns)
    title_height = 0.12 + 0.17 * max(axes.get_title(loc="left").count("\n") + 1 for axes in places)
    entries = max(len(axes.get_legend_handles_labels()[1]) for axes in places)
    legend_height = 0.55 + 0.17 * math.ceil(entries / legend_columns)
    row_height = title_height + axes_height + legend_height
    top, bottom = (0.36 if title else 0.05), 0.14 + 0.16 * (note.count("\n") + 1 if note else 0)
    height = top + row_height * math.ceil(len(places) / columns) + bottom
    figure.set_size_inches(PAGE_WIDTH, height)
    for number, axes in enumerate(places):
        row, column = divmod(number, columns)
        low = height - top - row * row_height - title_height - axes_height
        x = left + column * (width + gap)
        axes.set_position((x / PAGE_WIDTH, low / height, width / PAGE_WIDTH, axes_height / height))
        if column and len(labels) == 1:
            axes.set_ylabel("")
    figure.text(
        0.2 / PAGE_WIDTH,
        1 - 0.22 / height,
        title,
        size=fitting_size(title, PAGE_WIDTH - 0.4, 12),
        weight="bold",
        va="center",
    )
    figure.text(0.2 / PAGE_WIDTH, 0.1 / height, note, size=8, va="bottom", linespacing=1.35)


def legend_below(axes: Axes, columns: int) -> None:
    """Put the legend, if anything has a label, where it never lies on the data: below the axes' own label."""
    if not axes.get_legend_handles_labels()[1]:
        return
    figure = axes.get_figure(root=True)
    assert figure is not None
    below = axes.transAxes + ScaledTranslation(0, -0.5, figure.dpi_scale_trans)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=below,
        ncols=columns,
        borderaxespad=0,
        borderpad=0,
        handlelength=2.4,
        labelspacing=0.45,
    )
