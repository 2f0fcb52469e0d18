"""A level that is being painted: it may be wrong for now, and says what is wrong and where."""

import os
import tomllib
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from gridrl.errors import UserError
from gridrl.problem import level_toml
from gridrl.studio.painting.strokes import Rows, painted, resized
from gridrl_envs.geometry import check_grid, read_rows, walk
from gridrl_envs.level import Level, LevelError

MAX_UNDO = 1000
RIGHT_MAP = "####\n#P$#\n####"  # nothing is wrong with it, so that what is wrong is in the settings


class _Moment(NamedTuple):
    rows: Rows
    settings: dict[str, Any]  # of `Level`, all but the map; never changed in place


class Sketch:
    """A map that may be wrong for now, with its level's settings, and all that was done to it."""

    def __init__(self, level: Level) -> None:
        self._now = _Moment(level.map, {name: getattr(level, name) for name in _SETTINGS})
        self._undo: deque[_Moment] = deque(maxlen=MAX_UNDO)
        self._redo: list[_Moment] = []
        self._saved = self._now
        self._in_stroke = False  # whether the last entry of `_undo` is what the present stroke began with

    @classmethod
    def blank(cls, rows: int, columns: int, name: str = "level") -> "Sketch":
        """Return an empty room of this size; `LevelError` for a size that no map has."""
        return cls(_unchecked(resized(("###", "# #", "###"), rows, columns), _settings({"name": name})))

    @classmethod
    def open(cls, source: str | os.PathLike[str]) -> "Sketch":
        """Return the level that `Level.load` finds, also one whose map still lacks something or cannot be walked.

        Raises `LevelError` where there is none, or nothing that could be painted on.
        """
        try:
            return cls(Level.load(source))
        except LevelError:
            level = _unfinished(Path(source))
            if level is None:
                raise
            return cls(level)

    @property
    def rows(self) -> Rows:
        """The map as it is drawn now."""
        return self._now.rows

    @property
    def columns(self) -> int:
        """The number of columns, border included."""
        return len(self._now.rows[0])

    @property
    def settings(self) -> dict[str, Any]:
        """The level's settings, by the names of `Level`'s fields; a copy."""
        return dict(self._now.settings)

    def paint(self, cells: Iterable[int], glyph: str, *, same_stroke: bool = False) -> bool:
        """Lay `glyph` on cells as one stroke, to be undone at once; return whether that changed anything.

        A cell of the border stays wall; a patroller on a patroller turns clockwise. A stroke that goes on
        (`same_stroke`) is undone together with what it began with.
        """
        return self._become(self._now._replace(rows=painted(self.rows, cells, glyph)), same_stroke)

    def resize(self, rows: int, columns: int) -> bool:
        """Make the map larger or smaller at its lower and right side; `LevelError` for a size that no map has."""
        return self._become(self._now._replace(rows=resized(self.rows, rows, columns)))

    def change(self, *, same_stroke: bool = False, **settings: Any) -> bool:
        """Give the level other settings, as `Level.replace` does; `LevelError` for a wrong one, and nothing changes."""
        return self._become(self._now._replace(settings=_settings(self._now.settings | settings)), same_stroke)

    def undo(self) -> bool:
        """Take the last stroke back; False where there is none."""
        self._in_stroke = False
        if not self._undo:
            return False
        self._redo.append(self._now)
        self._now = self._undo.pop()
        return True

    def redo(self) -> bool:
        """Do again what was taken back last; False where nothing was, or something else was done since."""
        self._in_stroke = False
        if not self._redo:
            return False
        self._undo.append(self._now)
        self._now = self._redo.pop()
        return True

    @property
    def can_undo(self) -> bool:
        """Whether there is a stroke to be taken back."""
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        """Whether something was taken back that can be done again."""
        return bool(self._redo)

    def level(self) -> Level:
        """Return the level; raises `LevelError`, one sentence, while anything is wrong with it."""
        return _checked(self.rows, tuple(self._now.settings.items()))

    @property
    def fault(self) -> str:
        """What is wrong with the level, one sentence; empty: nothing."""
        try:
            self.level()
        except LevelError as error:
            return error.problem
        return ""

    @property
    def drawn(self) -> Level:
        """The level as it is drawn now, right or wrong: to be looked at, never to be played."""
        return _drawn(self.rows, tuple(self._now.settings.items()))

    @property
    def unreachable(self) -> frozenset[int]:
        """The cells that no start leads to, and the starts that lead to no coin and no goal; none without a start."""
        return _unreachable(self.rows)

    @property
    def unsaved(self) -> bool:
        """Whether anything is not as it was opened or saved last."""
        return self._now != self._saved

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False, unfinished: bool = False) -> None:
        """Write a level file that loads back equal: TOML, or the plain map where the name does not end in .toml.

        Raises `LevelError` while anything is wrong with the level (but for an `unfinished` one, which `open` alone
        reads) or where a plain map could not hold its settings; `UserError` where the file exists, unless told to
        `overwrite` it, or cannot be written.
        """
        path = Path(path)
        level = self.drawn if unfinished else self.level()
        text = level_toml(level)
        if path.suffix.lower() != ".toml":
            text = "\n".join(level.map) + "\n"
            if self._now.settings != _settings({"name": path.stem}):
                raise LevelError("a plain map holds no settings, and this level has some; save it as .toml", str(path))
        part = path.with_name(f".{path.name}.part")
        try:
            if path.exists() and not overwrite:
                raise UserError(f"{path} exists already; choose another name.")
            part.write_text(text, encoding="utf-8", newline="\n")
            os.replace(part, path)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise UserError(f"cannot write {path}: {error.strerror or error}; choose another folder.") from None
        if not unfinished:
            self._saved = self._now

    def _become(self, moment: _Moment, same_stroke: bool = False) -> bool:
        self._in_stroke &= same_stroke
        if moment == self._now:
            return False
        if not self._in_stroke:
            self._undo.append(self._now)
        self._in_stroke, self._now = True, moment
        self._redo.clear()
        return True


