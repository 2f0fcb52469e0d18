"""A grid of settings, each with the same seeds, as a TOML file describes it."""

import itertools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gridrl.errors import UserError, unknown, user_errors
from gridrl.flat_settings import sort_out
from gridrl.make_run import make_config
from gridrl.run import make_agent, make_problem
from gridrl.run_config import RunConfig

OF_A_COMMAND = ("processes", "device", "tensorboard")  # settings of `gridrl train` that change no result
KEYS = ("agent", "seeds", "settings", "grid")


class Point(NamedTuple):
    """One setting of a sweep."""

    values: dict[str, Any]  # of what the grid varies
    config: RunConfig

    @property
    def label(self) -> str:
        """The values in words."""
        return ", ".join(f"{name} {value}" for name, value in self.values.items()) or self.config.agent


@dataclass(frozen=True)
class Sweep:
    """What all points share, and the values that the grid tries, each with each."""

    agent: str
    seeds: list[int]
    settings: dict[str, Any]
    grid: dict[str, list[Any]]

    @classmethod
    def read(cls, path: Path) -> "Sweep":
        """Return what a file describes; raises `UserError` for a file that is none, or is not complete."""
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(f"{path} cannot be read ({error.strerror}); give a sweep's TOML file.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UserError(f"{path} is no TOML: {error}.") from None
        for key in data:
            if key not in KEYS:
                raise unknown(f"entry of {path}", key, KEYS)
        grid = data.get("grid", {})
        for name, values in grid.items():
            if not isinstance(values, list) or not values:
                raise UserError(f"{path}: grid.{name} must be a list of values, got {values!r}; write [{values!r}].")
        if "agent" not in data and "agent" not in grid:
            raise UserError(f'{path} names no agent; add a line such as agent = "dqn".')
        return cls(data.get("agent", ""), _seeds(path, data.get("seeds", 1)), data.get("settings", {}), grid)

    def points(self) -> list[Point]:
        """Return all settings of the grid, checked; raises what is wrong with the first that is not right."""
        combinations = itertools.product(*self.grid.values())
        return [self._point(dict(zip(self.grid, values, strict=True))) for values in combinations]

    def _point(self, values: dict[str, Any]) -> Point:
        try:
            config = checked_config({"agent": self.agent} | self.settings | values, self.seeds)
        except user_errors() as error:
            where = ", ".join(f"{name} {value}" for name, value in values.items())
            raise UserError(f"at {where}: {error}" if where else str(error)) from None
        return Point(values, config)


def checked_config(given: Mapping[str, Any], seeds: Sequence[int]) -> RunConfig:
    """Return what trains the agent `given["agent"]` with the other settings given, by names that `sort_out` knows.

    Raises `UserError`, `SettingsError` or `LevelError` for what is not right.
    """
    for name in OF_A_COMMAND:
        if name in given:
            raise UserError(f"{name} is for `gridrl train`, and changes no result; leave it out.")
    agent = given["agent"]
    problem, training, settings = sort_out(agent, {name: value for name, value in given.items() if name != "agent"})
    config = make_config(agent, problem, training, settings, seeds)
    make_agent(agent, config.agent_settings, make_problem(agent, problem), [0])
    return config


def _seeds(path: Path, given: Any) -> list[int]:
    if isinstance(given, int) and given >= 1:
        return list(range(given))
    if isinstance(given, list) and given and all(isinstance(seed, int) and seed >= 0 for seed in given):
        return given
    raise UserError(f"{path}: seeds must be how many, or a list of whole numbers of 0 or more, got {given!r}.")
