"""Studies that train: verdicts on planted tables, what the figure shows, and runs that are killed and done once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import matplotlib.axes
import numpy as np
import pandas
import pytest

from gridrl.__main__ import main
from gridrl.studies.claims import difference, read_part, values_of
from gridrl.studies.quantities import Best, bounds_of, with_derived
from gridrl.studies.registry import find
from gridrl.studies.study import Finding
from gridrl.studies.trained import TrainedStudy

COLUMNS = ["variant", "run", "step", "metric", "value"]
STEPS = (0, 100, 200, 300, 400)


def planted(metric: str = "return", steps: tuple[int, ...] = STEPS, **runs: Any) -> pandas.DataFrame:
    """A table in which each run of a variant has one value throughout, and another, 1000, before it learned."""
    return pandas.DataFrame(
        [
            (label, run, step, metric, float(value) if step else 1000.0)
            for label, values in runs.items()
            for run, value in enumerate(values)
            for step in steps
        ],
        columns=COLUMNS,
    )


def judged(table: pandas.DataFrame, **entry: Any) -> Finding:
    (part,) = read_part(1, entry, ("a", "b"))
    return part.judge(table)


# --- verdicts


def test_more_holds_does_not_and_is_within_the_noise() -> None:
    low, high = np.arange(8), np.arange(8) + 10
    found = judged(planted(a=high, b=low), more="a", than="b")
    assert found.holds is True
    # Of the 12870 ways to share out sixteen runs, two are as far apart. The middle halves: 12 to 15, and 2 to 5.
    assert found.text.startswith("return at epsilon .05, in the last quarter of training: 'a' 13.5 [")
    assert "'b' 3.50 [" in found.text
    assert "(n=8); a run of the first has more with probability 1.00 (p = 0.000155)" in found.text
    assert judged(planted(a=low, b=high), more="a", than="b").holds is False
    assert judged(planted(a=low, b=low + 0.5), more="a", than="b").holds is None
    assert judged(planted(a=low, b=low), more="a", than="b").holds is None


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_runs_never_tell(count: int) -> None:
    found = judged(planted(a=range(100, 100 + count), b=range(count)), more="a", than="b")
    assert found.holds is None
    assert ("too few runs for a p-value" in found.text) == (count == 1)


def test_alike_holds_does_not_and_is_within_the_noise() -> None:
    near = np.arange(8) / 100
    alike = {"alike": ["a", "b"], "within": 1}
    assert judged(planted(a=near, b=near + 0.5), **alike).holds is True
    assert judged(planted(a=near, b=near + 1.5), **alike).holds is False
    assert judged(planted(a=near + 1.5, b=near), **alike).holds is False
    assert judged(planted(a=near * 100, b=near * 100 + 0.5), **alike).holds is None
    assert judged(planted(a=[1], b=[1]), **alike).holds is None
    assert "they differ by -0.50" in judged(planted(a=near, b=near + 0.5), **alike).text


def test_the_interval_of_a_difference_is_that_of_means_of_normal_runs() -> None:
    rng = np.random.default_rng(1)
    ours, theirs = rng.normal(5, 1, 3), rng.normal(0, 1, 3)  # below four runs it is the mean
    found = difference(ours, theirs)
    assert found.centre == pytest.approx(ours.mean() - theirs.mean())
    error = np.sqrt(ours.var() / 3 + theirs.var() / 3)  # of the bootstrap
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_the_end_is_the_last_quarter_and_all_leaves_out_the_start() -> None:
    rows = [("a", 3, step, "return", float(step)) for step in STEPS]
    table = pandas.DataFrame(rows, columns=COLUMNS)
    assert values_of(table, "a", "return", "end").tolist() == [400]  # after step 300
    assert values_of(table, "a", "return", "all").tolist() == [250]


def test_what_is_worked_out_from_what_was_recorded() -> None:
    rows = [(run, 10, "max_q_start", 100.0 + run) for run in range(2)]
    rows += [(run, 10, "greedy_discounted_return", 60.0) for run in range(2)] + [(0, 10, "loss", 1.0)]
    table = pandas.DataFrame(rows, columns=COLUMNS[1:])
    found = with_derived(table, {"overestimation", "share_of_optimum"}, Best(None, (90.0, 120.0)))
    wide = found.pivot(index="run", columns="metric", values="value")
    assert wide["overestimation"].tolist() == [40, 41]
    assert wide["share_of_optimum"].tolist() == [0.5, 0.5]  # of the upper bound: the least it can be
    assert "loss" not in wide


def test_a_best_is_shown_where_it_is_the_same_for_all() -> None:
    one, other = Best((7.0, 7.0), (1.0, 2.0)), Best((7.0, 7.0), (1.0, 3.0))
    assert bounds_of("return", [one, other]) == (7.0, 7.0)
    assert bounds_of("max_q_start", [one, one]) == (1.0, 2.0)
    assert bounds_of("max_q_start", [one, other]) is None
    assert bounds_of("overestimation", [one, one]) is None


# --- the figure


def study(tmp_path: Path, text: str) -> TrainedStudy:
    (tmp_path / "s.toml").write_text(text)
    found = find(str(tmp_path / "s.toml"))
    assert isinstance(found, TrainedStudy)
    return found


DENSE = """
question = "Which?"
claim = "a."
source = "ours"
agent = "dqn"
show = ["return", "max_q_start"]
[variants]
a = {}
b = { double = true }
[[parts]]
more = "a"
than = "b"
"""


def legend(axes: matplotlib.axes.Axes) -> list[str]:
    found = axes.get_legend()
    return [] if found is None else [text.get_text() for text in found.get_texts()]


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_the_figure_shows_runs_labels_and_the_best_possible(tmp_path: Path, scale: float) -> None:
    values = np.array([0.0, 1, 2, 3, 4, 5, 6, 7]) * scale / 2
    table = pandas.concat(
        [planted(metric, a=values, b=values / 2) for metric in ("return", "max_q_start", "greedy_discounted_return")]
    )
    figure = study(tmp_path, DENSE).draw({"curves": table})
    returns, ends, beliefs, beside = figure.axes
    far = "" if scale == 1000 else ", far above"
    assert legend(returns) == ["a (n=8)", "b (n=8)", f"best possible: 4100{far}"]
    assert legend(beliefs) == ["a (n=8)", "b (n=8)", f"best possible: 2678 to 2830{far}"]
    middle = scale * 3.5 / 2  # the middle half of eight runs is 2, 3, 4, 5, halved
    assert returns.lines[0].get_ydata()[-1] == pytest.approx(middle)
    assert returns.lines[1].get_ydata()[-1] == pytest.approx(middle / 2)
    if scale == 1000:  # 1750 runs high, so that 4100 is in the picture, where it is
        assert returns.lines[2].get_ydata()[0] == 4100
        assert returns.get_ylim()[1] > 4100
        assert beliefs.get_ylim()[1] > 2830
    else:
        assert returns.get_ylim()[1] < 1500
    for axes in (ends, beside):
        assert [text.get_text() for text in axes.texts] == ["a", "b"]
        marks = {(line.get_xdata()[0], line.get_marker()) for line in axes.lines if len(line.get_xdata()) == 1}
        assert {(middle, "o"), (middle / 2, "s")} <= marks
    assert len(beside.lines) > len(ends.lines), "what the policies earn lies beside what they believe"
    assert "far above" not in figure.texts[0].get_text()
    assert figure.texts[0].get_text() == "Which?"


# --- from the file to the verdict

TABLES = """
question = "Which?"
claim = "The far-sighted one."
source = "ours"
agent = "q-learning"
show = ["return", "share_of_optimum"]
[settings]
env = "dense-small-v0"
coins = 2
eval_episodes = 2
[variants]
near = { gamma = 0.1 }
far = { gamma = 0.95 }
[[parts]]
more = "far"
than = "near"
[budgets.smoke]
seeds = 5
steps = 6000
eval_period = 1500
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(TABLES)
    return tmp_path


