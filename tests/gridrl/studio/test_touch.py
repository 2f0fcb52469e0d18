"""Painting: strokes, undo, live checks, and files that load back equal."""

import itertools
import random
from pathlib import Path

import pytest

from gridrl.errors import UserError
from gridrl.studio.painting.strokes import line
from gridrl.studio.painting.touch import Sketch, free_path
from gridrl_envs.level import Level, LevelError

ROOM = Level.from_string("########\n#P  $  #\n#      #\n########", "room", slip=0.125, rewards={"coin": 3.0})


def cell(row: int, column: int, columns: int = 8) -> int:
    return row * columns + column


def test_a_stroke_lays_its_glyph_and_leaves_the_border() -> None:
    sketch = Sketch(ROOM)
    assert sketch.paint([cell(2, 3), cell(2, 4), cell(0, 3), cell(2, 7), cell(3, 0)], "@")
    assert sketch.rows == ("########", "#P  $  #", "#  @@  #", "########")
    assert not sketch.paint([cell(2, 3)], "@"), "it was there already"
    assert sketch.level().poisons == (cell(2, 3), cell(2, 4))
    assert (sketch.level().slip, sketch.level().rewards.coin) == (0.125, 3.0)


def test_several_starts_may_be_and_a_patroller_turns_clockwise() -> None:
    sketch = Sketch(ROOM)
    sketch.paint([cell(2, 1)], "P")
    assert sketch.level().starts == (cell(1, 1), cell(2, 1))
    seen = []
    for _ in range(5):
        sketch.paint([cell(2, 3)], ">")
        seen.append(sketch.rows[2][3])
    assert seen == [">", "v", "<", "^", ">"]


def test_undo_takes_back_whole_strokes_and_redo_does_them_again() -> None:
    sketch = Sketch(ROOM)
    sketch.paint([cell(1, 2)], "#")
    first = sketch.rows
    sketch.paint([cell(1, 2)], "#")  # a new stroke that has changed nothing so far ...
    sketch.paint([cell(2, 2)], "#", same_stroke=True)  # ... goes on, and is a stroke of its own
    sketch.paint([cell(2, 3)], "#", same_stroke=True)
    last = sketch.rows
    assert sketch.undo()
    assert sketch.rows == first
    assert sketch.undo()
    assert sketch.rows == ROOM.map
    assert not sketch.undo()
    assert sketch.redo()
    assert sketch.redo()
    assert sketch.rows == last
    assert not sketch.redo()
    sketch.undo()
    sketch.paint([cell(2, 6)], "G", same_stroke=True)
    assert not sketch.can_redo, "what was done since takes its place"
    assert sketch.undo()
    assert sketch.rows == first


def test_undo_and_redo_against_a_list_of_all_that_was() -> None:
    rng = random.Random(4)
    sketch, history, now = Sketch(ROOM), [ROOM.map], 0
    for _ in range(400):
        choice = rng.random()
        if choice < 0.3:
            assert sketch.undo() == (now > 0)
            now = max(now - 1, 0)
        elif choice < 0.5:
            assert sketch.redo() == (now < len(history) - 1)
            now = min(now + 1, len(history) - 1)
        elif sketch.paint([rng.randrange(32)], rng.choice("#P$@GX> ")):
            history[now + 1 :] = [sketch.rows]
            now += 1
        assert sketch.rows == history[now]


def test_resizing_keeps_what_lies_inside() -> None:
    sketch = Sketch(ROOM)
    sketch.resize(3, 6)
    assert sketch.rows == ("######", "#P  $#", "######")
    sketch.resize(5, 7)
    assert sketch.rows == ("#######", "#P  $ #", "#     #", "#     #", "#######")
    assert sketch.undo()
    assert sketch.undo()
    assert sketch.rows == ROOM.map
    for rows, columns in ((2, 9), (9, 2), (300, 300)):
        with pytest.raises(LevelError, match="choose another size"):
            sketch.resize(rows, columns)
    assert Sketch.blank(4, 5).rows == ("#####", "#   #", "#   #", "#####")


def test_settings_are_checked_and_undone() -> None:
    sketch = Sketch(ROOM)
    assert sketch.change(slip=0.5, max_steps=7)
    assert (sketch.level().slip, sketch.level().max_steps, sketch.level().rewards.coin) == (0.5, 7, 3.0)
    with pytest.raises(LevelError, match="slip must be a number from 0 to 1"):
        sketch.change(slip=2.0)
    assert sketch.level().slip == 0.5
    assert sketch.undo()
    assert sketch.level() == ROOM


