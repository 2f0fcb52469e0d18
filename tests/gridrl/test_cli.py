"""The command line as a user meets it: each mistake gets one sentence and no traceback."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from gridrl.__main__ import COMMANDS, main

ROOT = Path(__file__).resolve().parents[2]
QUICK = ["--steps", "120", "--eval-period", "60", "--eval-episodes", "2"]


def variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}


def gridrl(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as the program does, but in this process: a start takes seconds. A traceback is raised."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, variables() | environment, clear=True),
        mock.patch.object(sys, "argv", ["gridrl", *arguments]),
        mock.patch.object(sys, "path", list(sys.path)),
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = main(list(arguments))
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def program(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, and see what a shell sees."""
    command = [sys.executable, "-m", "gridrl", *arguments]
    return subprocess.run(command, cwd=cwd, env=variables(), capture_output=True, text=True, check=False)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name in COMMANDS:
        assert f"  {name} " in shown
        assert (ROOT / "gridrl" / "commands" / f"{name}.py").is_file()


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("gridrl 0.")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["trian"], "unknown command 'trian'; did you mean 'train'?"),
        (["train", "dqm"], "unknown agent 'dqm'; did you mean 'dqn'?"),
        (["train", "dqn", "--env", "dense-v"], "unknown environment 'dense-v'; did you mean 'dense-v0'?"),
        (["train", "dqn", "--level", "nothing.toml"], "nothing.toml"),
        (["train", "dqn", "--observation", "state"], "states"),
        (["train", "dqn", "--gamma", "1.5"], "gamma must be a number from 0 to 1"),
        (["train", "dqn", "--steps", "0"], "steps must be 1 or more, got 0"),
        (["train", "dqn", "--batch-size", "64", "--replay-capacity", "32"], "replay_capacity"),
        (["resume", "nowhere"], "nowhere is no folder; expected a run folder"),
        (["evaluate", "nowhere"], "nowhere is no folder; expected a run folder"),
        (["map", "nowhere"], "nowhere is no folder; expected a run folder"),
        (["watch", "nowhere"], "nowhere is no folder; expected a run folder"),
        (["play"], "no display"),
        (["play", "--env", "CartPole-v1"], "CartPole-v1 is no gridworld"),
        (["evaluate", "x", "--epsilon", "2"], "--epsilon is a probability from 0 to 1, got 2.0"),
        (["demo", "--seeds", "0"], "--seeds must be 1 or more, got 0"),
    ],
)
def test_mistakes(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    done = gridrl(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir()), "a mistake leaves nothing behind"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["trian"], "unknown command 'trian'; did you mean 'train'?"),
        (["train", "dqn", "--gamma", "1.5"], "gamma must be a number from 0 to 1"),
        (["train", "dqn", "--learnig-rate", "1"], "--learning-rate"),
    ],
)
def test_the_program_ends_with_the_commands_code_and_no_traceback(
    arguments: list[str], sentence: str, tmp_path: Path
) -> None:
    done = program(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [(["train", "dqn", "--learnig-rate", "1"], "--learning-rate"), (["watch", "x", "--vidoe", "a.gif"], "--video")],
)
def test_a_misspelt_option_is_answered_with_the_nearest(arguments: list[str], nearest: str, tmp_path: Path) -> None:
    done = gridrl(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert nearest in done.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    size = ["--hidden-sizes", "16", "--replay-capacity", "200", "--min-replay-size", "40"]
    done = gridrl("train", "dqn", "--env", "dense-small-v0", "--seeds", "2", *QUICK, *size, "--out", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "gridrl map run" in done.stdout
    return folder


def test_train_writes_what_it_says(trained: Path) -> None:
    names = {path.name for path in (trained / "run").iterdir()}
    assert {"config.toml", "metrics.csv", "checkpoints", "figures"} <= names
    assert "gridrl train dqn --env dense-small-v0" in (trained / "run" / "config.toml").read_text()


def test_evaluate_map_and_watch(trained: Path) -> None:
    evaluated = gridrl("evaluate", "run", "--episodes", "3", cwd=trained, COLUMNS="120")
    assert evaluated.returncode == 0, evaluated.stderr
    assert "greedy" in evaluated.stdout
    assert "epsilon 0.05" in evaluated.stdout
    drawn = gridrl("map", "run", cwd=trained)
    assert drawn.returncode == 0, drawn.stderr
    assert (trained / "run" / "figures" / "value-map.png").read_bytes().startswith(b"\x89PNG")
    for name in ("film.gif", "film.mp4"):
        film = gridrl("watch", "run", "--video", name, cwd=trained)
        assert film.returncode == 0, film.stderr
        assert (trained / name).stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["watch", "run"], "no display"),
        (["watch", "run", "--video", "film.xyz"], ".gif"),
        (["watch", "run", "--seed", "9"], "run has no run with seed 9; it has 0, 1"),
        (["map", "run", "--out", "map.xyz"], ".png"),
        (["map", "run", "--out", "no/such/folder/map.png"], "no/such/folder"),
        (["train", "dqn", "--out", "run"], "run exists and is not empty"),
        (["resume", "run", "--steps", "50"], "is set to 120 steps; --steps must be larger, got 50"),
    ],
)
def test_mistakes_about_a_run(trained: Path, arguments: list[str], sentence: str) -> None:
    done = gridrl(*arguments, cwd=trained)
    assert done.returncode == 2, done
    assert sentence in done.stderr


