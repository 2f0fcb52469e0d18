"""A level: a map and its settings, checked once when it is made."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from gridrl_envs import geometry
from gridrl_envs.settings import LevelError, Rewards, check_keys, check_number, check_whole, suggest

__all__ = ["Level", "LevelError", "Rewards", "builtin_levels"]

MAX_STEPS = 2**31 - 1
MAX_FILE_BYTES = 2**24  # far above any map that is accepted


@dataclass(frozen=True)
class Level:
    """A map and its settings; frozen, hashable, and right if it exists.

    Cells are flat indices, row * columns + column, and sequences of cells are in reading order. Glyphs: `#` wall,
    space floor, `P` start, `$` coin, `@` poison, `G` goal, `X` pit, `>` `<` `^` `v` a patroller and the way it sets
    out. Raises `LevelError`, one sentence, if anything is wrong.
    """

    name: str
    map: tuple[str, ...]  # rows of equal length
    max_steps: int = 200  # steps of an episode, after which it is truncated
    patrol_period: int = 2  # steps per move of the patrollers: 2 means on steps 2, 4, 6, ...
    slip: float = 0.0  # probability that an action is replaced by one of the two perpendicular ones, evenly
    reward_noise: float = 0.0  # standard deviation of the zero-mean normal noise added to each reward
    rewards: Rewards = field(default_factory=Rewards)

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name):
            raise LevelError(f"the name must be a text of at least one character, not {self.name!r}; correct it")
        try:
            self._check()
        except LevelError as error:
            raise LevelError(error.problem, f"level '{self.name}'") from None

    def _check(self) -> None:
        if not (isinstance(self.map, tuple | list) and all(isinstance(row, str) for row in self.map)):
            raise LevelError("the map must be a tuple of rows; use Level.from_string for a map in one text")
        if not isinstance(self.rewards, Rewards):
            raise LevelError(f"the rewards must be a Rewards(...), not {self.rewards!r}; make one")
        checked = {
            "map": tuple(self.map),
            "max_steps": check_whole("max_steps", self.max_steps, 1, MAX_STEPS),
            "patrol_period": check_whole("patrol_period", self.patrol_period, 1, MAX_STEPS),
            "slip": check_number("slip", self.slip, 0.0, 1.0),
            "reward_noise": check_number("reward_noise", self.reward_noise, 0.0),
        }
        for key, value in checked.items():
            object.__setattr__(self, key, value)
        geometry.check_drawing(self.map)
        geometry.check_reach(self.map)

    @staticmethod
    def from_string(text: str, name: str = "level", **settings: Any) -> "Level":
        """Return the level drawn in a text; `settings` are the fields of `Level` (rewards may be a dict)."""
        return _from_table({"name": name, "map": text, **settings})

    @staticmethod
    def from_file(path: str | os.PathLike[str]) -> "Level":
        """Return the level in a file: TOML if its name ends in .toml, else a plain map named as the file is.

        Raises `LevelError`, which names the file, if it cannot be read or its level is wrong.
        """
        path = Path(path)
        try:
            text = _read(path)
            if path.suffix.lower() != ".toml":
                return Level.from_string(text, path.stem or "level")
            try:
                table = tomllib.loads(text)
            except tomllib.TOMLDecodeError as error:
                raise LevelError(f"expected TOML, got a mistake: {error}; correct it there") from None
            return _from_table({"name": path.stem} | table)
        except LevelError as error:
            raise LevelError(error.problem, str(path)) from None

    @staticmethod
    def load(source: "Level | str | os.PathLike[str]") -> "Level":
        """Return a level as it is, a built-in one by its name, one from a file, or one drawn in a text with newlines.

        Raises `LevelError` if there is no such level, with the nearest built-in name.
        """
        if isinstance(source, Level):
            return source
        if isinstance(source, str):
            if "\n" in source:
                return Level.from_string(source)
            if source in builtin_levels():
                return Level.from_file(_levels() / f"{source}.toml")
            if not Path(source).suffix and len(Path(source).parts) == 1 and not Path(source).exists():
                raise LevelError(f"unknown level '{source}'; {suggest(source, builtin_levels())}")
        elif not isinstance(source, os.PathLike):
            raise LevelError(f"expected a level's name, its path, a map or a Level, got {source!r}; give one of these")
        return Level.from_file(source)

    def replace(self, **settings: Any) -> "Level":
        """Return this level with other settings, checked like any level (`rewards=Rewards(...)`)."""
        check_keys("setting", settings, _FIELDS)
        return replace(self, **settings)

    def keep_coins(self, k: int) -> "Level":
        """Return this level with the k coins and at most k poisons that are nearest to the start.

        Nearest is by walking distance from the nearest start, ties in reading order. Raises `LevelError` unless k
        is from 1 to the number of coins.
        """
        if not self.coins:
            raise LevelError(f"coins={k!r} needs a level with coins, and '{self.name}' has none; leave coins out")
        k = check_whole("coins", k, 1, len(self.coins))
        distance = geometry.walk("".join(self.map), self.columns, self.starts)
        dropped = [
            cell
            for cells in (self.coins, self.poisons)
            for cell in sorted(cells, key=lambda cell: distance.get(cell, len(distance)))[k:]
        ]
        return replace(self, map=geometry.replace_cells(self.map, dropped))

    @property
    def rows(self) -> int:
        """The number of rows, border included."""
        return len(self.map)

    @property
    def columns(self) -> int:
        """The number of columns, border included."""
        return len(self.map[0])

    def _cells(self, glyph: str) -> tuple[int, ...]:
        return tuple(cell for cell, other in enumerate("".join(self.map)) if other == glyph)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """The cells where an episode can begin."""
        return self._cells("P")

    @cached_property
    def coins(self) -> tuple[int, ...]:
        """The cells with a coin."""
        return self._cells("$")

    @cached_property
    def poisons(self) -> tuple[int, ...]:
        """The cells with poison."""
        return self._cells("@")

    @cached_property
    def goals(self) -> tuple[int, ...]:
        """The cells with a goal."""
        return self._cells("G")

    @cached_property
    def pits(self) -> tuple[int, ...]:
        """The cells with a pit."""
        return self._cells("X")

    @cached_property
    def floor(self) -> tuple[int, ...]:
        """Every cell that is not a wall."""
        return tuple(cell for cell, glyph in enumerate("".join(self.map)) if glyph != "#")

    @cached_property
    def patrollers(self) -> tuple[tuple[int, int], ...]:
        """The patrollers as (cell, heading) at the outset; a heading is an action number."""
        drawing = "".join(self.map)
        return tuple(
            (cell, geometry.HEADINGS[glyph]) for cell, glyph in enumerate(drawing) if glyph in geometry.HEADINGS
        )


_FIELDS = tuple(setting.name for setting in fields(Level))


def builtin_levels() -> list[str]:
    """Return the names of the levels that come with the package, sorted."""
    return sorted(path.stem for path in _levels().glob("*.toml"))


def _levels() -> Path:
    return Path(str(resources.files("gridrl_envs") / "levels"))


def _read(path: Path) -> str:
    if path.is_dir():
        raise LevelError("expected a level's file, got a folder; name a file in it")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise LevelError("expected a level's file, found none; correct the path") from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise LevelError(f"expected a level's file, could not read it ({reason}); correct the path") from None
    if len(data) > MAX_FILE_BYTES:
        raise LevelError(f"expected a level's file of at most {MAX_FILE_BYTES} bytes, got more; draw a smaller map")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LevelError(f"expected UTF-8, got something else at byte {error.start + 1}; save it as UTF-8") from None


def _from_table(table: Mapping[str, Any]) -> Level:
    """Return the level whose fields are in a table, its map as one text and its rewards as a table of their own."""
    check_keys("setting", table, _FIELDS)
    if not isinstance(table.get("map"), str):
        raise LevelError(f"expected a map as a text, got {table.get('map')!r}; write map = and the rows in quotes")
    rewards = table.get("rewards", {})
    if isinstance(rewards, Mapping):
        check_keys("reward", rewards, (reward.name for reward in fields(Rewards)))
        rewards = Rewards(**rewards)
    return Level(**{**table, "map": geometry.read_rows(table["map"]), "rewards": rewards})
