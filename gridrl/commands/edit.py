"""`gridrl edit [FILE]`: paint a level, and see at once what is wrong with it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from gridrl.commands.options import parse
from gridrl.errors import UserError

if TYPE_CHECKING:
    from gridrl.studio.rooms.editor import Editor


@dataclass
class Options:
    """Paint a level: walls, coins, patrollers, with checks as you go."""

    file: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="[FILE]")] = None
    """A level's file, made where there is none, or a built-in level to begin with; a new level if not given."""
    rows: int | None = None
    """Rows of a new level, its border included; 10 if not given."""
    columns: int | None = None
    """Columns of a new level, its border included; 10 if not given."""


def main(argv: list[str]) -> int:
    """Open the editor on the file named in `argv`."""
    options: Any = parse(Options, "edit", argv, "Paint a level: the mouse or the arrow keys move the brush; ? helps.")
    editor = make_editor(options)

    from gridrl.studio.rooms.loop import show

    try:
        show(editor, "write the level in a text editor instead, as docs/levels.md says")
    finally:
        kept = editor.keep_unsaved()
        if kept is not None:
            print(f"what was not saved is in {kept}; go on with: gridrl edit {kept}")
    if editor.path is not None and editor.path.exists() and kept is None:
        print(f"try it: gridrl play --level {editor.path}")
    return 0


def make_editor(options: Options) -> "Editor":
    """Return the editor for a level's file, a built-in level, or a new level."""
    from gridrl.studio.painting.touch import Sketch
    from gridrl.studio.rooms.editor import Editor
    from gridrl_envs.level import builtin_levels

    name = options.file
    path = None if name is None else Path(name)
    if name in builtin_levels():
        path = None
    elif path is not None and not path.suffix and not path.exists():
        path = path.with_suffix(".toml")
    is_new = name is None or (path is not None and not path.exists())
    if is_new:
        stem = "level" if path is None else path.stem
        if path is not None and not path.parent.is_dir():
            raise UserError(f"there is no folder {path.parent} for {path.name}; make it first, or correct the path.")
        sketch = Sketch.blank(options.rows or 10, options.columns or 10, stem)
        return Editor(sketch, path)
    if options.rows is not None or options.columns is not None:
        raise UserError(
            "--rows and --columns are for a new level; leave them out, the editor changes an old one's size."
        )
    return Editor(Sketch.open(path or str(name)), path, is_new=False)