def test_resume_with_more_steps(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "run", tmp_path / "longer")
    assert "complete at step 120" in gridrl("resume", "longer", cwd=tmp_path).stdout
    done = gridrl("resume", "longer", "--steps", "180", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    last = (tmp_path / "longer" / "metrics.csv").read_text().splitlines()[-1]
    assert last.split(",")[2] == "180"


def test_a_corrupted_checkpoint_is_refused_by_name(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "run", tmp_path / "bad")
    newest = sorted((tmp_path / "bad" / "checkpoints").iterdir())[-1]
    newest.write_bytes(newest.read_bytes()[:-5])
    for command in ("evaluate", "resume", "map"):
        done = gridrl(command, "bad", cwd=tmp_path)
        assert done.returncode == 2
        assert newest.name in done.stderr


def test_a_full_disk_is_one_sentence_and_the_last_checkpoint_stays_good(trained: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="needs a limit on the size of files, which POSIX has")
    shutil.copytree(trained / "run", tmp_path / "full")
    good = sorted((tmp_path / "full" / "checkpoints").iterdir())
    done = subprocess.run(
        [sys.executable, "-m", "gridrl", "resume", "full", "--steps", "180"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        # No file may grow beyond half a checkpoint: as a full disk does, this fails in the middle of writing.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (good[-1].stat().st_size // 2,) * 2),
    )
    assert done.returncode == 2
    assert "cannot write full" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted((tmp_path / "full" / "checkpoints").iterdir()) == good
    assert gridrl("resume", "full", cwd=tmp_path).returncode == 0


def test_demo_in_small(tmp_path: Path) -> None:
    done = gridrl("demo", "--seeds", "2", "--scale", "0.02", "--out", "d", cwd=tmp_path, COLUMNS="160")
    assert done.returncode == 0, done.stderr
    written = {path.name for path in (tmp_path / "d").iterdir()}
    pictures = {"learning-curves.png", "max-q.png", "value-maps-dense-small.png", "value-map-dense.png"}
    pictures.add("best-policy.gif")
    assert written == pictures | {"summary.md", "runs"}
    summary = (tmp_path / "d" / "summary.md").read_text()
    for name in pictures:
        assert f"]({name})" in summary
    assert "2678 to 2830" in summary, "what is possible on dense-v0 at gamma .99"
    assert "overestimates" in done.stdout
    again = gridrl("demo", "--scale", "0.02", "--out", "d", cwd=tmp_path)
    assert again.returncode == 2
    assert "not empty" in again.stderr


@pytest.mark.parametrize(("v_max", "warned"), [("20", True), ("2000", False)])
def test_returns_beyond_a_categorical_support_are_told(tmp_path: Path, v_max: str, warned: bool) -> None:
    (tmp_path / "level.txt").write_text("####\n#P$#\n####\n")  # each way of playing it earns the coin, 100, some time
    size = ["--hidden-sizes", "16", "--replay-capacity", "200", "--min-replay-size", "40"]
    support = ["--v-min", "-20", "--v-max", v_max]
    done = gridrl("train", "c51", "--level", "level.txt", *QUICK, *size, *support, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert ("the agent can stand for -20 to 20 only" in " ".join(done.stdout.split())) == warned
    assert "of memory" in done.stdout
