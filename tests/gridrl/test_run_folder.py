"""Run folders: config round trip, the lock, and each mishap with its sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from gridrl.errors import UserError
from gridrl.problem import ProblemSettings
from gridrl.run_config import RunConfig
from gridrl.run_folder import RunFolder


def a_config(**problem: object) -> RunConfig:
    settings = {"hidden_sizes": [16, 8], "max_gradient_norm": float("inf"), "learning_rate": 0.001, "loss": "huber"}
    return RunConfig("dqn", settings, ProblemSettings(**problem), [3, 5], 100, 50, 2, 60, 10)  # type: ignore[arg-type]


def test_config_round_trip(tmp_path: Path) -> None:
    config = a_config(env="dense-small-v0", coins=3, slip=0.25)
    RunFolder.create(tmp_path / "run", config, "gridrl train 'quoted \"command\"'")
    assert RunFolder.open(tmp_path / "run").config == config


def test_a_level_of_the_users_is_kept_with_the_run(tmp_path: Path) -> None:
    level = tmp_path / "mine.txt"
    level.write_text("#####\n#P $#\n#####\n")
    RunFolder.create(tmp_path / "run", a_config(level=str(level)), "")
    level.unlink()
    kept = RunFolder.open(tmp_path / "run").config.problem.level
    assert kept == str(tmp_path / "run" / "level.toml")
    from gridrl_envs.level import Level

    assert Level.load(kept).map == ("#####", "#P $#", "#####")


def test_default_folders_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths = [RunFolder.create(None, a_config(), "").path.as_posix() for _ in range(2)]
    assert paths == ["runs/dqn-dense-v0-1", "runs/dqn-dense-v0-2"]


def test_existing_folder_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="not empty; choose another folder with --out"):
        RunFolder.create(tmp_path, a_config(), "")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (lambda path: None, "is no folder; expected a run folder"),
        (lambda path: path.mkdir(), "has no config.toml"),
        (lambda path: path.write_text("a file"), "is no folder"),
    ],
)
def test_missing_and_half_written(tmp_path: Path, prepare: object, sentence: str) -> None:
    prepare(tmp_path / "run")  # type: ignore[operator]
    with pytest.raises(UserError, match=sentence):
        RunFolder.open(tmp_path / "run")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("format = 2", "format = 7", r"has run format 7, this gridrl reads format 2; it was written by gridrl \d"),
        ("format = 2", "format = ", "cannot be read"),
        ("[problem]", "[puzzle]", "cannot be read"),
        ('env = "', 'environment = "', "cannot be read"),
    ],
)
def test_config_from_another_version_or_damaged(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    folder = RunFolder.create(tmp_path / "run", a_config(), "")
    config = tmp_path / "run" / "config.toml"
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))
    with pytest.raises(UserError, match=sentence):
        _ = folder.config


def test_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", a_config(), "")
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from gridrl.run_folder import RunFolder\n"
            "with RunFolder.open(sys.argv[1]).lock(): print('held', flush=True); sys.stdin.read()",
            str(folder.path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match=rf"is being written by process {holder.pid} on "), folder.lock():
            pass
    finally:
        holder.kill()
        holder.communicate()
    with folder.lock():  # a dead holder holds nothing
        pass


def test_what_came_after_a_step_is_cut_and_a_torn_line(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", a_config(), "")
    folder.append_metrics([(3, 1, 10, "loss", 0.1 + 0.2), (3, 2, 20, "loss", 1e-300)])
    with open(folder.path / "metrics.csv", "a") as file:
        file.write("3,2,20,gree")
    with open(folder.path / "timing.csv", "a") as file:
        file.write("10,1.500\n20,2.5")
    for step in (0, 10, 20):
        folder.save_snapshot(step, {"step": step})
    folder.cut(20)
    expected = "run,update,step,metric,value\n" + "3,1,10,loss,0.30000000000000004\n3,2,20,loss,1e-300\n"
    assert (folder.path / "metrics.csv").read_text() == expected
    assert list(folder.timing["seconds"]) == [1.5]
    assert list(folder.snapshots()) == [0, 10, 20]
    folder.cut(10)
    assert list(folder.snapshots()) == [0, 10]
    assert list(folder.metrics["step"]) == [10]
    assert folder.metrics["value"][0] == 0.1 + 0.2


def test_only_the_newest_checkpoints_are_kept(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", a_config(), "")
    for step in (5, 10, 100):
        folder.save_checkpoint(step, {"step": step})
    names = [path.name for path in folder.checkpoints()]
    assert names == ["step-0000000010.safetensors", "step-0000000100.safetensors"]


def test_no_space_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gridrl import checkpoint

    folder = RunFolder.create(tmp_path / "run", a_config(), "")
    folder.save_checkpoint(5, {"step": 5})

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UserError, match="No space left on device; free space or choose another folder"):
        folder.save_checkpoint(10, {"step": 10})
    monkeypatch.undo()
    assert checkpoint.load(folder.checkpoints()[-1]) == {"step": 5}
