"""The look of every figure: calm, safe in grey print and for colour-blind eyes; and the saving of figures."""

import os
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from gridrl.errors import UserError

INK = "#1f2937"  # text, arrows
WALL = "#4b5563"
GRID = "#d1d5db"

# Inches. Wide enough for a printed page between margins; at 800 pixels the small text is still 9 pixels high.
PAGE_WIDTH = 8.0

# Light throughout, so that black numbers and arrows read on every cell, and growing darker evenly, so that a grey
# print keeps the order.
VALUES = LinearSegmentedColormap.from_list("gridrl-values", ["#fdfbf0", "#cfe3e6", "#8fbfdb", "#5b97c9"])
# Orange below, blue above, white at zero; a minus sign in the cell tells the sides apart in grey.
DIFFERENCES = LinearSegmentedColormap.from_list(
    "gridrl-differences", ["#d9822b", "#f3c891", "#ffffff", "#a9cbe6", "#4f8fc4"]
)

# On top of matplotlib's own defaults, so that a user's matplotlibrc does not change our figures.
_SETTINGS: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same letters everywhere
    "font.size": 8.5,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 8.5,
    "axes.edgecolor": "#6b7280",
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e5e7eb",
    "grid.linewidth": 0.7,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.color": "#4b5563",
    "ytick.color": "#4b5563",
    "lines.linewidth": 1.8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "hatch.color": GRID,
    "hatch.linewidth": 0.6,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "pdf.fonttype": 42,  # text stays text in a PDF
    "svg.hashsalt": "gridrl",  # the same figure gives the same bytes
}
_OTHERS = {"backend", "backend_fallback", "date.epoch", "interactive", "toolbar", "timezone"}


@contextmanager
def styled() -> Iterator[None]:
    """Give artists made in this context, or in a function so decorated, our look; matplotlib's own comes back after."""
    base: dict[Any, Any] = {key: value for key, value in dict(matplotlib.rcParamsDefault).items() if key not in _OTHERS}
    with matplotlib.rc_context(base | _SETTINGS):
        yield


def new_figure(width: float = PAGE_WIDTH, height: float = 4.5) -> Figure:
    """Make an empty figure on the Agg canvas, sizes in inches; it needs no display and no pyplot."""
    with styled():
        figure = Figure(figsize=(width, height), dpi=100)
        FigureCanvasAgg(figure)
    return figure


def wrapped(text: str, width: float, size: float, *, shortest: int = 20) -> str:
    """Break text into lines that fit `width` inches at a font size in points, but not below `shortest` letters.

    Breaks in the text stay.
    """
    # A letter of DejaVu Sans is about half as wide as its size in English text; the rest is air.
    letters = max(int(width * 72 / (0.525 * size)), shortest)
    return "\n".join(textwrap.fill(line, letters) for line in text.split("\n"))


def shortened(text: str, width: float, size: float) -> str:
    """Return a bold line cut so that it fits `width` inches at a font size in points."""
    letters = int((width * 72 / size - 1) / 0.66)
    return text if len(text) <= letters else text[: max(letters - 1, 1)].rstrip(" ,") + "\N{HORIZONTAL ELLIPSIS}"


def fitting_size(text: str, width: float, largest: float) -> float:
    """Return the size in points, not above `largest`, at which one bold line fits `width` inches; never below 6.5."""
    # .66 of its size: the width of a bold letter of DejaVu Sans, on average with a little air
    return min(largest, max(width * 72 / (0.66 * len(text) + 1), 6.5))


def pixels(figure: Figure) -> np.ndarray:
    """Return a figure as a picture of 100 dots per inch, uint8 [H, W, 3]."""
    canvas = FigureCanvasAgg(figure)
    with styled():
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def save(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure as its suffix says, .png (150 dots per inch), .svg or .pdf; return the path.

    The file appears whole or not at all. Raises UserError for another suffix or where it cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    undated: dict[str, dict[str, Any]] = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    if suffix not in undated:
        raise UserError(f"a figure is written as .png, .svg or .pdf, got '{path.name}': choose one of these endings")
    if not path.parent.is_dir():
        raise UserError(f"cannot write '{path}': there is no folder '{path.parent}'; make it first")
    try:
        with tempfile.TemporaryDirectory(prefix=".figure-", dir=path.parent) as folder, styled():
            unfinished = Path(folder, f"figure{suffix}")
            figure.savefig(unfinished, dpi=150, metadata=undated[suffix])
            os.replace(unfinished, path)
    except OSError as error:
        raise UserError(f"cannot write the figure '{path}': {error.strerror or error}") from error
    return path
