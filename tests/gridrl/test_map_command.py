"""`gridrl map` as a user meets it: what it writes, what it says, and one sentence for each mistake."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

import gridrl
from gridrl.__main__ import main
from gridrl.errors import UserError
from gridrl.maps.situations import Situation

LEVEL = "#######\n#P $  #\n#> @ $#\n#######\n"
SMALL_NET = {"hidden_sizes": (16,), "replay_capacity": 60, "min_replay_size": 32, "batch_size": 4}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs on one level, one on another, one that was only begun, one that is no gridworld."""
    folder = tmp_path_factory.mktemp("map")
    (folder / "guarded.txt").write_text(LEVEL)
    here = {"level": str(folder / "guarded.txt"), "eval_period": 50, "eval_episodes": 2, "steps": 50, "max_steps": 20}
    gridrl.train("q-learning", seeds=2, out=folder / "table", **here)
    gridrl.train("dqn", seeds=1, out=folder / "dqn", **SMALL_NET, **here)
    gridrl.train("c51", seeds=1, out=folder / "c51", **SMALL_NET, **here)
    gridrl.train("q-learning", seeds=1, out=folder / "slippery", slip=0.2, **here)
    gridrl.train("q-learning", seeds=1, out=folder / "rooms", env="four-rooms-v0", steps=20, eval_episodes=1)
    gridrl.train("dqn", out=folder / "pole", env="CartPole-v1", steps=40, eval_episodes=1, **SMALL_NET)
    shutil.copytree(folder / "table", folder / "begun")
    for checkpoint in (folder / "begun" / "checkpoints").iterdir():
        checkpoint.unlink()
    return folder


@pytest.fixture(autouse=True)
def in_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)


def test_one_run_is_drawn_into_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", "table"]) == 0
    assert Path("table/figures/value-map.png").read_bytes().startswith(b"\x89PNG")
    said = capsys.readouterr().out
    assert "wrote table/figures/value-map.png. Next:\n  gridrl map table --show all\n" in said


def test_all_writes_what_applies_and_says_what_does_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", "dqn", "--show", "all", "--cell", "2,2", "--out", str(tmp_path / "new" / "all")]) == 0
    written = {path.name for path in (tmp_path / "new" / "all").iterdir()}
    stems = ("value-map", "q-map", "difference-map", "td-error-map", "visits-map", "value-film")
    assert written == {f"{stem}.png" for stem in stems}
    told = capsys.readouterr()
    assert told.err.splitlines() == [
        "gridrl: no uncertainty-map.png: how far seeds differ needs two of them, got one; train with --seeds 2 or "
        "more.",
        "gridrl: no return-distribution.png: dqn learns a mean and no distribution; train c51, qr-dqn or rainbow for "
        "that.",
    ]
    assert f"wrote {tmp_path}/new/all: value-map.png, q-map.png" in told.out
    assert told.out.endswith("Next:\n  gridrl watch dqn\n")


def test_several_runs_share_a_figure_and_others_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", "table", "rooms", "dqn", "slippery", "begun", "pole", "nowhere"]) == 0
    told = capsys.readouterr()
    assert "wrote table/figures/value-map-of-2-runs.png" in told.out
    rooms, slippery, begun, pole, nowhere = told.err.splitlines()
    shared = "maps of one figure share a level, so it is left out."
    assert rooms == f"gridrl: rooms is on level 'four-rooms', table on 'guarded': {shared}"
    assert slippery == f"gridrl: slippery is on level 'guarded' with another slip, table on 'guarded': {shared}"
    assert begun == "gridrl: begun has no checkpoint yet; let it train further: gridrl resume begun"
    assert pole.startswith("gridrl: CartPole-v1 is no gridworld; use dense-v0")
    assert nowhere.startswith("gridrl: nowhere is no folder; expected a run folder")


def test_a_film_is_a_strip_or_moves(tmp_path: Path) -> None:
    assert main(["map", "table", "--show", "film", "--out", str(tmp_path / "film.gif"), "--seed", "1"]) == 0
    with Image.open(tmp_path / "film.gif") as film:
        assert film.size[0] == 800
    assert main(["map", "table", "--show", "film", "--out", str(tmp_path / "film.svg")]) == 0
    assert "<!-- step 50 -->" in (tmp_path / "film.svg").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--show", "q", "--collected", "1,3", "--step", "4", "--seed", "0"],
        ["--show", "td-error", "--collected", "2-3"],
        ["--show", "difference", "--after", "0"],
        ["--snapshot", "0"],
    ],
)
def test_situations_and_snapshots_are_drawn(arguments: list[str], tmp_path: Path) -> None:
    assert main(["map", "table", *arguments, "--out", str(tmp_path / "map.pdf")]) == 0
    assert (tmp_path / "map.pdf").read_bytes().startswith(b"%PDF")


