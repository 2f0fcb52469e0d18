"""A level drawn over a map of its cells: walls, and one mark of its own shape for each thing that stands in a cell."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from gridrl.plots.style import GRID, INK, WALL

if TYPE_CHECKING:
    from gridrl_envs.level import Level


class Mark(NamedTuple):
    """The shape that stands for one kind of thing; shapes differ, so that a grey print tells them apart."""

    shape: str  # matplotlib's marker
    colour: str
    scale: float  # of the common size
    edge: str = "white"


MARKS = {
    "coin": Mark("o", "#f2b705", 1.0, INK),
    "poison": Mark("X", "#7b2d8b", 1.15),
    "goal": Mark("*", "#10935a", 1.6),
    "pit": Mark("p", "#111111", 1.2),
    "patroller": Mark("D", "#c81e3a", 1.0),
}
CORNER = (-0.29, -0.29)  # where in its cell a mark stands, from the centre, in cells: clear of number and arrows

RIM = 0.25  # of the border, which is all wall, this part of a cell is shown


def things(
    level: "Level", items_left: Sequence[bool] | None = None, patrollers: Sequence[int] | None = None
) -> dict[str, list[int]]:
    """Return the flat cells of each kind of thing, by the names of `MARKS`.

    `items_left` tells for coins, then poisons, in reading order, whether each is still there (default: all);
    `patrollers` are their cells (default: where they set out). Raises ValueError for the wrong number of items.
    """
    items = (*level.coins, *level.poisons)
    left = [True] * len(items) if items_left is None else list(items_left)
    if len(left) != len(items):
        raise ValueError(f"level '{level.name}' has {len(items)} items, but items_left tells of {len(left)}")
    coins = len(level.coins)
    return {
        "coin": [cell for cell, there in zip(items[:coins], left[:coins], strict=True) if there],
        "poison": [cell for cell, there in zip(items[coins:], left[coins:], strict=True) if there],
        "goal": list(level.goals),
        "pit": list(level.pits),
        "patroller": [cell for cell, _ in level.patrollers] if patrollers is None else list(patrollers),
    }


def draw_board(axes: Axes, level: "Level", blank: np.ndarray) -> None:
    """Draw walls solid, `blank` floor cells (bool [rows, columns]) hatched, and the lines between cells."""
    walls = walls_of(level)
    low, high = 0.5 - RIM, np.array([level.columns, level.rows]) - 1.5 + RIM
    axes.set(xlim=(low, high[0]), ylim=(high[1], low), aspect="equal", xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set_visible(False)

    def squares(cells: np.ndarray) -> list[Rectangle]:
        return [Rectangle((column - 0.5, row - 0.5), 1, 1) for row, column in np.argwhere(cells)]

    axes.add_collection(PatchCollection(squares(~walls), facecolor="none", edgecolor=GRID, linewidth=0.6))
    axes.add_collection(
        PatchCollection(squares(blank & ~walls), facecolor="white", edgecolor=GRID, hatch="////", linewidth=0.6)
    )
    # The walls' edges are drawn too: else thin light lines show between them in a PDF.
    axes.add_collection(PatchCollection(squares(walls), facecolor=WALL, edgecolor=WALL, linewidth=0.6, label="walls"))


def walls_of(level: "Level") -> np.ndarray:
    """Return where walls stand, bool [rows, columns]."""
    walls = np.ones((level.rows, level.columns), bool)
    walls.flat[list(level.floor)] = False
    return walls


def draw_things(axes: Axes, level: "Level", cells: dict[str, list[int]], cell_points: float) -> None:
    """Draw a frame around each start and the marks into the corners; `cell_points` is a cell's side in points."""
    for start in level.starts:
        row, column = divmod(start, level.columns)
        side = 1 - 2.4 / cell_points  # the frame lies inside its cell
        corner = (column - side / 2, row - side / 2)
        axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=INK, linewidth=1.6, zorder=3))
    size = min(max(0.27 * cell_points, 3.5), 9.0)
    for kind, where in cells.items():
        if where:
            rows, columns = np.divmod(np.array(where), level.columns)
            axes.plot(columns + CORNER[0], rows + CORNER[1], zorder=5, **_marker(kind, size))


def _marker(kind: str, size: float) -> dict[str, Any]:
    mark = MARKS[kind]
    return {
        "linestyle": "none",
        "marker": mark.shape,
        "markersize": size * mark.scale,
        "color": mark.colour,
        "markeredgecolor": mark.edge,
        "markeredgewidth": 0.6,
        "label": kind,
    }


def handles(level: "Level", cells: dict[str, list[int]], *, blank: bool, arrows: bool) -> list[Line2D | Patch]:
    """Return the legend's entries for what is drawn of this level, and no others."""
    found: list[Line2D | Patch] = [Patch(facecolor="none", edgecolor=INK, linewidth=1.4, label="start")]
    found += [Line2D([], [], **_marker(kind, 6)) for kind, where in cells.items() if where]
    found.append(Patch(facecolor=WALL, edgecolor=WALL, label="wall"))
    if blank:
        found.append(Patch(facecolor="white", edgecolor=GRID, hatch="////", label="no value"))
    if arrows:
        arrow = r"$\rightarrow$"
        found.append(Line2D([], [], linestyle="none", marker=arrow, markersize=9, color=INK, label="best action"))
    return found
