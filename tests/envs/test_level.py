"""Reading levels, and each thing that can be wrong with one: what its sentence says."""

import pickle
from pathlib import Path
from typing import Any

import pytest

from gridrl_envs.geometry import MAX_CELLS
from gridrl_envs.level import MAX_FILE_BYTES, Level, LevelError, Rewards, builtin_levels

SMALL = "#####\n#P $#\n#####"


def test_the_built_in_levels() -> None:
    assert builtin_levels() == ["dense", "dense-small", "four-rooms", "sparse"]
    dense, small, sparse, rooms = (Level.load(name) for name in ("dense", "dense-small", "sparse", "four-rooms"))
    assert (dense.rows, dense.columns, len(dense.coins), len(dense.poisons)) == (10, 20, 41, 12)
    assert (len(small.floor), len(small.coins), len(small.poisons), small.patrollers) == (20, 7, 3, ())
    assert (rooms.rows, rooms.columns, len(rooms.floor), len(rooms.goals)) == (13, 13, 104, 1)
    # sparse is dense without its items, and with one goal at the far end.
    bare = "\n".join(dense.map).replace("$", " ").replace("@", " ")
    assert "\n".join(sparse.map).replace("G", " ") == bare
    assert sparse.goals == (8 * 20 + 18,)
    assert sparse.patrollers == dense.patrollers == ((3 * 20 + 10, 3), (6 * 20 + 7, 2))
    for name in builtin_levels():
        assert Level.load(name).name == name


def test_cells_are_flat_and_in_reading_order() -> None:
    level = Level.from_string("#######\n#P$@GX#\n#><^vP#\n#######")
    assert (level.starts, level.coins, level.poisons) == ((8, 19), (9,), (10,))
    assert (level.goals, level.pits) == ((11,), (12,))
    assert level.patrollers == ((15, 3), (16, 2), (17, 0), (18, 1))
    assert level.floor == (*range(8, 13), *range(15, 20))


def test_a_level_is_a_value() -> None:
    level = Level.from_string(SMALL)
    assert level == Level("level", ("#####", "#P $#", "#####"))
    assert hash(level) == hash(Level.from_string(SMALL))
    assert pickle.loads(pickle.dumps(level)) == level
    assert level.replace(slip=0.5) != level
    assert level.replace(slip=1).slip == 1.0
    assert level.replace(rewards=Rewards(coin=1)).rewards.coin == 1.0
    assert Level.load(level) is level


def test_indentation_and_blank_lines_around_a_map_do_not_matter() -> None:
    assert (
        Level.load(
            """

            #####
            #P $#
            #####
        """
        ).map
        == Level.from_string(SMALL).map
    )


def test_all_settings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        f'map = """\n{SMALL}\n"""\nmax_steps = 7\npatrol_period = 3\nslip = 0.25\nreward_noise = 2\n'
        "[rewards]\ncoin = 1\npoison = 2\ngoal = 3\npit = 4\nstep = -0.5\ncaught = 6\n"
    )
    expected = Level(
        *("mine", tuple(SMALL.split("\n")), 7, 3, 0.25, 2.0),
        rewards=Rewards(coin=1, poison=2, goal=3, pit=4, step=-0.5, caught=6),
    )
    assert Level.from_file(path) == Level.load(path) == Level.load(str(path)) == expected


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_windows_manners_do_not_matter(tmp_path: Path, before: bytes, newline: bytes) -> None:
    text = b'map = """\n' + SMALL.encode() + b'\n"""\nmax_steps = 9\n'
    (tmp_path / "a.toml").write_bytes(before + text.replace(b"\n", newline))
    (tmp_path / "a.txt").write_bytes(before + (SMALL + "\n").encode().replace(b"\n", newline))
    assert Level.load(tmp_path / "a.toml") == Level("a", tuple(SMALL.split("\n")), max_steps=9)
    assert Level.load(tmp_path / "a.txt") == Level("a", tuple(SMALL.split("\n")))


