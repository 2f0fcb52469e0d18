"""One update of an agent, told step by step: the equation, every number of it, and what came of it. Plain data."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gridrl_agents.base import Transition

SECTIONS = (
    "What happened",
    "What it believed",
    "The target",
    "The error",
    "The step",
    "What it believes now",
)
HAPPENED, BELIEVED, TARGET, ERROR, STEP, NOW = range(6)

FEW = 8  # numbers of an observation that can be read one by one

Number = float | int | str


class Line(NamedTuple):
    """One number (or word) beside its symbol in the equation."""

    name: str
    symbol: str
    value: Number
    working: str  # the equation with numbers filled in, or nothing
    words: str


class Values(NamedTuple):
    """A number for each action."""

    name: str
    symbol: str
    values: list[float]
    marked: int | None  # the action that counts
    words: str


class Table(NamedTuple):
    """Numbers in columns."""

    name: str
    columns: dict[str, list[Any]]
    words: str
    weight: list[float] | None  # how much a row matters, where not all can be shown; None: first and last matter most


class Explanation:
    """What one run learned from one update; `explanation["td_target"]` is a number by its name.

    Numbers are in units of true reward unless their line says that they are scaled. `transition` is the one that is
    told in full, of one run: its fields have no leading axis, its observations are as the environment gives them.
    """

    def __init__(self, action_names: Sequence[str]) -> None:
        self.action_names = tuple(action_names)
        self.equations: list[tuple[str, str]] = []  # each with its source
        self.sections: list[list[Line | Values | Table | str]] = [[] for _ in SECTIONS]
        self.transition: Transition | None = None
        self._found: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Return what was told by that name: a number, a list (one for each action), or a table's columns."""
        return self._found[name]

    def __contains__(self, name: str) -> bool:
        return name in self._found

    @property
    def names(self) -> list[str]:
        """The names of all that is told."""
        return list(self._found)

    def action(self, action: int) -> str:
        """Return an action in words."""
        name = self.action_names[action]
        return name if name == str(action) else f"{action} ({name})"

    def equation(self, text: str, source: str = "") -> None:
        """Add an equation, and the paper that it is from."""
        self.equations.append((text, source))

    def line(self, section: int, name: str, symbol: str, value: Any, words: str = "", working: str = "") -> None:
        """Add a number, or a word, to a section."""
        plain = value.item() if isinstance(value, np.generic) else value
        self._add(section, Line(name, symbol, plain, working, words), plain)

    def values(
        self, section: int, name: str, symbol: str, values: Any, words: str = "", marked: int | None = None
    ) -> None:
        """Add a number for each action, [A]."""
        plain = [float(value) for value in values]
        self._add(section, Values(name, symbol, plain, marked, words), plain)

    def table(
        self, section: int, name: str, columns: dict[str, list[Any]], words: str = "", weight: list[float] | None = None
    ) -> None:
        """Add columns of numbers, of equal length; `weight` says which rows to show where there are too many."""
        self._add(section, Table(name, columns, words, weight), columns)

    def say(self, section: int, sentence: str, *, first: bool = False) -> None:
        """Add a sentence, as the last or the first of its section."""
        place = 0 if first else len(self.sections[section])
        self.sections[section].insert(place, sentence)

    def _add(self, section: int, item: Line | Values | Table, value: Any) -> None:
        assert item.name not in self._found, f"{item.name} is told twice"
        self._found[item.name] = value
        self.sections[section].append(item)


def tell_happened(told: Explanation, transition: Transition, discount: float, factor: str = "gamma") -> None:
    """Tell a transition of one run, its fields without a leading axis; `factor` names the discount."""
    told.transition = transition
    for symbol, obs in (("s", transition.obs), ("s'", transition.next_obs)):
        if 1 < np.size(obs) <= FEW:
            told.line(HAPPENED, f"obs {symbol}", symbol, "", ", ".join(show(value) for value in np.ravel(obs)))
    action = int(transition.action)
    name = told.action_names[action]
    told.line(
        HAPPENED, "action", "a", action, "the action taken" if name == str(action) else f"the action taken: {name}"
    )
    told.line(HAPPENED, "reward", "r", float(transition.reward), "the reward")
    words = f"{factor}: s' is not the end"
    if transition.terminated:
        words = "the episode terminated: nothing comes after"
    elif transition.truncated:
        words = f"{factor}: the episode was cut, and life would go on"
    told.line(HAPPENED, "discount", "discount", discount, words)


def show(value: Any) -> str:
    """Return a number as a reader wants it: up to four decimals, and four digits where that would leave too few."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return str(value)
    size = abs(float(value))
    if size == 0 or not math.isfinite(size):
        return f"{abs(value) if size == 0 else value:g}"
    if size < 0.1 or size >= 1e7:
        return f"{value:.4g}"
    return f"{value:.4f}".rstrip("0").rstrip(".")


def term(value: Any) -> str:
    """Return a number to stand within a sum or a product: in brackets where it is negative."""
    text = show(value)
    return f"({text})" if text.startswith("-") else text