_SETTINGS = tuple(field.name for field in fields(Level) if field.name != "map")


def free_path(path: Path) -> Path:
    """Return `path` if nothing is there, else the first of name-2, name-3, ... that is free."""
    candidate, number = path, 2
    while candidate.exists():
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return candidate


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    """Return all settings of a level, checked, those that are not given by default."""
    level = Level.from_string(RIGHT_MAP, **given)
    return {name: getattr(level, name) for name in _SETTINGS}


def _unchecked(rows: Rows, settings: dict[str, Any]) -> Level:
    """Return a level with a map that nobody has checked."""
    level = Level.from_string(RIGHT_MAP, **settings)
    object.__setattr__(level, "map", rows)
    return level


@lru_cache(maxsize=8)
def _drawn(rows: Rows, settings: tuple[tuple[str, Any], ...]) -> Level:
    return _unchecked(rows, dict(settings))


@lru_cache(maxsize=8)
def _checked(rows: Rows, settings: tuple[tuple[str, Any], ...]) -> Level:
    """Return the level; raises `LevelError` where it is wrong or cannot be played."""
    from gridrl_envs.patrol import timetable

    level = Level(map=rows, **dict(settings))
    timetable(level)
    return level


@lru_cache(maxsize=8)
def _unreachable(rows: Rows) -> frozenset[int]:
    drawing, columns = "".join(rows), len(rows[0])
    starts = [cell for cell, glyph in enumerate(drawing) if glyph == "P"]
    if not starts:
        return frozenset()
    has_aim = "$" in drawing or "G" in drawing
    reached: set[int] = set()
    lost: set[int] = set()
    for start in starts:
        if start in reached:
            continue  # another start lies in the same room
        room = walk(drawing, columns, [start])
        reached.update(room)
        if has_aim and not any(drawing[cell] in "$G" for cell in room):
            lost.update(cell for cell in room if drawing[cell] == "P")
    return frozenset(lost | {cell for cell, glyph in enumerate(drawing) if glyph != "#" and cell not in reached})


def _unfinished(path: Path) -> Level | None:
    """Return the level in a file whose map is drawn well enough to be painted on; None where it is not."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        table = tomllib.loads(text) if path.suffix.lower() == ".toml" else {"map": text}
        rows = read_rows(table.pop("map"))
        check_grid(rows)
        return _unchecked(rows, _settings({"name": path.stem} | table))
    except (OSError, ValueError, KeyError, AttributeError):
        return None
