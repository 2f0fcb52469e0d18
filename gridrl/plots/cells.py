"""What stands in each cell of a value map: its number below, its greedy arrows above."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from gridrl.plots.style import INK

# Row and column of one step of actions 0 up, 1 down, 2 left, 3 right; rows grow downwards.
_STEPS = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)])
SMALLEST_NUMBER = 6.5  # points: 9 pixels where a page is 800 pixels wide
DIGIT = 0.64  # width of a digit of DejaVu Sans, of its size


def cell_points(axes: Axes) -> float:
    """Return the side of a cell in points, in axes that have their final size."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    axes.apply_aspect()
    return float(axes.get_window_extent().width / figure.dpi * 72 / abs(axes.get_xlim()[1] - axes.get_xlim()[0]))


def draw_numbers(
    axes: Axes,
    grid: NDArray[np.float64],
    cell_points: float,
    signed: bool,
    *,
    has_arrows: bool,
    own_digits: bool = False,
) -> bool:
    """Write each cell's value into it where the longest fits; return whether numbers were written."""
    finite = np.isfinite(grid)
    if not finite.any():
        return False
    # Three tenths of the cell leave the arrows their room; a third still does where the number would else be lost.
    high = max(0.3 * cell_points, min(0.34 * cell_points, SMALLEST_NUMBER))
    for num_digits in (3, 2):
        texts = own_texts(grid[finite], num_digits) if own_digits else texts_of(grid[finite], signed, num_digits)
        widest = max(len(text) for text in texts)
        size = min(0.87 * cell_points / (widest * DIGIT), high, 10.0)
        if size >= SMALLEST_NUMBER:
            break
    else:
        if signed:  # the sign at least, for a grey print
            row, column = np.nonzero(grid < 0)
            axes.plot(column - 0.28, row + 0.3, "_", color=INK, markersize=0.25 * cell_points)
        return False
    shift = 0.29 if has_arrows else 0.1
    for (row, column), text in zip(np.argwhere(finite), texts, strict=True):
        axes.text(column, row + shift, text, size=size, ha="center", va="center", zorder=6)
    return True


def texts_of(values: NDArray[np.float64], signed: bool, num_digits: int) -> list[str]:
    """Return numbers, all with as many decimals as give the largest `num_digits` digits."""
    largest = np.abs(values).max()
    before_point = sum(largest >= limit for limit in (9.95, 99.5)) + 1
    decimals = max(num_digits - before_point, 0) if largest else 0
    texts = [f"{value:{'+' if signed else ''}.{decimals}f}" for value in values]
    zeros = {f"{sign}{0:.{decimals}f}" for sign in "+-"}
    return [text[1:] if text in zeros else text.replace("-", "\N{MINUS SIGN}") for text in texts]


def own_texts(values: NDArray[np.float64], num_digits: int) -> list[str]:
    """Return numbers above 0, each with decimals of its own: as many as give it `num_digits` digits at most."""
    texts = []
    for value in values:
        before_point = 1 + sum(value >= limit for limit in (9.95, 99.5))
        text = f"{value:.{max(num_digits - before_point, 0)}f}"
        texts.append(text.removeprefix("0") if float(text) else "0")
    return texts


def draw_arrows(axes: Axes, mask: NDArray[np.bool_], columns: int, *, raised: bool) -> None:
    """Draw one arrow per greedy action, mask bool [cells, 4]: alone, through the middle; in a tie, from the middle."""
    cell, action = np.nonzero(mask)
    row, column = np.divmod(cell, columns)
    alone = mask.sum(axis=1)[cell] == 1
    reach = 0.25 if raised else 0.3
    step_row, step_column = _STEPS[action].T
    tail = np.where(alone, -reach, 0.0)
    middle_row = row + (-0.16 if raised else 0.08)
    middle_column = column + (0.14 if raised else 0.1)
    axes.quiver(
        middle_column + tail * step_column,
        middle_row + tail * step_row,
        step_column * (reach - tail),
        step_row * (reach - tail),
        angles="xy",
        scale_units="xy",
        scale=1,
        units="x",
        width=0.045,
        headwidth=3.8,
        headlength=3,
        headaxislength=2.8,
        minlength=0,
        color=INK,
        zorder=4,
    )
