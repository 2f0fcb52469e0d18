"""Value maps: what is expected from each cell on, as colour, number and greedy arrows, with the level drawn over it."""

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import CenteredNorm, Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from gridrl.plots import cells, marks
from gridrl.plots.style import DIFFERENCES, PAGE_WIDTH, VALUES, fitting_size, new_figure, styled, wrapped

if TYPE_CHECKING:
    from gridrl_envs.level import Level

HOW_TO_READ = (
    "How to read: colour and number are what is expected from a cell on; arrows, the best actions (several: tie)."
)
HOW_TO_READ_DIFFERENCES = "Differences: blue (+) is too high, orange (\N{MINUS SIGN}) too low, white: right."


class ValuePanel(NamedTuple):
    """One map of a figure: values float [cells] (NaN: none), greedy actions bool [cells, 4] or None for no arrows."""

    title: str
    values: ArrayLike
    greedy: ArrayLike | None = None
    signed: bool = False  # a difference: drawn on the scale of differences, white at zero, numbers with their sign


def difference_panel(title: str, panel: ValuePanel, truth: ValuePanel) -> ValuePanel:
    """Return the panel of `panel` minus `truth`, with the arrows of `panel`: above zero is overestimated."""
    return ValuePanel(title, np.subtract(panel.values, truth.values), panel.greedy, signed=True)


@styled()
def draw_value_map(
    axes: Axes,
    level: "Level",
    values: ArrayLike,
    actions: ArrayLike | Sequence[Collection[int]] | None = None,
    *,
    norm: Normalize | None = None,
    signed: bool = False,
    items_left: Sequence[bool] | None = None,
    patrollers: Sequence[int] | None = None,
    title: str = "",
    unit: str = "return",
    colour_bar: bool = True,
) -> ScalarMappable:
    """Draw one value map into axes that have their final size, and return what a colour bar needs.

    `values` is float [cells] or [rows, columns], NaN where there is none; `actions` bool [cells, 4] or a set of action
    numbers per cell. `norm` is the scale of colours (default: the range of these values, or, signed, symmetric about
    zero). Items and patrollers as in `marks.things`. Numbers are left out where cells are too small for them.
    Raises ValueError for values or actions of another shape than the level.
    """
    grid = _on_grid(values, level)
    norm = norm or scale_of([grid], signed)
    figure = axes.get_figure(root=True)
    assert figure is not None
    where = marks.things(level, items_left, patrollers)
    image = axes.imshow(grid, cmap=DIFFERENCES if signed else VALUES, norm=norm, interpolation="nearest")
    marks.draw_board(axes, level, np.isnan(grid))
    if colour_bar:
        figure.colorbar(image, ax=axes, label=unit, shrink=0.8)
    axes.apply_aspect()
    cell_points = axes.get_window_extent().width / figure.dpi * 72 / abs(axes.get_xlim()[1] - axes.get_xlim()[0])
    numbered = cells.draw_numbers(axes, grid, cell_points, signed, has_arrows=actions is not None)
    if actions is not None:
        greedy = _as_mask(actions, level) & ~np.isnan(grid).reshape(-1, 1)
        cells.draw_arrows(axes, greedy, level.columns, raised=numbered)
    marks.draw_things(axes, level, where, cell_points)
    axes.set_title(title)
    return image


@styled()
def value_map_figure(
    panels: Sequence[ValuePanel | None],
    level: "Level",
    *,
    title: str = "",
    note: str | None = None,
    unit: str = "return",
    columns: int | None = None,
    items_left: Sequence[bool] | None = None,
    patrollers: Sequence[int] | None = None,
) -> Figure:
    """Draw several maps of one level on one scale of colours, and all differences on another.

    Panels fill the rows from the left, None leaves a place empty; `columns` is chosen by the level's shape where it is
    not given. The colour bars stand at the right; below, a legend of the level's marks and the `note` (default: how to
    read what is drawn). Raises ValueError without panels.
    """
    shown = {number: panel for number, panel in enumerate(panels) if panel is not None}
    if not shown:
        raise ValueError("a value map needs at least one panel, got none")
    grids: dict[bool, list[NDArray[np.float64]]] = {}
    for panel in shown.values():
        grids.setdefault(panel.signed, []).append(_on_grid(panel.values, level))
    norms = {signed: scale_of(alike, signed) for signed, alike in grids.items()}
    if note is None:
        note = " ".join([HOW_TO_READ, HOW_TO_READ_DIFFERENCES][: 1 + (True in grids)])
    place = _Places(len(panels), level, columns, wrapped(note, PAGE_WIDTH - 0.4, 8), bool(title))
    figure = new_figure(PAGE_WIDTH, place.height)
    drawn: dict[bool, ScalarMappable] = {}
    for number, panel in shown.items():
        drawn[panel.signed] = draw_value_map(
            figure.add_axes(place.panel(number)),
            level,
            panel.values,
            panel.greedy,
            norm=norms[panel.signed],
            signed=panel.signed,
            items_left=items_left,
            patrollers=patrollers,
            title=panel.title,
            colour_bar=False,
        )
    title_size = min(fitting_size(panel.title, place.panel_width, 10) for panel in shown.values())
    for axes in figure.axes:  # no title runs into its neighbour, and all have one size
        axes.set_title(axes.get_title(loc="left"), loc="left", size=title_size)
    for number, (signed, image) in enumerate(sorted(drawn.items())):
        label = unit if not signed else "difference" if len(drawn) > 1 else f"difference in {unit}"
        where = place.colour_bar(number, len(drawn))
        label = wrapped(label, where[3] * place.height, 8.5, shortest=8)
        figure.colorbar(image, cax=figure.add_axes(where), label=label)
    if title:
        figure.text(
            place.left,
            place.from_top(0.22),
            title,
            size=fitting_size(title, PAGE_WIDTH - 0.4, 12),
            weight="bold",
            va="center",
        )
    floor = ~marks.walls_of(level)
    found = marks.handles(
        level,
        marks.things(level, items_left, patrollers),
        blank=any(bool(np.isnan(grid[floor]).any()) for alike in grids.values() for grid in alike),
        arrows=any(panel.greedy is not None for panel in shown.values()),
    )
    figure.legend(
        handles=found,
        loc="lower left",
        bbox_to_anchor=(place.left - 0.01, place.legend),
        ncols=len(found),
        columnspacing=1.4,
        handletextpad=0.5,
        borderpad=0,
    )
    figure.text(place.left, place.note, place.note_text, size=8, va="bottom", linespacing=1.35)
    return figure


