"""How a cost grows: the same work at several sizes, and the slope of its time where both axes are logarithmic.

A slope of 1 is growth as large as the size's, 0 is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf, log
from statistics import linear_regression, median
from typing import Any, NamedTuple

from benchmarks.contest import Contender
from benchmarks.harness import hold

QUICK = 2  # sizes of each line, the smallest, in a quick look


@dataclass(frozen=True)
class Line:
    """One kind of work at growing sizes, a contender for each; they take turns."""

    name: str
    sizes: tuple[int, ...]
    contenders: tuple[Contender, ...]

    def __post_init__(self) -> None:
        if len(self.sizes) != len(self.contenders) or any(one >= other for one, other in pairwise(self.sizes)):
            raise ValueError(f"{self.name}: expected a contender for each of growing sizes, got {self.sizes}")


class Part(NamedTuple):
    """A range of sizes, ends included, over which a slope is taken."""

    name: str
    expected: str  # of the slope
    low: float = 0
    high: float = inf


@dataclass(frozen=True)
class Growth:
    """Lines over the same kind of size."""

    name: str
    about: str  # what is timed
    size: str  # what grows
    time: str  # what the shown time is that of
    parts: tuple[Part, ...]
    lines: tuple[Line, ...]
    shared: bool = False  # the work serves as many as its size says, and what is shown is the time of one

    def quick(self) -> "Growth":
        """Return all lines at their smallest sizes only."""
        lines = (replace(line, sizes=line.sizes[:QUICK], contenders=line.contenders[:QUICK]) for line in self.lines)
        return replace(self, lines=tuple(lines))


class Slope(NamedTuple):
    """From the times of one turn after the other: what slows a whole turn falls out."""

    median: float
    low: float
    high: float


def slope(sizes: Sequence[float], turns: Sequence[Sequence[float]]) -> Slope:
    """Return the slope of log time over log size, least squares, of `turns`: in each a time for every size."""
    logs = [log(size) for size in sizes]
    found = [linear_regression(logs, [log(time) for time in turn]).slope for turn in turns]
    return Slope(median(found), min(found), max(found))


def slopes(parts: Sequence[Part], sizes: Sequence[int], turns: Sequence[Sequence[float]]) -> list[dict[str, Any]]:
    """Return the slope in each part; None where it has fewer than two of the sizes."""
    table = []
    for part in parts:
        inside = [place for place, size in enumerate(sizes) if part.low <= size <= part.high]
        entry: dict[str, Any] = {"part": part.name, "expected": part.expected, "slope": None}
        if len(inside) > 1:
            times = [[turn[place] for place in inside] for turn in turns]
            entry["slope"] = slope([sizes[place] for place in inside], times)._asdict()
        table.append(entry)
    return table


def measure_growth(growth: Growth, turns: int, seconds: float) -> dict[str, Any]:
    """Hold one line after the other; return all that was found, as data."""
    lines = []
    for line in growth.lines:
        found = hold(line, turns, seconds)
        rates = [found[contender.name].rates for contender in line.contenders]
        by_turn = [[1 / rate for rate in turn] for turn in zip(*rates, strict=True)]
        lines.append(
            {
                "name": line.name,
                "unit": line.contenders[0].unit,
                "sizes": list(line.sizes),
                "seconds": by_turn,  # of a unit of work: for each turn, one for each size
                "ready_seconds": [found[contender.name].ready for contender in line.contenders],
                "slopes": slopes(growth.parts, line.sizes, by_turn),
            }
        )
    return {
        "name": growth.name,
        "about": growth.about,
        "size": growth.size,
        "time": growth.time,
        "shared": growth.shared,
        "lines": lines,
    }