def results() -> dict[str, tuple[bytes, float]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime) for path in Path("studies/.shards/results").iterdir()}


def test_a_study_that_is_killed_goes_on_and_trains_nothing_twice(here: Path) -> None:
    command = [sys.executable, "-m", "gridrl", "study", "run", "mine.toml", "--budget", "smoke", "--engine", "serial"]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 120
    done, begun = "studies/.shards/results/*.csv", "studies/.shards/work/*/checkpoints/step-*"
    while not (list(here.glob(done)) and list(here.glob(begun))):
        assert time.monotonic() < deadline
        assert driver.poll() is None, "it was done before it could be killed"
        time.sleep(0.002)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    before = results()
    assert len(before) == 1
    assert main(["study", "run", "mine.toml", "--budget", "smoke", "--engine", "serial"]) == 0
    after = results()
    assert len(after) == 2
    assert {name: after[name] for name in before} == before, "what was done is not done again"
    # In a folder of its own, never stopped: the same data, to the last byte.
    unbroken = ["--shards", "others", "--out", "unbroken", "--engine", "processes", "--processes", "2"]
    assert main(["study", "run", "mine.toml", "--budget", "smoke", *unbroken]) == 0
    assert Path("studies/mine/curves.csv").read_bytes() == Path("unbroken/curves.csv").read_bytes()


