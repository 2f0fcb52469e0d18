"""What a search may choose from: a span of numbers or a list of values for each setting that is searched."""

import dataclasses
import itertools
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from gridrl.errors import UserError, unknown
from gridrl_agents.errors import SettingsError
from gridrl_agents.registry import settings_class


@dataclass(frozen=True)
class Span:
    """All numbers from `low` to `high`: evenly, or evenly in their logarithm; whole ones where both ends are ints."""

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int)

    @property
    def ends(self) -> tuple[Any, ...]:
        """The outermost values."""
        return (self.low, self.high)

    def to_toml(self) -> dict[str, Any]:
        """Return it as a file declares it."""
        return {"low": self.low, "high": self.high} | ({"log": True} if self.log else {})

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}{', log' if self.log else ''}"


@dataclass(frozen=True)
class Choice:
    """One of some values, without an order."""

    values: tuple[Any, ...]

    @property
    def ends(self) -> tuple[Any, ...]:
        """The outermost values where all are numbers; where they are not, all values."""
        if all(isinstance(value, int | float) for value in self.values):
            return (min(self.values), max(self.values))
        return self.values

    def to_toml(self) -> list[Any]:
        """Return it as a file declares it."""
        return list(self.values)

    def __str__(self) -> str:
        return ", ".join(map(str, self.values))


Range = Span | Choice
Ranges = dict[str, Range]


def read_ranges(path: Path, agent: str) -> Ranges:
    """Return the ranges that a TOML file declares for settings of `agent`; raises `UserError` for what is not right."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); give a TOML file of ranges.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no TOML: {error}.") from None
    if not data:
        raise UserError(f"{path} declares no range; add a line such as batch_size = [32, 64].")
    types = {field.name: field.type for field in dataclasses.fields(settings_class(agent))}
    for name in data:
        if name not in types:
            raise unknown(f"setting of {agent} in {path}", name, types)
    return {name: _range(f"{path}: {name}", given, types[name]) for name, given in data.items()}


def _range(where: str, given: Any, kind: Any) -> Range:
    if isinstance(given, list):
        if not given:
            raise UserError(f"{where} is an empty list; give the values to choose from.")
        numbers = _numbers(kind)
        for value in given:
            _check_number(where, "each value", value, numbers)
        return Choice(tuple(numbers[-1](value) if numbers else _hashable(value) for value in given))
    if not isinstance(given, dict):
        raise UserError(f"{where} must be a list of values, or {{ low = ..., high = ... }}, got {given!r}.")
    return _span(where, given, kind)


def _span(where: str, given: Mapping[str, Any], kind: Any) -> Span:
    for key in given:
        if key not in ("low", "high", "log"):
            raise unknown(f"entry of {where}", key, ("low", "high", "log"))
    numbers = _numbers(kind)
    if not numbers:
        raise UserError(f"{where} is no number and so has no low and high; give a list of values.")
    for key in ("low", "high"):
        if key not in given:
            raise UserError(f"{where} has no {key}; give both, as in {{ low = 0.001, high = 0.1 }}.")
        _check_number(where, key, given[key], numbers)
    low, high, log = numbers[-1](given["low"]), numbers[-1](given["high"]), given.get("log", False)
    if not -math.inf < low < high < math.inf:
        raise UserError(f"{where}: low must be below high, and both finite, got {low:g} and {high:g}; correct one.")
    if not isinstance(log, bool):
        raise UserError(f"{where}: log must be true or false, got {log!r}.")
    if log and low <= 0:
        raise UserError(f"{where}: on a logarithmic scale low must be above 0, got {low:g}.")
    return Span(low, high, log)


def _numbers(kind: Any) -> list[type]:
    """Return which numbers a field of this type takes: none, int or float."""
    kinds = get_args(kind) if get_origin(kind) is UnionType else (kind,)
    return [number for number in (int, float) if number in kinds]


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _check_number(where: str, what: str, value: Any, numbers: list[type]) -> None:
    """Raise `UserError` unless `value` is one of the `numbers` that a field takes; where it takes none, all will do."""
    if numbers and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise UserError(f"{where}: {what} must be a number, got {value!r}.")
    if numbers == [int] and not isinstance(value, int):
        raise UserError(f"{where}: {what} must be a whole number, got {value!r}.")


def check_ranges(agent: str, fixed: Mapping[str, Any], ranges: Ranges) -> None:
    """Raise `UserError` where some values that may come together are not right together.

    The settings' checks compare numbers with bounds and with each other, so that what holds for the ends of all spans
    holds for what lies between.
    """
    for values in itertools.product(*(each.ends for each in ranges.values())):
        chosen = dict(zip(ranges, values, strict=True))
        try:
            settings_class(agent)(**(dict(fixed) | chosen))
        except SettingsError as error:
            where = ", ".join(f"{name} {value}" for name, value in chosen.items())
            raise UserError(f"at {where}: {error}") from None
