"""The editor, by the names of its controls and without a window."""

import tempfile
from pathlib import Path

import pytest

from gridrl.studio.painting.touch import Sketch
from gridrl.studio.rooms.editor import Editor
from gridrl.studio.rooms.room import Room
from gridrl_envs.level import Level

SMALL = Level.from_string("######\n#P  $#\n#    #\n######", "small")


def drag(editor: Editor, *cells: int) -> None:
    editor.begin(cells[0])
    for cell in cells[1:]:
        editor.point(cell)
    editor.release()


def keys(room: Room, *names: str) -> None:
    for name in names:
        room.key(name)


def slider(editor: Editor, name: str) -> tuple[str, float]:
    found = next(slider for slider in editor.shown().sliders if slider.name == name)
    return found.text, found.position


def test_the_mouse_alone_paints_undoes_and_saves(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    editor = Editor(Sketch(SMALL), path)
    drag(editor, 8, 10)  # what the pointer jumped over is painted, too: the wall is what the brush begins with
    editor.point(14)  # the button is up
    assert editor.sketch.rows[1] == "#P####"
    editor.press("undo")
    assert editor.sketch.rows == SMALL.map
    editor.press("paint-poison")
    drag(editor, 14)
    assert not path.exists()
    editor.press("save")
    assert Level.load(path) == editor.sketch.level()
    assert Level.load(path).poisons == (14,)
    on = {button.name for button in editor.shown().buttons if button.on}
    assert on == {"paint-poison"}


def test_the_keyboard_alone_paints_undoes_and_saves(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    editor = Editor(Sketch(SMALL), path)
    keys(editor, "right", "right", "5", "return")  # the first arrow shows the cursor, at the start
    assert editor.sketch.rows[1] == "#P@ $#"
    keys(editor, "1", "p", "down", "left", "p", "right", "right")
    assert editor.sketch.rows[1:3] == ("#P# $#", "###  #")
    keys(editor, "z")
    assert editor.sketch.rows[1:3] == ("#P@ $#", "#    #"), "what the pen drew is one stroke"
    keys(editor, "y", "ctrl z", "ctrl s")
    assert Level.load(path).map == editor.sketch.rows
    keys(editor, "]", "}", "}")
    assert (len(editor.sketch.rows), editor.sketch.columns) == (5, 8)
    keys(editor, "[", "{")
    assert (len(editor.sketch.rows), editor.sketch.columns) == (4, 7)


def test_settings_by_sliders_and_by_arrow_keys() -> None:
    editor = Editor(Sketch(SMALL))
    editor.slide("slip", 0.2)
    for position in (0.3, 0.4, 0.5):
        editor.slide("slip", position, same_stroke=True)
    assert editor.sketch.level().slip == 0.5
    editor.press("undo")
    assert editor.sketch.level() == SMALL, "drawing a slider is one stroke"
    keys(editor, "tab", "right")
    assert editor.selected == "max_steps"
    assert editor.sketch.level().max_steps > 200
    keys(editor, "tab", "up", "up", "down")
    assert editor.sketch.level().patrol_period == 3
    keys(editor, "shift tab", "shift tab", "right")
    assert editor.hand.cursor is not None, "with no slider chosen the arrow keys move the cursor again"
    for name, low, high in (
        ("max_steps", 1, 10_000),
        ("patrol_period", 1, 10),
        ("slip", 0, 1),
        ("reward_noise", 0, 100),
    ):
        for position, number in ((0.0, low), (1.0, high)):
            editor.slide(name, position)
            assert editor.sketch.settings[name] == number
            assert slider(editor, name) == (f"{number:g}", position)


def test_what_is_wrong_is_said_and_glows() -> None:
    editor = Editor(Sketch(SMALL))
    assert "All is well" in editor.shown().status
    drag(editor, 8, 14)
    assert "2 cells" not in editor.shown().status
    (board,) = editor.shown().boards
    assert board.state is None
    assert board.unreachable == {7, 9, 10, 15, 16} - {13}  # the start leads to no coin; the rest no start leads to
    assert "no coin and no goal can be reached" in editor.shown().status
    editor.press("paint-coin")
    drag(editor, 13)
    drag(editor, 8)
    assert "All is well" in editor.shown().status
    editor.press("paint-wall")
    drag(editor, 9)
    drag(editor, 15)
    editor.press("paint-floor")
    drag(editor, 10)
    assert "2 cells cannot be reached" in editor.shown().status, "no fault, but they glow"
    assert editor.shown().boards[0].unreachable == {10, 16}


def test_a_wrong_level_is_not_saved_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    editor = Editor(Sketch.blank(4, 6, "mine"), path)
    keys(editor, "ctrl s")
    assert "start" in editor.shown().message
    assert not path.exists()
    editor.tick(1000.0)
    assert editor.shown().message == ""


def test_the_title_shows_what_is_not_saved(tmp_path: Path) -> None:
    editor = Editor(Sketch(SMALL), tmp_path / "mine.toml")
    assert editor.title == "mine.toml - gridrl edit"
    drag(editor, 8)
    assert editor.title == "*mine.toml - gridrl edit"
    editor.press("save")
    assert editor.title == "mine.toml - gridrl edit"


def test_a_level_without_a_file_gets_a_free_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text("mine already")
    editor = Editor(Sketch(SMALL))
    editor.press("save")
    assert Path("small.toml").read_text() == "mine already"
    assert Level.load("small-2.toml") == SMALL.replace(name="small-2")
    drag(editor, 8)
    editor.press("save")
    assert Level.load("small-2.toml").map == editor.sketch.rows, "from now on it is its file"
    editor.press("save-as")
    assert Level.load("small-2-2.toml").map == editor.sketch.rows


def test_a_file_that_came_up_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    editor = Editor(Sketch(SMALL), path)
    path.write_text("somebody else's")
    editor.press("save")
    assert "exists already" in editor.message
    assert path.read_text() == "somebody else's"


def test_closing_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    editor = Editor(Sketch(SMALL), path)
    assert editor.keep_unsaved() is None
    editor.press("paint-floor")
    drag(editor, 7)  # no start any more: wrong, and kept all the same
    kept = editor.keep_unsaved()
    assert kept == tmp_path / "mine-unsaved.toml"
    assert Sketch.open(kept).rows == editor.sketch.rows
    assert editor.keep_unsaved() == tmp_path / "mine-unsaved-2.toml", "what was kept before stays"

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    nowhere = Editor(Sketch(SMALL), tmp_path / "gone" / "mine.toml")
    drag(nowhere, 8)
    kept = nowhere.keep_unsaved()
    assert kept == tmp_path / "mine-unsaved-3.toml"
    assert Sketch.open(kept).rows == nowhere.sketch.rows


def test_undoing_a_larger_map_takes_the_cursor_back_in() -> None:
    editor = Editor(Sketch(SMALL))
    editor.press("row-more")
    editor.point(29)
    editor.press("undo")
    assert editor.shown().boards[0].cursor is None
    for _ in range(9):
        editor.press("column-less")
    assert editor.sketch.columns == 3
    assert "choose another size" in editor.message