def refused(drawing: str, **settings: Any) -> str:
    with pytest.raises(LevelError) as caught:
        Level.from_string(drawing, **settings)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence == f"{caught.value.where}: {caught.value.problem}" if caught.value.where else caught.value.problem
    return sentence


@pytest.mark.parametrize(
    ("drawing", "sentence"),
    [
        ("", "expected a map, got an empty one; draw it with '#' for walls and 'P' for the start"),
        ("  \n\n", "expected a map, got an empty one; draw it with '#' for walls and 'P' for the start"),
        ("#####\n#P $#\n####", "row 3 has 4 cells where row 1 has 5; make all rows equally long"),
        ("#####\n\n#P $#\n#####", "row 2 has 0 cells where row 1 has 5; make all rows equally long"),
        ("#####\n#P $#\n##?##", "unknown glyph '?' at row 3, column 3; use # P $ @ G X > < ^ v or a space"),
        ("#####\n#P\t$#\n#####", "a tab at row 2, column 3; write floor as spaces"),
        ("#####\n#P $ \n#####", "the border is open at row 2, column 5 (' '); close it with '#'"),
        ("#####\nP  $#\n#####", "the border is open at row 2, column 1 ('P'); close it with '#'"),
        ("## ##\n#P $#\n#####", "the border is open at row 1, column 3 (' '); close it with '#'"),
        ("#####\n#P $#\n###$#", "the border is open at row 3, column 4 ('$'); close it with '#'"),
        ("P$", "the border is open at row 1, column 1 ('P'); close it with '#'"),
        ("#####\n#  $#\n#####", "expected at least one start, got none; put a 'P' on the map"),
        ("#####\n#P @#\n#####", "expected a coin or a goal, got neither; put a '$' or a 'G' on the map"),
        (
            "#####\n#P#$#\n#####",
            "from the start at row 2, column 2 no coin and no goal can be reached; open a way to one",
        ),
        (
            "######\n#P$#P#\n######",
            "from the start at row 2, column 5 no coin and no goal can be reached; open a way to one",
        ),
        (
            "######\n#P$#$#\n######",
            "the coin at row 2, column 5 cannot be reached from a start; open a way to it or remove it",
        ),
        (
            "######\n#P$#G#\n######",
            "the goal at row 2, column 5 cannot be reached from a start; open a way to it or remove it",
        ),
        # Neither a pit, nor a goal, nor a patroller that cannot move is a way.
        (
            "######\n#P$X$#\n######",
            "the coin at row 2, column 5 cannot be reached from a start; open a way to it or remove it",
        ),
        (
            "######\n#P G$#\n######",
            "the coin at row 2, column 5 cannot be reached from a start; open a way to it or remove it",
        ),
        (
            "######\n#P$^$#\n######",
            "the coin at row 2, column 5 cannot be reached from a start; open a way to it or remove it",
        ),
    ],
)
def test_maps_that_are_refused(drawing: str, sentence: str) -> None:
    assert refused(drawing) == f"level 'level': {sentence}"


