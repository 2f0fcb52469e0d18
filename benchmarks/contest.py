"""What a contest is: contenders that take turns, and who is compared with whom."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from statistics import median
from typing import Any, NamedTuple

Work = Callable[[], int]  # does a piece of the work, and returns how much it was


@dataclass(frozen=True)
class Contender:
    """One who does the work, in a process of its own; with `processes` above 1, in as many side by side.

    `build(**settings)` returns the work, everything ready and the caches warm. It lies at the top of a module and
    imports what it needs itself, so that a process loads nothing of the others'.
    """

    name: str
    unit: str  # of the work, as in "updates"
    build: Callable[..., Work]
    settings: Mapping[str, Any] = field(default_factory=dict)
    processes: int = 1
    needs: tuple[str, ...] = ()  # packages beyond the project's own

    @property
    def missing(self) -> tuple[str, ...]:
        """The needed packages that are not installed."""
        return tuple(package for package in self.needs if find_spec(package) is None)


@dataclass(frozen=True)
class Comparison:
    """A row of the table: our contender's rate over the peer's, and what it should at least be."""

    what: str
    ours: str  # names of contenders
    peer: str | None = None  # None: told without a peer
    aim: float | None = None


@dataclass(frozen=True)
class Contest:
    """Contenders that take turns on the same kind of work."""

    name: str
    about: str  # what both sides do, in a sentence or two
    contenders: tuple[Contender, ...]
    comparisons: tuple[Comparison, ...]

    def __post_init__(self) -> None:
        names = [contender.name for contender in self.contenders]
        asked = {name for row in self.comparisons for name in (row.ours, row.peer) if name is not None}
        if len(set(names)) < len(names) or asked != set(names):
            raise ValueError(f"{self.name}: contenders {names}, but the comparisons name {sorted(asked)}")


class Found(NamedTuple):
    """What was measured of a contender."""

    rates: list[float]  # units a second, one for each turn; all its processes together
    ready: float  # seconds from the start of its process until the work could begin: imports, making, filling
    first: float  # seconds of the first piece of work, which counts in no rate


class Ratio(NamedTuple):
    """Ours over the peer's, from turns of the same number: what slows the machine for both falls out."""

    median: float
    low: float
    high: float


def ratio(ours: Found, peer: Found) -> Ratio:
    """Return the median and the range of the ratios turn by turn."""
    ratios = [one / other for one, other in zip(ours.rates, peer.rates, strict=True)]
    return Ratio(median(ratios), min(ratios), max(ratios))