def test_studies_share_what_was_trained_and_can_be_drawn_again(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["--budget", "smoke", "--seeds", "2", "--engine", "serial"]
    assert main(["study", "run", "mine.toml", *run]) == 0
    folder = Path("studies/mine")
    assert {path.name for path in folder.iterdir()} == {
        "curves.csv",
        "figure.png",
        "settings.toml",
        "study.toml",
        "verdict.md",
    }
    assert (folder / "study.toml").read_text() == TABLES
    page = (folder / "verdict.md").read_text()
    assert "gridrl study run mine.toml --budget smoke --seeds 2" in page
    assert "* within the noise: return at epsilon .05" in page
    table = pandas.read_csv(folder / "curves.csv")
    assert list(table.columns) == COLUMNS
    assert set(table["step"]) == {0, 1500, 3000, 4500, 6000}
    assert set(table["run"]) == {0, 1}

    def nobody(*_: object) -> None:
        raise AssertionError("this was trained before")

    monkeypatch.setattr("gridrl.sweeps.serial.do_shard", nobody)
    # Another study, with variants by other names, in another order, that come to the same trainings.
    Path("theirs.toml").write_text(
        TABLES.replace("near =", "wide =")
        .replace("far =", "short =")
        .replace('"far"', '"short"')
        .replace('"near"', '"wide"')
    )
    assert main(["study", "run", "theirs.toml", *run]) == 0
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in ("figure.png", "verdict.md"):
        (folder / name).unlink()
    capsys.readouterr()
    assert main(["study", "plot", str(folder)]) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept
    assert main(["study", "plot", "mine.toml"]) == 0
    assert "Wrote studies/mine: curves.csv" in capsys.readouterr().out


def test_what_cannot_be_drawn_again(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, sentence in (
        ("mine.toml", "mine was not run yet under studies; run it (gridrl study run mine.toml)"),
        (".", "has no settings.toml, so it is no folder of a study that was run"),
        ("laddr", "unknown study 'laddr'; did you mean 'ladder'?"),
    ):
        assert main(["study", "plot", name]) == 2
        error = capsys.readouterr().err
        assert sentence in error
        assert error.count("\n") == 1


def test_the_optimum_must_be_known_for_shares_of_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = TABLES.replace('env = "dense-small-v0"\ncoins = 2', 'env = "CartPole-v1"').replace("q-learning", "dqn")
    Path("pole.toml").write_text(text.replace("steps = 6000", "steps = 20"))
    assert main(["study", "run", "pole.toml", "--budget", "smoke", "--engine", "serial"]) == 2
    assert "share_of_optimum: the optimum is not known here; show greedy_return instead." in capsys.readouterr().err