def test_what_is_wrong_is_told_while_it_can_be_painted_on() -> None:
    sketch = Sketch.blank(4, 8)
    assert "start" in sketch.fault
    assert sketch.unreachable == frozenset(), "nothing glows before there is a start"
    sketch.paint([cell(1, 1)], "P")
    assert "coin or a goal" in sketch.fault
    sketch.paint([cell(1, 6)], "$")
    assert sketch.fault == ""
    sketch.paint([cell(1, 4), cell(2, 4)], "#")
    assert "the coin at row 2, column 7" not in sketch.fault, "the start comes first"
    assert "from the start at row 2, column 2" in sketch.fault
    with pytest.raises(LevelError):
        sketch.level()
    assert sketch.unreachable == {cell(1, 1), cell(1, 5), cell(1, 6), cell(2, 5), cell(2, 6)}
    sketch.paint([cell(2, 3)], "G")
    assert "the coin at row 2, column 7" in sketch.fault
    assert sketch.unreachable == {cell(1, 5), cell(1, 6), cell(2, 5), cell(2, 6)}
    sketch.paint([cell(2, 4)], " ")
    assert sketch.fault.startswith("the coin"), "nobody walks through a goal"
    sketch.paint([cell(1, 4)], " ")
    assert (sketch.fault, sketch.unreachable) == ("", frozenset())
    assert sketch.drawn == sketch.level()


def test_a_level_that_nobody_could_play_is_wrong() -> None:
    """Patrollers whose joint round is longer than any table, as `Dynamics` refuses it."""
    lengths = (3, 4, 6, 8, 12, 14, 18, 20)
    rows = ["#" * 23] + ["#" + ">" + " " * (n - 1) + "#" * (21 - n) + "#" for n in lengths] + ["#P$" + " " * 19 + "#"]
    sketch = Sketch(Level("wide", (*rows, "#" * 23)))
    assert sketch.fault == ""
    sketch.change(max_steps=2**31 - 1)
    assert "joint round" in sketch.fault


def test_a_saved_level_loads_back_equal(tmp_path: Path) -> None:
    sketch = Sketch(ROOM)
    sketch.paint([cell(2, 2)], ">")
    path = tmp_path / "mine.toml"
    assert sketch.unsaved
    sketch.save(path)
    assert not sketch.unsaved
    assert Level.load(path) == sketch.level() == Sketch.open(path).level()
    sketch.undo()
    assert sketch.unsaved
    with pytest.raises(UserError, match="exists already"):
        sketch.save(path)
    assert Level.load(path) != ROOM
    sketch.save(path, overwrite=True)
    assert Level.load(path) == ROOM
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.toml"], "nothing else is left lying about"
    with pytest.raises(UserError, match="cannot write"):
        sketch.save(tmp_path / "no" / "such" / "folder.toml")


def test_a_plain_map_is_saved_where_it_can_hold_the_level(tmp_path: Path) -> None:
    path = tmp_path / "plain.txt"
    path.write_text("#####\n#P $#\n#####\n")
    sketch = Sketch.open(path)
    sketch.paint([7], "@")
    sketch.save(path, overwrite=True)
    assert Level.load(path) == sketch.level()
    assert path.read_text() == "#####\n#P@$#\n#####\n"
    sketch.change(slip=0.5)
    with pytest.raises(LevelError, match=r"save it as \.toml"):
        sketch.save(path, overwrite=True)


def test_an_unfinished_level_is_kept_and_opened_again(tmp_path: Path) -> None:
    sketch = Sketch.blank(5, 6, "half")
    sketch.change(slip=0.25)
    sketch.paint([8, 9], "$")
    path = tmp_path / "half-unsaved.toml"
    with pytest.raises(LevelError, match="start"):
        sketch.save(path)
    assert not path.exists()
    sketch.save(path, unfinished=True)
    with pytest.raises(LevelError, match="start"):
        Level.load(path)
    again = Sketch.open(path)
    assert (again.rows, again.settings) == (sketch.rows, sketch.settings)
    path.write_text('map = """\n###\n#?#\n###\n"""\n')
    with pytest.raises(LevelError, match=r"half-unsaved\.toml: unknown glyph '\?'"):
        Sketch.open(path)
    with pytest.raises(LevelError, match="found none"):
        Sketch.open(tmp_path / "nothing.toml")


def test_free_path(tmp_path: Path) -> None:
    path = tmp_path / "level.toml"
    assert free_path(path) == path
    path.touch()
    (tmp_path / "level-2.toml").touch()
    assert free_path(path) == tmp_path / "level-3.toml"


def test_a_line_has_no_gaps() -> None:
    rng = random.Random(1)
    assert line(3, 3, 10) == []
    for _ in range(200):
        begin, end = rng.randrange(100), rng.randrange(100)
        cells = [begin, *line(begin, end, 10)]
        assert cells[-1] == end
        for one, other in itertools.pairwise(cells):
            (row, column), (next_row, next_column) = divmod(one, 10), divmod(other, 10)
            assert max(abs(next_row - row), abs(next_column - column)) == 1
