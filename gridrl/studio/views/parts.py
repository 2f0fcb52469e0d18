"""The parts that a page is made of, before they are drawn."""

from typing import Any, NamedTuple

import numpy as np

from gridrl.studio.views.palette import CARD, Colour

Rect = tuple[int, int, int, int]  # left, top, width, height in pixels
ControlNames = tuple[tuple[str, str, str, str], ...]  # name, label, key and group of each


class Unit(NamedTuple):
    """Turns design units into pixels."""

    zoom: float

    def __call__(self, units: float) -> int:
        """Return the pixels of some design units."""
        return round(units * self.zoom)


class Part(NamedTuple):
    """A rectangle of the page that is drawn by itself."""

    kind: str  # "board", "plot", "button", ...: see `page`
    rect: Rect
    name: str = ""  # of a button, a slider, a group
    number: int = 0  # which of several: boards, minds, plots
    tile: int = 0  # of a board: pixels per cell
    with_key: bool = False  # of a button: its key is drawn on it
    as_icon: bool = False  # of a button: its picture alone is drawn
    behind: Colour = CARD  # what it lies on


def fitted(widths: list[int], room: int) -> list[int]:
    """Return widths that together fit the room: the widest give first, down to one common limit."""
    if sum(widths) <= room or not widths:
        return widths
    limit = max(room // len(widths), 0)
    for _ in range(8):
        narrow = sum(width for width in widths if width <= limit)
        num_wide = sum(width > limit for width in widths)
        limit = max((room - narrow) // num_wide if num_wide else limit, 1)
    return [min(width, limit) for width in widths]


def grown(rect: Rect, by: int) -> Rect:
    """Return a rect with all sides moved outwards."""
    return rect[0] - by, rect[1] - by, max(rect[2] + 2 * by, 1), max(rect[3] + 2 * by, 1)


def holds(rect: Rect, place: tuple[int, int]) -> bool:
    """Return whether a pixel lies in a rect."""
    return rect[0] <= place[0] < rect[0] + rect[2] and rect[1] <= place[1] < rect[1] + rect[3]


def same(one: Any, other: Any) -> bool:
    """Return whether two values would be drawn alike; arrays are compared by value, NaN equal to NaN."""
    if one is other:
        return True
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.shape == other.shape and bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)
