"""TensorBoard's events: the numbers of metrics.csv, also when a run was stopped, killed or learned in groups."""

import sys
from pathlib import Path

import numpy as np
import pandas
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import gridrl
from gridrl.__main__ import main
from gridrl.errors import UserError
from gridrl.events import EventFiles
from gridrl.interrupt import StopRequest
from gridrl.run_folder import RunFolder
from gridrl.training import Training

SHORT = {"env": "dense-small-v0", "coins": 2, "steps": 300, "eval_period": 50, "eval_episodes": 1}


def events(folder: Path) -> pandas.DataFrame:
    """Return what TensorBoard reads, as rows of metrics.csv."""
    rows = []
    for own in folder.iterdir():
        found = EventAccumulator(str(own), size_guidance={"scalars": 0})
        found.Reload()
        seed = int(own.name.removeprefix("seed-"))
        rows += [(seed, e.step, tag, e.value) for tag in found.Tags()["scalars"] for e in found.Scalars(tag)]
    return tidy(pandas.DataFrame(rows, columns=["run", "step", "metric", "value"]))


def tidy(table: pandas.DataFrame) -> pandas.DataFrame:
    table = table[["run", "step", "metric", "value"]].astype({"value": np.float32})  # what an event holds
    return table.sort_values(["run", "metric", "step"], ignore_index=True)


def check(folder: Path) -> None:
    metrics = tidy(RunFolder.open(folder).metrics)
    assert len(metrics) > 50
    pandas.testing.assert_frame_equal(events(folder / "tensorboard"), metrics, check_exact=True)


def test_they_are_the_numbers_of_the_metrics(tmp_path: Path) -> None:
    gridrl.train("q-learning", seeds=[3, 5], out=tmp_path / "run", tensorboard=True, **SHORT)
    check(tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run/tensorboard").iterdir()) == ["seed-3", "seed-5"]


def test_nobody_gets_them_who_did_not_ask(tmp_path: Path) -> None:
    gridrl.train("q-learning", out=tmp_path / "run", **SHORT)
    assert not (tmp_path / "run/tensorboard").exists()


def stop_at(training: Training, step: int) -> None:
    """Train up to a step, and save there."""
    stop = StopRequest()

    def on_progress(reached: int, rows: list) -> None:
        if reached >= step:
            stop.signal = 2

    assert not training.run(stop, on_progress)


def test_after_a_stop_there_are_no_others(tmp_path: Path) -> None:
    unbroken, path = tmp_path / "unbroken", tmp_path / "run"
    gridrl.train("q-learning", seeds=2, out=unbroken, tensorboard=True, **SHORT)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in SHORT.items()]
    assert main(["train", "q-learning", "--seeds=2", f"--out={path}", "--tensorboard", *options, "--steps=100"]) == 0
    for step in (150, 250):
        RunFolder.open(path).extend(300)
        stop_at(Training.resume(path), step)
    assert main(["resume", str(path)]) == 0
    check(path)
    assert events(path / "tensorboard").equals(events(unbroken / "tensorboard"))
    assert len(list((path / "tensorboard" / "seed-0").iterdir())) == 4


def test_what_a_killed_run_wrote_after_its_checkpoint_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "run"
    gridrl.train("q-learning", seeds=2, out=path, tensorboard=True, checkpoint_period=100, **SHORT)
    folder = RunFolder.open(path)
    newest = folder.checkpoints()[-1]
    assert folder.step == 300
    newest.unlink()  # as if it had been killed between step 200 and 300
    assert folder.step == 200
    left = path / "tensorboard" / "seed-0" / "events.out.tfevents.0000000000"
    left.write_bytes(left.read_bytes()[:-5])  # in the middle of writing
    EventFiles(path / "tensorboard", [0], 201).append([(0, 0, 250, "return", 1e9)])  # of a start that was killed, too
    assert main(["resume", str(path)]) == 0
    check(path)


def test_groups_write_them_into_one_folder(tmp_path: Path) -> None:
    path = tmp_path / "run"
    options = [f"--{name.replace('_', '-')}={value}" for name, value in SHORT.items()]
    words = ["train", "q-learning", "--seeds=2", f"--out={path}", "--processes=2", "--tensorboard", *options]
    assert main(words) == 0
    assert len(RunFolder.open(path).groups) == 2
    check(path)


def test_without_the_package_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(UserError, match=r"^--tensorboard needs .* not installed: pip install gridrl\[tensorboard\]\.$"):
        gridrl.train("q-learning", out=tmp_path / "run", tensorboard=True, **SHORT)
    assert not (tmp_path / "run").exists()