def test_a_distribution_of_a_cell_is_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "returns.png"
    assert main(["map", "c51", "dqn", "--show", "distribution", "--cell", "2,3", "--out", str(picture)]) == 0
    assert picture.is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "map draws run folders, such as runs/dqn-dense-v0-1; name at least one."),
        (["begun"], "begun has no checkpoint yet; let it train further: gridrl resume begun"),
        (["pole"], "CartPole-v1 is no gridworld"),
        (["table", "--seed", "7"], "table has no run with seed 7; it has 0, 1."),
        (["table", "--snapshot", "7"], "table has no snapshot of step 7; it has: 0, 5, 10"),
        (["table", "--collected", "9"], "has items 1 to 2 (coins) and 3 (poison), got item 9; give one of these."),
        (["table", "--collected", "all"], "--collected takes the numbers of items, such as 3,7-9; got 'all'."),
        (
            ["table", "--collected", "1-2"],
            "with the last coin the episode is over; leave at least one of",
        ),
        (["table", "--step", "20"], "an episode of 'guarded' has steps 0 to 19, got step 20."),
        (["table", "--after", "3", "--step", "2"], "--after tells what was collected and which step it is; leave out"),
        (["table", "--after", "-1"], "--after must be 0 or more, got -1."),
        (["table", "--after", "500"], "is over after"),
        (["table", "--cell", "2,3"], "--cell is for --show distribution; leave it out, or add that."),
        (
            ["c51", "--show", "distribution", "--cell", "2"],
            "--cell takes ROW,COLUMN, both from 1, such as 2,3; got '2",
        ),
        (["c51", "--show", "distribution", "--cell", "9,1"], "within rows 1 to 4 and columns 1 to 7, got 9,1."),
        (["c51", "--show", "distribution", "--cell", "1,1"], "row 1, column 1 of level 'guarded' is no floor"),
        (["c51", "--show", "distribution", "--cell", "3,2"], "on row 3, column 2 the episode is over"),
        (["dqn", "--show", "distribution"], "dqn learns a mean and no distribution; train c51, qr-dqn or rainbow"),
        (["dqn", "--show", "uncertainty"], "how far seeds differ needs two of them, got one; train with --seeds 2"),
        (["table", "--show", "uncertainty", "--seed", "0"], "uncertainty is over all seeds; leave out --seed."),
        (
            ["table", "--show", "visits", "--step", "2"],
            "visits are counted over whole episodes; leave out",
        ),
        (["table", "--show", "film", "--snapshot", "0"], "a film shows all snapshots; leave out --snapshot."),
        (["table", "--out", "map.gif"], "a figure is written as .png, .svg or .pdf, got 'map.gif'"),
        (["table", "--out", "no/such/map.png"], "there is no folder 'no/such'; make it first"),
    ],
)
def test_each_mistake_gets_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["map", *arguments]) == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert len(told.err.splitlines()) == 1
    assert told.out == ""


def test_where_nothing_can_be_shown_each_run_is_told_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", "nowhere", "begun"]) == 2
    nowhere, begun = capsys.readouterr().err.splitlines()
    assert "nowhere is no folder" in nowhere
    assert "begun has no checkpoint yet" in begun


def test_python_draws_the_same_kinds(home: Path, tmp_path: Path) -> None:
    table, dqn = gridrl.load("table"), gridrl.load("dqn")
    gridrl.value_map(table, tmp_path / "one.png")
    gridrl.value_map([table, dqn], tmp_path / "two.png", show="q", situation=Situation((True, False, True), 4))
    assert (tmp_path / "two.png").is_file()
    main(["map", "table", "--out", str(tmp_path / "command.png")])
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "command.png").read_bytes()
    with pytest.raises(UserError, match=r"unknown kind of map 'vlaue'; did you mean 'value'\?"):
        gridrl.value_map(table, tmp_path / "three.png", show="vlaue")
