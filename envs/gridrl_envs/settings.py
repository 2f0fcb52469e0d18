"""A level's settings: the rewards, and the checks of names and numbers."""

import math
import operator
from collections.abc import Iterable
from dataclasses import dataclass, fields
from difflib import get_close_matches


class LevelError(ValueError):
    """Anything wrong with a level, its settings or its states, in one sentence.

    `problem` is the sentence without `where`, the file or level that it is about.
    """

    def __init__(self, problem: str, where: str = "") -> None:
        super().__init__(f"{where}: {problem}" if where else problem)
        self.problem = problem
        self.where = where


@dataclass(frozen=True)
class Rewards:
    """What each event of a step earns; a step's reward is the sum over its events.

    Raises `LevelError` if one of them is not a finite number.
    """

    coin: float = 100.0
    poison: float = -100.0
    goal: float = 100.0
    pit: float = -100.0
    step: float = 0.0  # each step, whatever happens in it
    caught: float = 0.0  # sharing a cell or swapping cells with a patroller

    def __post_init__(self) -> None:
        for field in fields(self):
            value = check_number(f"the reward '{field.name}'", getattr(self, field.name))
            object.__setattr__(self, field.name, value)


def check_number(what: str, value: object, low: float = -math.inf, high: float = math.inf) -> float:
    """Return `value` as a float; `LevelError` if it is no finite number from `low` to `high`."""
    expected = "a number"
    if low > -math.inf:
        expected = f"a number of at least {low:g}" if high == math.inf else f"a number from {low:g} to {high:g}"
    try:
        if isinstance(value, bool | str | bytes):
            raise TypeError
        number = float(value)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not (math.isfinite(number) and low <= number <= high):
        raise LevelError(f"{what} must be {expected}, not {value!r}; correct it")
    return number


def check_whole(what: str, value: object, low: int, high: int) -> int:
    """Return `value` as an int; `LevelError` if it is no whole number from `low` to `high`."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]  # what is no whole number raises
    except TypeError:
        number = low - 1
    if not low <= number <= high:
        raise LevelError(f"{what} must be a whole number from {low} to {high}, not {value!r}; correct it")
    return number


def check_keys(what: str, keys: Iterable[str], known: Iterable[str]) -> None:
    """Raise `LevelError` at the first key that is not known, with the nearest one that is."""
    known = list(known)
    for key in keys:
        if key not in known:
            raise LevelError(f"unknown {what} '{key}'; {suggest(str(key), known)}")


def suggest(name: str, known: Iterable[str]) -> str:
    """Return "did you mean 'x'?" for the nearest known name, or the list of all if none is near."""
    known = list(known)
    near = get_close_matches(name, known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"the known ones are {', '.join(known)}"
