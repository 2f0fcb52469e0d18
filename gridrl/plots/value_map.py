"""Value maps: what is expected from each cell on, as colour, number and greedy arrows, with the level drawn over it."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from gridrl.plots import cells, marks
from gridrl.plots.places import Place, Places
from gridrl.plots.scales import scale_of
from gridrl.plots.style import DIFFERENCES, PAGE_WIDTH, VALUES, fitting_size, new_figure, shortened, styled, wrapped

if TYPE_CHECKING:
    from gridrl_envs.level import Level

HOW_TO_READ = (
    "How to read: colour (and number) are what is expected from a cell on; arrows, the best actions (several: tie)."
)
HOW_TO_READ_DIFFERENCES = "Differences: blue (+) is too high, orange (\N{MINUS SIGN}) too low, white: right."


class MapPanel(Protocol):
    """One map of a figure."""

    @property
    def title(self) -> str:
        """What stands above it."""

    @property
    def signed(self) -> bool:
        """Whether it is a difference: on the scale of differences, white at zero, numbers with their sign."""

    @property
    def best(self) -> str | None:
        """How the best actions are marked: "arrow", "triangle" or None."""

    @property
    def enough(self) -> float:
        """The side of a cell that holds all that is written into it, in inches."""

    def grid(self, level: "Level") -> NDArray[np.float64]:
        """Return what is drawn, [rows, columns, ...]; NaN: none."""

    def draw(self, axes: Axes, level: "Level", norm: Normalize, things: marks.Things) -> ScalarMappable:
        """Draw it into axes that have their final size; return what a colour bar needs."""


class ValuePanel(NamedTuple):
    """A map with one value in each cell: float [cells] (NaN: none), greedy actions bool [cells, 4] or None."""

    title: str
    values: ArrayLike
    greedy: ArrayLike | None = None  # no arrows without them
    signed: bool = False
    own_digits: bool = False  # numbers of very different size: each gets the digits that it needs

    @property
    def best(self) -> str | None:
        """Arrows, where greedy actions are given."""
        return None if self.greedy is None else "arrow"

    @property
    def enough(self) -> float:
        """A number and arrows."""
        return 0.27

    def grid(self, level: "Level") -> NDArray[np.float64]:
        """Return the values, [rows, columns]."""
        return on_grid(self.values, level)

    def draw(self, axes: Axes, level: "Level", norm: Normalize, things: marks.Things) -> ScalarMappable:
        """Draw it."""
        return draw_value_map(
            axes,
            level,
            self.values,
            self.greedy,
            norm=norm,
            signed=self.signed,
            own_digits=self.own_digits,
            things=things,
            title=self.title,
        )


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
    own_digits: bool = False,
    things: marks.Things | None = None,
    title: str = "",
) -> ScalarMappable:
    """Draw one value map into axes that have their final size, and return what a colour bar needs.

    `values` is float [cells] or [rows, columns], NaN where there is none; `actions` bool [cells, 4] or a set of action
    numbers per cell. `norm` is the scale of colours (default: the range of these values, or, signed, symmetric about
    zero); `things` what stands in the level (default: as an episode begins). Numbers are left out where cells are too
    small for them. Raises ValueError for values or actions of another shape than the level.
    """
    grid = on_grid(values, level)
    image = axes.imshow(
        grid,
        cmap=DIFFERENCES if signed else VALUES,
        norm=norm or scale_of([grid], signed),
        interpolation="nearest",
    )
    marks.draw_board(axes, level, np.isnan(grid))
    cell_points = cells.cell_points(axes)
    numbered = cells.draw_numbers(
        axes, grid, cell_points, signed, has_arrows=actions is not None, own_digits=own_digits
    )
    if actions is not None:
        greedy = _as_mask(actions, level) & ~np.isnan(grid).reshape(-1, 1)
        cells.draw_arrows(axes, greedy, level.columns, raised=numbered)
    marks.draw_things(axes, level, things or marks.things(level), cell_points)
    axes.set_title(title)
    return image


@styled()
def value_map_figure(
    panels: Sequence[MapPanel | None],
    level: "Level",
    *,
    title: str = "",
    note: str | None = None,
    unit: str = "return",
    difference_unit: str | None = None,
    columns: int | None = None,
    norm: Normalize | None = None,
    things: marks.Things | None = None,
    blank: str = "no value",
) -> Figure:
    """Draw several maps of one level on one scale of colours, and all differences on another.

    Panels fill the rows from the left, None leaves a place empty; `columns` is chosen by the level's shape where it is
    not given. `norm` is the scale of all but differences (default: the range of their values); `things` as in
    `draw_value_map`. The colour bars stand at the right; below, a legend of the level's marks, cells without a value
    being called `blank`, and the `note` (default: how to read what is drawn). Raises ValueError without panels.
    """
    shown = {number: panel for number, panel in enumerate(panels) if panel is not None}
    if not shown:
        raise ValueError("a value map needs at least one panel, got none")
    grids: dict[bool, list[NDArray[np.float64]]] = {}
    for panel in shown.values():
        grids.setdefault(panel.signed, []).append(panel.grid(level))
    norms = {signed: scale_of(alike, signed) for signed, alike in grids.items()}
    if norm is not None:
        norms[False] = norm
    if note is None:
        note = " ".join([HOW_TO_READ, HOW_TO_READ_DIFFERENCES][: 1 + (True in grids)])
    things = things or marks.things(level)
    enough = max(panel.enough for panel in shown.values())
    place = Places(len(panels), level, columns, wrapped(note, PAGE_WIDTH - 0.4, 8), bool(title), enough)
    figure = new_figure(PAGE_WIDTH, place.height)
    drawn: dict[bool, ScalarMappable] = {}
    for number, panel in shown.items():
        axes = figure.add_axes(place.panel(number))
        drawn[panel.signed] = panel.draw(axes, level, norms[panel.signed], things)
    title_size = min(fitting_size(panel.title, place.panel_width, 10) for panel in shown.values())
    for axes in figure.axes:  # no title runs into its neighbour, and all have one size
        name = shortened(axes.get_title(loc="left"), place.panel_width, title_size)
        axes.set_title(name, loc="left", size=title_size)
    for number, (signed, image) in enumerate(sorted(drawn.items())):
        label = unit
        if signed:
            label = difference_unit or ("difference" if len(drawn) > 1 else f"difference in {unit}")
        _colour_bar(figure, image, place, place.colour_bar(number, len(drawn)), label)
    if title:
        size = fitting_size(title, PAGE_WIDTH - 0.4, 12)
        figure.text(place.left, place.from_top(0.22), title, size=size, weight="bold", va="center")
    floor = ~marks.walls_of(level)
    is_blank = any(bool(np.isnan(grid[floor]).any()) for alike in grids.values() for grid in alike)
    best = next((panel.best for panel in shown.values() if panel.best), None)
    found = marks.handles(level, things, blank=blank if is_blank else None, best=best)
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


def on_grid(values: ArrayLike, level: "Level") -> NDArray[np.float64]:
    """Return values [cells, ...] or [rows, columns, ...] as [rows, columns, ...], NaN in walls.

    Raises ValueError for another shape than the level's.
    """
    grid = np.array(values, np.float64)
    shape, num_cells = (level.rows, level.columns), level.rows * level.columns
    if grid.shape[:2] != shape and grid.shape[:1] != (num_cells,):
        raise ValueError(f"level '{level.name}' has {shape[0]} x {shape[1]} cells, got values of shape {grid.shape}")
    grid = grid.reshape(*shape, *grid.shape[2 if grid.shape[:2] == shape else 1 :])
    grid[marks.walls_of(level)] = np.nan
    return grid


def _colour_bar(figure: Figure, image: ScalarMappable, place: Places, where: Place, label: str) -> None:
    bar = figure.colorbar(image, cax=figure.add_axes(where))
    bar.set_label(wrapped(label, where[3] * place.height, 8.5, shortest=8))
    if isinstance(image.norm, LogNorm):
        bar.ax.yaxis.set_major_formatter("{x:g}")


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