def scale_of(grids: Sequence[ArrayLike], signed: bool = False) -> Normalize:
    """Return one scale of colours for several arrays of values; signed, it is symmetric about zero."""
    finite = np.concatenate([np.ravel(grid)[np.isfinite(np.ravel(grid))] for grid in grids])
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if signed:
        return CenteredNorm(0.0, max(-low, high) or 1.0)
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-9):
        low, high = low - 0.5, high + 0.5  # one value everywhere: it gets the middle colour
    return Normalize(low, high)


class _Places:
    """Where everything stands, worked out in inches, handed out in parts of the figure as matplotlib wants it."""

    margin, gap, panel_title, bar_room, tallest = 0.2, 0.25, 0.32, 0.95, 9.5

    def __init__(self, num_panels: int, level: "Level", columns: int | None, note_text: str, titled: bool) -> None:
        # Cells of .27 inches hold a number and arrows; where more columns give that too, the figure is less tall.
        self.columns = columns or max(
            range(1, num_panels + 1),
            key=lambda columns: (min(self.cell_size(num_panels, level, columns), 0.27), columns),
        )
        self.rows = math.ceil(num_panels / self.columns)
        self.note_text = note_text
        cell = self.cell_size(num_panels, level, self.columns)
        self.panel_width, self.panel_height = (
            cell * (side - 2 + 2 * marks.RIM) for side in (level.columns, level.rows)
        )
        self.top = 0.36 if titled else 0.08
        self.note_height = 0.16 * (note_text.count("\n") + 1) if note_text else 0.0
        self.bottom = 0.12 + self.note_height + 0.35
        self.maps_height = self.rows * (self.panel_height + self.panel_title)
        self.height = self.top + self.maps_height + self.bottom
        self.left, self.note = self.margin / PAGE_WIDTH, 0.1 / self.height
        self.legend = (0.1 + self.note_height + 0.08) / self.height

    @classmethod
    def cell_size(cls, num_panels: int, level: "Level", columns: int) -> float:
        """Return the side of a cell that fills the page's width, unless the page would grow too tall."""
        width = (PAGE_WIDTH - 2 * cls.margin - cls.bar_room - cls.gap * (columns - 1)) / columns
        height = cls.tallest / math.ceil(num_panels / columns) - cls.panel_title
        shown = 2 - 2 * marks.RIM
        return min(width / (level.columns - shown), max(height, 0.5) / (level.rows - shown), 0.62)

    def from_top(self, inches: float) -> float:
        return 1 - inches / self.height

    def panel(self, number: int) -> tuple[float, float, float, float]:
        row, column = divmod(number, self.columns)
        left = self.margin + column * (self.panel_width + self.gap)
        bottom = self.height - self.top - (row + 1) * (self.panel_height + self.panel_title)
        return self._parts(left, bottom, self.panel_width, self.panel_height)

    def colour_bar(self, number: int, total: int) -> tuple[float, float, float, float]:
        left = self.margin + self.columns * (self.panel_width + self.gap) - 0.1
        share = self.maps_height / total
        bottom = self.height - self.top - (number + 1) * share
        length = min(share - self.panel_title, 3.0)
        return self._parts(left, bottom + (share - self.panel_title - length), 0.14, length)

    def _parts(self, left: float, bottom: float, width: float, height: float) -> tuple[float, float, float, float]:
        return left / PAGE_WIDTH, bottom / self.height, width / PAGE_WIDTH, height / self.height


def _on_grid(values: ArrayLike, level: "Level") -> NDArray[np.float64]:
    grid = np.array(values, np.float64)
    shape = (level.rows, level.columns)
    if grid.shape not in (shape, (shape[0] * shape[1],)):
        raise ValueError(f"level '{level.name}' has {shape[0]} x {shape[1]} cells, got values of shape {grid.shape}")
    grid = grid.reshape(shape)
    grid[marks.walls_of(level)] = np.nan
    return grid


def _as_mask(actions: ArrayLike | Sequence[Collection[int]], level: "Level") -> NDArray[np.bool_]:
    num_cells = level.rows * level.columns
    if isinstance(actions, np.ndarray):
        mask = actions.reshape(-1, 4).astype(bool)
    else:
        sets = [set(cell) for cell in actions]  # type: ignore[union-attr, arg-type]
        mask = np.array([[action in cell for action in range(4)] for cell in sets])
    if mask.shape != (num_cells, 4):
        raise ValueError(f"level '{level.name}' has {num_cells} cells, got actions for {len(mask)}")
    return mask