@pytest.mark.parametrize(
    "drawing",
    [
        "####\n#PG#\n####",
        "######\n#P>$ #\n######",  # a patroller that moves is no wall
        "#######\n#P$#$P#\n#######",  # each start has its coin
        "######\n#P$#@#\n######",  # poison may lie where nobody comes
    ],
)
def test_maps_that_are_not(drawing: str) -> None:
    assert Level.from_string(drawing).map == tuple(drawing.splitlines())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"max_steps": 0}, "max_steps must be a whole number from 1 to 2147483647, not 0; correct it"),
        ({"max_steps": -5}, "max_steps must be a whole number from 1 to 2147483647, not -5; correct it"),
        ({"max_steps": 2.5}, "max_steps must be a whole number from 1 to 2147483647, not 2.5; correct it"),
        ({"max_steps": True}, "max_steps must be a whole number from 1 to 2147483647, not True; correct it"),
        ({"max_steps": "9"}, "max_steps must be a whole number from 1 to 2147483647, not '9'; correct it"),
        ({"patrol_period": 0}, "patrol_period must be a whole number from 1 to 2147483647, not 0; correct it"),
        ({"slip": -0.1}, "slip must be a number from 0 to 1, not -0.1; correct it"),
        ({"slip": 1.5}, "slip must be a number from 0 to 1, not 1.5; correct it"),
        ({"slip": float("nan")}, "slip must be a number from 0 to 1, not nan; correct it"),
        ({"slip": False}, "slip must be a number from 0 to 1, not False; correct it"),
        ({"slip": [0.1]}, "slip must be a number from 0 to 1, not [0.1]; correct it"),
        ({"reward_noise": -1}, "reward_noise must be a number of at least 0, not -1; correct it"),
        ({"reward_noise": float("inf")}, "reward_noise must be a number of at least 0, not inf; correct it"),
        ({"reward_noise": "much"}, "reward_noise must be a number of at least 0, not 'much'; correct it"),
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any], sentence: str) -> None:
    assert refused(SMALL, **settings) == f"level 'level': {sentence}"
    with pytest.raises(LevelError, match="correct it"):
        Level.from_string(SMALL).replace(**settings)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"rewards": {"coin": "x"}}, "the reward 'coin' must be a number, not 'x'; correct it"),
        ({"rewards": {"pit": float("nan")}}, "the reward 'pit' must be a number, not nan; correct it"),
        ({"rewards": {"step": True}}, "the reward 'step' must be a number, not True; correct it"),
        ({"rewards": {"cion": 1}}, "unknown reward 'cion'; did you mean 'coin'?"),
        (
            {"rewards": {"xyz": 1}},
            "unknown reward 'xyz'; the known ones are coin, poison, goal, pit, step, caught",
        ),
        ({"max_step": 3}, "unknown setting 'max_step'; did you mean 'max_steps'?"),
        ({"rewards": 3}, "level 'level': the rewards must be a Rewards(...), not 3; make one"),
        ({"name": ""}, "the name must be a text of at least one character, not ''; correct it"),
        ({"name": 7}, "the name must be a text of at least one character, not 7; correct it"),
    ],
)
def test_keys_that_are_refused(settings: dict[str, Any], sentence: str) -> None:
    assert refused(SMALL, **settings) == sentence


def test_replace_refuses_unknown_settings() -> None:
    with pytest.raises(LevelError, match=r"^unknown setting 'slipp'; did you mean 'slip'\?$"):
        Level.from_string(SMALL).replace(slipp=0.1)


@pytest.mark.parametrize("rows", [SMALL, None, (1, 2)])
def test_a_map_must_be_rows(rows: Any) -> None:
    with pytest.raises(LevelError, match=r"must be a tuple of rows; use Level.from_string"):
        Level("mine", rows)


def test_a_level_given_as_a_list_of_rows_is_the_same() -> None:
    assert Level("level", SMALL.split("\n")) == Level.from_string(SMALL)  # type: ignore[arg-type]


