"""Q on the grid: four triangles in each cell, one for each action, on the side that it leads to."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike, NDArray

from gridrl.plots import cells, marks
from gridrl.plots.scales import scale_of
from gridrl.plots.style import INK, VALUES, styled
from gridrl.plots.value_map import on_grid

if TYPE_CHECKING:
    from gridrl_envs.level import Level

HOW_TO_READ_TRIANGLES = (
    "How to read: the triangle at a side of a cell is the action that leads there, its colour (and number) are Q; the "
    "best are outlined (several: tie; none: all four are alike)."
)
# Corners of each action's triangle, x and y from the cell's centre; y grows downwards, as rows do.
TRIANGLES = np.array(
    [
        [(-0.5, -0.5), (0.5, -0.5), (0, 0)],
        [(-0.5, 0.5), (0.5, 0.5), (0, 0)],
        [(-0.5, -0.5), (-0.5, 0.5), (0, 0)],
        [(0.5, -0.5), (0.5, 0.5), (0, 0)],
    ]
)
_CORNER = -0.37  # of marks: on the line between two triangles, clear of their numbers
_PAD = 1.5  # points between a number and its side
_HEIGHT = 0.75  # of a digit, of its size


class TrianglesPanel(NamedTuple):
    """A map with the values of all actions in each cell: float [cells, 4] (NaN: none)."""

    title: str
    q_values: ArrayLike

    @property
    def signed(self) -> bool:
        """These are values, no differences."""
        return False

    @property
    def best(self) -> str | None:
        """The best triangles are outlined."""
        return "triangle"

    @property
    def enough(self) -> float:
        """Four numbers."""
        return 0.46

    def grid(self, level: "Level") -> NDArray[np.float64]:
        """Return the values, [rows, columns, 4]."""
        return on_grid(self.q_values, level)

    def draw(self, axes: Axes, level: "Level", norm: Normalize, things: marks.Things) -> ScalarMappable:
        """Draw it."""
        return draw_triangles(axes, level, self.q_values, norm=norm, things=things, title=self.title)


@styled()
def draw_triangles(
    axes: Axes,
    level: "Level",
    q_values: ArrayLike,
    *,
    norm: Normalize | None = None,
    things: marks.Things | None = None,
    title: str = "",
) -> ScalarMappable:
    """Draw the action values of each cell into axes that have their final size; return what a colour bar needs.

    `q_values` is float [cells, 4] or [rows, columns, 4], NaN where there are none; `norm` and `things` as in
    `draw_value_map`. Raises ValueError for another shape.
    """
    grid = on_grid(q_values, level)
    known: NDArray[np.bool_] = np.asarray(np.isfinite(grid).all(axis=2))
    middle = np.argwhere(known)[:, None, None, ::-1].astype(np.float64)  # [cells, 1, 1, x and y]
    corners, values = middle + TRIANGLES, grid[known]  # [cells, 4, 3, 2] and [cells, 4]
    image = PolyCollection(
        list(corners.reshape(-1, 3, 2)), cmap=VALUES, norm=norm or scale_of([grid]), edgecolor="white", linewidth=0.5
    )
    image.set_array(values.ravel())
    axes.add_collection(image)
    marks.draw_board(axes, level, ~known)
    cell_points = cells.cell_points(axes)
    inset = middle + _inset(1.2 / cell_points)
    best = values == values.max(axis=1, keepdims=True)
    best &= ~best.all(axis=1, keepdims=True)  # where all are alike, lines would only hide that
    axes.add_collection(PolyCollection(list(inset[best]), facecolor="none", edgecolor=INK, linewidth=1.3, zorder=3))
    _draw_numbers(axes, middle[:, 0, 0], values, np.asarray(image.to_rgba(values)), cell_points)
    marks.draw_things(axes, level, things or marks.things(level), cell_points, corner=_CORNER)
    axes.set_title(title)
    return image


def _inset(distance: float) -> NDArray[np.float64]:
    """Return `TRIANGLES` made smaller, so that each side lies `distance` further in."""
    radius = (np.sqrt(2) - 1) / 2  # of the circle within a triangle; its centre is as far from the side
    centre = (0.5 - radius) * np.array([(0, -1), (0, 1), (-1, 0), (1, 0)])[:, None]
    return centre + (TRIANGLES - centre) * (1 - distance / radius)


def _draw_numbers(
    axes: Axes,
    middle: NDArray[np.float64],
    values: NDArray[np.float64],
    colours: NDArray[np.float64],
    cell_points: float,
) -> None:
    """Write each triangle's value along its side, where the longest fits."""
    if not values.size:
        return
    for num_digits in (3, 2):
        texts = np.array(cells.texts_of(values.ravel(), False, num_digits)).reshape(values.shape)
        widest = max(map(len, texts.flat)) * cells.DIGIT
        # Left and right, a number ends where the triangle has become as low as the number is high.
        largest = (cell_points / 2 - _PAD) / (widest + _HEIGHT / 2)
        size = min(max(0.85 * largest, cells.SMALLEST_NUMBER), largest, 9.0)
        if size >= cells.SMALLEST_NUMBER:
            break
    else:
        return
    edge = 0.5 - _PAD / cell_points
    line = edge - _HEIGHT * size / 2 / cell_points  # the middle of the numbers above and below
    places = ((0, -line, "center"), (0, line, "center"), (-edge, 0, "left"), (edge, 0, "right"))
    for (x, y), *of_cell in zip(middle, texts, colours, strict=True):
        for (right, down, side), text, colour in zip(places, *of_cell, strict=True):
            halo = withStroke(linewidth=2, foreground=colour)  # an outline gives way to the number
            axes.text(
                x + right, y + down, text, size=size, ha=side, va="center_baseline", zorder=6, path_effects=[halo]
            )
