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
    "player": Mark("P", "#1d4ed8", 1.15),
}
Things = dict[str, list[int]]  # flat cells of each kind of thing, by the names of `MARKS`
CORNER = -0.29  # where in its cell a mark stands, from the centre to the left and up: clear of number and arrows
RIM = 0.25  # of the border, which is all wall, this part of a cell is shown


def things(
    level: "Level",
    items_left: Sequence[bool] | None = None,
    patrollers: Sequence[int] | None = None,
    player: int | None = None,
) -> Things:
    """Return what stands where.

    `items_left` tells for coins, then poisons, in reading order, whether each is still there (default: all);
    `patrollers` are their cells (default: where they set out), `player` is the player's (default: it is not shown).
    Raises ValueError for the wrong number of items.
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
        "player": [] if player is None else [player],
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


def draw_things(axes: Axes, level: "Level", cells: Things, cell_points: float, *, corner: float = CORNER) -> None:
    """Draw a frame around each start and the marks into the corners; `cell_points` is a cell's side in points."""
    for start in level.starts:
        row, column = divmod(start, level.columns)
        side = 1 - 2.4 / cell_points  # the frame lies inside its cell
        axes.add_patch(
            Rectangle(
                (column - side / 2, row - side / 2), side, side, fill=False, edgecolor=INK, linewidth=1.6, zorder=3
            )
        )
    room = 2 * (0.5 + corner)  # in cells: as much beyond the mark's middle as there is before it
    size = min(max(0.64 * room * cell_points, 3.5), 9.0)
    for kind, where in cells.items():
        if where:
            rows, columns = np.divmod(np.array(where), level.columns)
            axes.plot(columns + corner, rows + corner, zorder=5, **_marker(kind, size))


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


def handles(level: "Level", cells: Things, *, blank: str | None, best: str | None) -> list[Line2D | Patch]:
    """Return the legend's entries for what is drawn of this level, and no others.

    `blank` names the cells without a value, where there are any; `best` is the mark of the best actions: "arrow",
    "triangle" or None.
    """
    found: list[Line2D | Patch] = [Patch(facecolor="none", edgecolor=INK, linewidth=1.4, label="start")]
    found += [Line2D([], [], **_marker(kind, 6)) for kind, where in cells.items() if where]
    found.append(Patch(facecolor=WALL, edgecolor=WALL, label="wall"))
    if blank:
        found.append(Patch(facecolor="white", edgecolor=GRID, hatch="////", label=blank))
    if best:
        look: dict[str, Any] = {"arrow": {"marker": r"$\rightarrow$"}, "triangle": {"marker": "v", "fillstyle": "none"}}
        found.append(Line2D([], [], linestyle="none", markersize=9, color=INK, label="best action", **look[best]))
    return found