def refused_file(path: Path) -> str:
    with pytest.raises(LevelError) as caught:
        Level.from_file(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: ")
    assert "\n" not in sentence
    return sentence.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.toml", b"", "expected a map as a text, got None; write map = and the rows in quotes"),
        ("a.toml", b"map = 3", "expected a map as a text, got 3; write map = and the rows in quotes"),
        ("a.toml", b"map = ['#']", "expected a map as a text, got ['#']; write map = and the rows in quotes"),
        ("a.txt", b"", "expected a map, got an empty one; draw it with '#' for walls and 'P' for the start"),
        ("a.toml", b"mpa = 'x'", "unknown setting 'mpa'; did you mean 'map'?"),
        ("a.toml", b"map = '#'\n[rewards]\ncoins = 1", "unknown reward 'coins'; did you mean 'coin'?"),
        (
            "a.toml",
            b"map = '''\n#####\n#P $#\n#####'''\nslip = 'a'",
            "slip must be a number from 0 to 1, not 'a'; correct it",
        ),
        (
            "a.txt",
            b"#####\n#P?$#\n#####\n",
            "unknown glyph '?' at row 2, column 3; use # P $ @ G X > < ^ v or a space",
        ),
        ("a.txt", b"#####\n#P \xe4#\n#####", "expected UTF-8, got something else at byte 10; save it as UTF-8"),
        ("a.toml", "map = 'é'".encode("utf-16"), "expected UTF-8, got something else at byte 1; save it as UTF-8"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert refused_file(tmp_path / name) == sentence


def test_broken_toml_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("max_steps = 3\nslip = = 1\n")
    sentence = refused_file(tmp_path / "a.toml")
    assert sentence.startswith("expected TOML, got a mistake: ")
    assert "(at line 2, column " in sentence


def test_paths_that_are_refused(tmp_path: Path) -> None:
    assert refused_file(tmp_path / "no.toml") == "expected a level's file, found none; correct the path"
    assert refused_file(tmp_path) == "expected a level's file, got a folder; name a file in it"
    with pytest.raises(LevelError, match=r"could not read it \(.*null.*\); correct the path"):
        Level.from_file("a\0b.toml")


def test_a_level_that_is_too_large_is_refused_at_once(tmp_path: Path) -> None:
    million = "\n".join(["#" * 1000] * 1000)
    assert refused(million) == (
        f"level 'level': expected a map of at most {MAX_CELLS} cells, got 1000000; draw a smaller one"
    )
    (tmp_path / "a.txt").write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    assert "got more; draw a smaller map" in refused_file(tmp_path / "a.txt")


def test_the_largest_level_is_accepted() -> None:
    inner = ["#" + " " * 254 + "#"] * 253
    level = Level("large", ("#" * 256, "#P" + " " * 253 + "#", *inner[1:], "#" + " " * 253 + "$#", "#" * 256))
    assert level.rows * level.columns == MAX_CELLS


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("dens", "unknown level 'dens'; did you mean 'dense'?"),
        ("four_rooms", "unknown level 'four_rooms'; did you mean 'four-rooms'?"),
        ("zzz", "unknown level 'zzz'; the known ones are dense, dense-small, four-rooms, sparse"),
        (3, "expected a level's name, its path, a map or a Level, got 3; give one of these"),
    ],
)
def test_sources_that_are_refused(source: Any, sentence: str) -> None:
    with pytest.raises(LevelError) as caught:
        Level.load(source)
    assert str(caught.value) == sentence


def test_keep_coins_keeps_the_nearest_by_walking() -> None:
    # Steps from the start: the coin two rows below it is 10 away; those to the right are 2 and 4 away.
    level = Level.from_string("#######\n#P $@$#\n##### #\n#$@  @#\n#######")
    assert level.keep_coins(1).map == ("#######", "#P $@ #", "##### #", "#     #", "#######")
    assert level.keep_coins(2).map == ("#######", "#P $@$#", "##### #", "#    @#", "#######")
    assert level.keep_coins(3).map == level.map


def test_keep_coins_breaks_ties_in_reading_order_and_looks_from_the_nearest_start() -> None:
    assert Level.from_string("#####\n# $ #\n#$P$#\n# $ #\n#####").keep_coins(2).coins == (7, 11)
    level = Level.from_string("#########\n#$   P $#\n#P      #\n#########")
    assert level.keep_coins(1).coins == (10,)


@pytest.mark.parametrize("k", [0, 4, -1, 1.5, True])
def test_keep_coins_out_of_range(k: Any) -> None:
    level = Level.from_string("######\n#P$$$#\n######")
    with pytest.raises(LevelError, match=rf"^coins must be a whole number from 1 to 3, not {k}; correct it$"):
        level.keep_coins(k)


def test_keep_coins_needs_coins() -> None:
    with pytest.raises(LevelError, match=r"^coins=2 needs a level with coins, and 'sparse' has none; leave coins out$"):
        Level.load("sparse").keep_coins(2)
