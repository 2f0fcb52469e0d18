"""The study of rollouts: three lengths of one training, filmed side by side."""

from itertools import islice
from pathlib import Path

import numpy as np
import pandas
import pytest
from PIL import Image
from rich.console import Console

from gridrl.errors import UserError
from gridrl.problem import ProblemSettings
from gridrl.rollout import episode
from gridrl.run_folder import RunFolder
from gridrl.studies import rollouts
from gridrl.training import start
from gridrl.training_settings import TrainSettings

QUIET = Console(quiet=True)


def planted(*gains: float) -> dict[str, pandas.DataFrame]:
    rows = [
        (updates, run, metric, 100.0 + gain * number)
        for metric in rollouts.METRICS
        for run, gain in enumerate(gains)
        for number, updates in enumerate((50, 200, 500))
    ]
    return {"returns": pandas.DataFrame(rows, columns=["updates", "run", "metric", "value"])}


def test_each_run_is_beside_itself() -> None:
    found = rollouts.judge(planted(5, 6, 7, 8)).findings
    assert [finding.holds for finding in found] == [True, True]
    assert "greedy return: the gain from 50 to 500 updates is 13 (95 % interval" in found[1].text  # twice 6.5
    assert [f.holds for f in rollouts.judge(planted(-5, -6, -7, -8)).findings] == [False, False]
    assert [f.holds for f in rollouts.judge(planted(-5, 6, -7, 8)).findings] == [None, None]


def test_the_caption_says_where_there_are_fewer_updates() -> None:
    assert "seed 3, the middle one of 4" in rollouts.captions("full", 3, 4)
    assert "fewer" not in rollouts.captions("full", 3, 4)
    assert "budget short: fewer updates than the study's 5 000, 40 000, 500 000" in rollouts.captions("short", 3, 4)
    assert rollouts.UPDATES["full"] == (5_000, 40_000, 500_000)


def test_a_film_of_three_lengths_of_an_unbroken_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rollouts.UPDATES, "smoke", (20, 40, 60))
    monkeypatch.setattr(rollouts, "episode", lambda *a, **k: islice(episode(*a, **k), 25))  # 200 take long to draw
    table = rollouts.measure(tmp_path, "smoke", 2, QUIET)["returns"]
    assert sorted(table["updates"].unique()) == [20, 40, 60]
    assert len(table) == 3 * 2 * 2
    # The same as one that was not stopped twice on its way.
    settings = TrainSettings(seeds=2, steps=1059, eval_period=105)
    run = start("dqn", ProblemSettings(env="dense-v0"), settings, {}, out=tmp_path / "whole")
    run.run()
    assert np.array_equal(
        table[table["updates"] == 60].pivot(index="run", columns="metric", values="value")["return"],
        run.final("return"),
    )
    with Image.open(tmp_path / rollouts.FILM) as film:
        assert film.n_frames == 25  # the last one lingers
        assert film.width > 3 * 400
    done = RunFolder(tmp_path / "runs" / "dqn").checkpoints()[-1].stat().st_mtime
    again = rollouts.measure(tmp_path, "smoke", 2, QUIET)["returns"]
    assert again.equals(table)
    assert RunFolder(tmp_path / "runs" / "dqn").checkpoints()[-1].stat().st_mtime == done, "nothing is trained again"
    with pytest.raises(UserError, match="was made with another budget or --seeds"):
        rollouts.measure(tmp_path, "smoke", 3, QUIET)
    assert rollouts.draw({"returns": table}).axes
