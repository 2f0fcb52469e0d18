"""The level editor: brushes, a cursor, the level's settings, and files that are never lost."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from gridrl.errors import UserError
from gridrl.studio.painting.hand import Hand
from gridrl.studio.painting.strokes import BRUSHES
from gridrl.studio.painting.touch import Sketch, free_path
from gridrl.studio.rooms.level_dials import DIALS
from gridrl.studio.rooms.room import Control, Room
from gridrl.studio.shown import Board, Shown
from gridrl_envs.geometry import place
from gridrl_envs.level import LevelError


class Editor(Room):
    """A sketch and the hand that paints it.

    `path` is the file that is saved to, None where it has no name yet; `is_new` says that the file was not there.
    """

    def __init__(self, sketch: Sketch, path: Path | None = None, is_new: bool = True) -> None:
        super().__init__()
        self.path = path
        self._is_new = is_new
        self.hand = Hand(sketch.drawn)
        self.hand.sketch = sketch
        self.hand.brush = "wall"
        self.pen = False  # whether the keyboard's cursor paints as it moves
        self.controls = self._controls()

    @property
    def sketch(self) -> Sketch:
        """The level that is painted."""
        return self.hand.sketch

    @property
    def title(self) -> str:  # type: ignore[override]  # of the window
        """The file's name, with a star while something is not saved."""
        name = self.path.name if self.path else f"{self.sketch.settings['name']} (no file yet)"
        return f"{'*' if self.sketch.unsaved else ''}{name} - gridrl edit"

    def shown(self) -> Shown:
        """Return all that a frame shows."""
        sketch = self.sketch
        board = Board(
            title=self.title.removesuffix(" - gridrl edit"),
            level=sketch.drawn,
            state=None,
            cursor=self.hand.cursor,
            unreachable=sketch.unreachable,
        )
        return Shown(
            boards=(board,),
            buttons=self.buttons(),
            sliders=tuple(dial.slider(name, sketch.settings[name]) for name, dial in DIALS.items()),
            selected=self.selected,
            status=self._status(),
            message=self.message,
            help=self.help,
        )

    # Painting.

    def point(self, cell: int | None) -> None:
        """Move the pointer over a cell: the brush paints while it is pressed."""
        if cell is not None:
            self.hand.cursor = cell
            self.hand.draw_on(cell)

    def begin(self, cell: int) -> None:
        """Press the brush on a cell."""
        self.hand.cursor = cell
        self.hand.begin(cell)

    def release(self) -> None:
        """Lift the brush."""
        self.hand.lift()

    def arrow(self, direction: str) -> None:
        """Move the cursor; with the pen down it paints."""
        if self.hand.cursor is None and "P" not in "".join(self.sketch.rows):
            self.hand.cursor = self.sketch.columns + 1  # the first cell within the border
        else:
            self.hand.move(direction)
        if self.pen and self.hand.cursor is not None:
            if self.hand.painting:
                self.hand.draw_on(self.hand.cursor)
            else:
                self.hand.begin(self.hand.cursor)

    def _paint(self) -> None:
        if self.hand.cursor is None:
            return self.say("Move the cursor with the arrow keys first.")
        self.hand.begin(self.hand.cursor)
        self.hand.lift()

    def _switch_pen(self) -> None:
        self.pen = not self.pen
        self.hand.lift()
        if self.pen and self.hand.cursor is not None:
            self.hand.begin(self.hand.cursor)

    def _take(self, brush: str) -> None:
        self.hand.lift()
        if brush != self.hand.brush or brush == "patroller":
            self.hand.take(brush)

    def _resize(self, rows: int, columns: int) -> None:
        try:
            self.sketch.resize(len(self.sketch.rows) + rows, self.sketch.columns + columns)
        except LevelError as error:
            return self.say(f"{error.problem}.")
        self.hand.lift()
        self.hand.cursor = None

    def _undo(self, do: Callable[[], bool]) -> None:
        self.hand.lift()
        do()
        if self.hand.cursor is not None and self.hand.cursor >= len(self.sketch.rows) * self.sketch.columns:
            self.hand.cursor = None

    # Settings.

    def slide(self, name: str, position: float, same_stroke: bool = False) -> None:
        """Set one of the level's settings."""
        number = DIALS[name].number(min(max(position, 0.0), 1.0))
        self.sketch.change(same_stroke=same_stroke, **{name: number})

    def nudge(self, name: str, direction: int) -> None:
        """Set one of the level's settings a little higher or lower."""
        self.slide(name, DIALS[name].nudged(self.sketch.settings[name], direction))

    # Files.

    def save(self) -> None:
        """Write the level to its file; a level without one gets the next free name beside where we are."""
        if self.path is None:
            return self.save_as()
        self._write(self.path, overwrite=not self._is_new)

    def save_as(self) -> None:
        """Write the level as a new file with a free name, and go on with that."""
        path = self.path.with_suffix(".toml") if self.path else Path(f"{self.sketch.settings['name']}.toml")
        path = free_path(path)
        self.sketch.change(name=path.stem)
        self._write(path, overwrite=False)

    def _write(self, path: Path, overwrite: bool) -> None:
        fault = self._fault()
        if fault:
            return self.say(f"Not saved: {fault}.")
        try:
            self.sketch.save(path, overwrite=overwrite)
        except LevelError as error:
            return self.say(f"Not saved: {error.problem}.")
        except UserError as error:
            return self.say(f"Not saved: {error}")
        self.path, self._is_new = path, False
        self.say(f"Saved to {path}.")

    def keep_unsaved(self) -> Path | None:
        """Write what was not saved beside the file, right or wrong as it is; return where, None where all is saved.

        Where nothing can be written there, it goes to the system's folder for temporary files.
        """
        if not self.sketch.unsaved:
            return None
        path = self.path or Path(f"{self.sketch.settings['name']}.toml")
        name = f"{path.stem}-unsaved.toml"
        try:
            kept = free_path(path.with_name(name))
            self.sketch.save(kept, unfinished=True)
        except (OSError, UserError):
            kept = free_path(Path(tempfile.gettempdir(), name))
            self.sketch.save(kept, unfinished=True)
        return kept

    # What is shown.

    def _fault(self) -> str:
        """Say what is wrong, in the words of somebody who paints; empty: nothing."""
        drawing = "".join(self.sketch.rows)
        if "P" not in drawing:
            return "paint a start"
        if "$" not in drawing and "G" not in drawing:
            return "paint a coin or a goal"
        return self.sketch.fault

    def _status(self) -> str:
        sketch = self.sketch
        where = "" if self.hand.cursor is None else f"{place(self.hand.cursor, sketch.columns)}   "
        size = f"{len(sketch.rows)} rows, {sketch.columns} columns   "
        fault = self._fault()
        if fault:
            return f"{where}{size}Not yet a level: {fault}."
        cut_off = len(sketch.unreachable)
        return f"{where}{size}" + (f"{cut_off} cells cannot be reached" if cut_off else "All is well.")

    def _controls(self) -> tuple[Control, ...]:
        brushes = [
            Control(
                f"paint-{brush.name}",
                brush.name,
                str(number),
                brush.hint,
                "paint",
                lambda name=brush.name: self._take(name),  # type: ignore[misc]
                lambda name=brush.name: self.hand.brush == name,  # type: ignore[misc]
            )
            for number, brush in enumerate(BRUSHES, start=1)
        ]
        undo, redo = (lambda: self._undo(self.sketch.undo)), (lambda: self._undo(self.sketch.redo))
        no_undo = lambda: "" if self.sketch.can_undo else "Nothing was painted."  # noqa: E731
        no_redo = lambda: "" if self.sketch.can_redo else "Nothing was taken back."  # noqa: E731
        here, pen = (
            "Paint the cursor's cell (the arrow keys move it).",
            "Paint wherever the arrow keys take the cursor.",
        )
        return (
            *brushes,
            Control("dot", "paint", "space", here, "hand", self._paint, aliases=("return",)),
            Control("pen", "pen down", "p", pen, "hand", self._switch_pen, lambda: self.pen),
            Control(
                "undo", "undo", "z", "Take the last stroke back.", "hand", undo, why_not=no_undo, aliases=("ctrl z",)
            ),
            Control("redo", "redo", "y", "Paint it again.", "hand", redo, why_not=no_redo, aliases=("ctrl y",)),
            Control("row-less", "row -", "[", "One row fewer, at the bottom.", "size", lambda: self._resize(-1, 0)),
            Control("row-more", "row +", "]", "One row more, at the bottom.", "size", lambda: self._resize(1, 0)),
            Control("column-less", "column -", "{", "One column fewer.", "size", lambda: self._resize(0, -1)),
            Control("column-more", "column +", "}", "One column more.", "size", lambda: self._resize(0, 1)),
            Control("save", "save", "ctrl s", "Write the level to its file.", "file", self.save, aliases=("s",)),
            Control("save-as", "save as new", "n", "Write it under the next free name.", "file", self.save_as),
            Control("help", "help", "?", "The legend and the keys.", "file", self.toggle_help, aliases=("f1",)),
            Control("close", "close", "escape", "Close; what is not saved is kept in a file.", "file", self.leave),
        )
