"""Searches for settings: what may be chosen, what is chosen, what is kept, and what is said of it."""

import csv
import os
import re
import shlex
import subprocess
import sys
import time
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from gridrl.__main__ import main
from gridrl.errors import UserError
from gridrl.make_run import make_config
from gridrl.plots.tuning import tuning_figure
from gridrl.problem import ProblemSettings
from gridrl.run_folder import RunFolder
from gridrl.sweeps.shard import cut
from gridrl.sweeps.sweep import Sweep
from gridrl.training_settings import TrainSettings
from gridrl.tuning.journal import Journal, Trial
from gridrl.tuning.ranges import Choice, Ranges, Span, check_ranges, read_ranges
from gridrl.tuning.report import Report, best_toml, sentences, train_command
from gridrl.tuning.score import last, scores
from gridrl.tuning.search import Judged, Search, best_of
from gridrl.tuning.settings import SearchSettings
from gridrl.tuning.usual_ranges import usual_ranges
from gridrl_agents.registry import agent_names, settings_class

LEVEL = "#####\n#P $#\n#$ @#\n#####\n"
WORDS = ["--env", "dense-small-v0", "--level", "level.txt", "--reward-noise", "30", "--steps", "300"]
WORDS += ["--eval-period", "50", "--eval-episodes", "1", "--seeds", "2", "--unseen-seeds", "3"]
WORDS += ["--trials", "6", "--at-once", "4"]
TUNE = ["tune", "q-learning", "--ranges", "ranges.toml", *WORDS]
RANGES = "learning_rate = { low = 0.01, high = 1, log = true }\nepsilon_begin = [0.2, 1]\n"
FILES = ("tune.png", "best.toml", "trials.csv", "unseen.csv", "search.toml")


# what may be chosen


def test_a_file_declares_ranges(tmp_path: Path) -> None:
    (tmp_path / "ranges.toml").write_text(
        "learning_rate = { low = 1e-4, high = 1, log = true }\nn_step = { low = 1, high = 5 }\n"
        "batch_size = [32, 64]\nhidden_sizes = [[64], [64, 32]]\ndouble = [true, false]\nv_min = { low = -9, high = 0 }"
    )
    ranges = read_ranges(tmp_path / "ranges.toml", "dqn")
    assert ranges == {
        "learning_rate": Span(1e-4, 1.0, log=True),
        "n_step": Span(1, 5),
        "batch_size": Choice((32, 64)),
        "hidden_sizes": Choice(((64,), (64, 32))),
        "double": Choice((True, False)),
        "v_min": Span(-9.0, 0.0),
    }
    assert [name for name, each in ranges.items() if isinstance(each, Span) and each.whole] == ["n_step"]


def test_the_documentation_declares_ranges_that_are_right(tmp_path: Path) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "tune.md"
    (text,) = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    (tmp_path / "ranges.toml").write_text(text)
    ranges = read_ranges(tmp_path / "ranges.toml", "dqn")
    check_ranges("dqn", {}, ranges)
    assert len(ranges) == len(text.strip().splitlines())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("learning_rate = ", r"ranges.toml is no TOML"),
        ("", r"declares no range; add a line such as"),
        ("lerning_rate = [0.1]", r"unknown setting of dqn in .*'lerning_rate'; did you mean 'learning_rate'"),
        ("batch_size = 32", r"batch_size must be a list of values, or \{ low = \.\.\., high = \.\.\. \}, got 32"),
        ("batch_size = []", r"batch_size is an empty list"),
        ("batch_size = [32, 64.5]", r"batch_size: each value must be a whole number, got 64.5"),
        ("learning_rate = [0.1, true]", r"each value must be a number, got True"),
        ("learning_rate = { low = 0.1, hihg = 1 }", r"'hihg'; did you mean 'high'"),
        ("learning_rate = { low = 0.1 }", r"learning_rate has no high; give both"),
        ('learning_rate = { low = "a", high = 1 }', r"low must be a number, got 'a'"),
        ("learning_rate = { low = 0.1, high = 0.01 }", r"low must be below high.*got 0.1 and 0.01"),
        ("learning_rate = { low = 0.1, high = nan }", r"low must be below high, and both finite"),
        ("learning_rate = { low = 0, high = 1, log = true }", r"logarithmic scale low must be above 0, got 0"),
        ("learning_rate = { low = 1, high = 2, log = 1 }", r"log must be true or false, got 1"),
        ("n_step = { low = 1, high = 2.5 }", r"n_step: high must be a whole number, got 2.5"),
        ("double = { low = 0, high = 1 }", r"double is no number and so has no low and high; give a list"),
    ],
)
def test_mistakes_in_a_file_are_told(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "ranges.toml").write_text(text)
    with pytest.raises(UserError, match=sentence):
        read_ranges(tmp_path / "ranges.toml", "dqn")


def test_what_does_not_go_together_is_told_before_anything_is_trained() -> None:
    check_ranges("dqn", {}, {"batch_size": Choice((32, 64)), "min_replay_size": Span(64, 128)})
    with pytest.raises(UserError, match=r"at batch_size 64, min_replay_size 32: min_replay_size must be from"):
        check_ranges("dqn", {}, {"batch_size": Choice((64, 32, 48)), "min_replay_size": Span(32, 128)})
    with pytest.raises(UserError, match=r"at priority_exponent 0.2: .* has no effect"):
        check_ranges("dqn", {}, {"priority_exponent": Span(0.2, 0.8)})
    check_ranges("dqn", {"replay": "rank-based"}, {"priority_exponent": Span(0.2, 0.8)})


@pytest.mark.parametrize("agent", agent_names())
def test_every_agent_has_usual_ranges_around_its_defaults(agent: str) -> None:
    ranges, defaults = usual_ranges(agent, {}), settings_class(agent)()
    check_ranges(agent, {}, ranges)
    assert len(ranges) >= 2
    for name, each in ranges.items():
        default = getattr(defaults, name)
        assert default in each.values if isinstance(each, Choice) else each.low <= default <= each.high, name


def test_usual_ranges_leave_out_what_is_fixed_and_what_has_no_effect() -> None:
    assert "priority_exponent" not in usual_ranges("dqn", {})
    assert "priority_exponent" in usual_ranges("per-dqn", {})
    assert "priority_exponent" in usual_ranges("dqn", {"replay": "proportional"})
    assert not {"epsilon_end", "epsilon_decay_steps"} & usual_ranges("noisy-dqn", {}).keys()
    assert "learning_rate" not in usual_ranges("dqn", {"learning_rate": 1e-3})
    assert "learning_rate" not in usual_ranges("fitted-q", {})
    assert "learning_rate" in usual_ranges("fitted-q", {"regressor": "network"})
    everything = {name: getattr(settings_class("q-learning")(), name) for name in usual_ranges("q-learning", {})}
    with pytest.raises(UserError, match=r"no ranges for q-learning; declare some in a file"):
        usual_ranges("q-learning", everything)


# what is chosen, and kept

MIXED: Ranges = {
    "learning_rate": Span(1e-4, 1.0, log=True),
    "planning_steps": Span(1, 9),
    "hidden_sizes": Choice(((64,), (64, 32))),
}


def a_journal(folder: Path, seed: int = 0, ranges: Ranges = MIXED) -> Journal:
    return Journal(folder / "journal.log", ranges, seed)


def test_what_is_chosen_lies_in_the_ranges_and_depends_on_earlier_rounds_only(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    first = journal.propose(0, 40)
    assert all(1e-4 <= each["learning_rate"] <= 1 and 1 <= each["planning_steps"] <= 9 for each in first)
    assert {tuple(each["hidden_sizes"]) for each in first} == {(64,), (64, 32)}
    assert all(isinstance(each["planning_steps"], int) for each in first)
    below = sum(each["learning_rate"] < 1e-2 for each in first)
    assert 6 <= below <= 34  # half of 40 in a logarithmic scale, one of a hundred in an even one: 4.5 deviations
    assert all(each["learning_rate"] == float(f"{each['learning_rate']:.3g}") for each in first)
    for number, each in enumerate(first[:12]):
        journal.record(each, [number, number + 1.0])
    second = journal.propose(12, 4)
    for each in second:
        journal.record(each, [5.0, 5.0])
    assert journal.propose(12, 4) == second  # whatever is known by now of the same round
    assert a_journal(tmp_path).propose(12, 4) == second
    assert a_journal(tmp_path, seed=1).propose(12, 4) != second


def test_later_rounds_are_nearer_to_what_was_good(tmp_path: Path) -> None:
    distances = np.empty((4, 40))
    for seed in range(4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        journal = a_journal(folder, seed, {"gamma": Span(0.0, 1.0)})
        for first in range(0, 40, 8):
            for each in journal.propose(first, 8):
                distances[seed, len(journal.trials)] = abs(each["gamma"] - 0.2)
                journal.record(each, [-abs(each["gamma"] - 0.2)])
    assert distances[:, 24:].mean() < 0.5 * distances[:, :8].mean()


def test_a_journal_that_was_cut_short_in_the_middle_of_writing_is_mended(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    chosen = journal.propose(0, 3)
    for number, each in enumerate(chosen):
        journal.record(each, [float(number), np.nan if number == 1 else 0.0])
    path = tmp_path / "journal.log"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    (tmp_path / "journal.log.lock").touch()  # of the process that was killed
    journal = a_journal(tmp_path)
    assert [trial.chosen for trial in journal.trials] == chosen[:2]
    journal.record(chosen[2], [2.0, 0.0])
    trials = a_journal(tmp_path).trials
    assert [trial.number for trial in trials] == [0, 1, 2]
    assert [trial.score for trial in trials] == pytest.approx([0.0, np.nan, 1.0], nan_ok=True)
    best = best_of(trials)
    assert best is not None
    assert best.number == 2
    assert best_of(trials[1:2]) is None
    path.write_bytes(b"?" + whole[1:])
    with pytest.raises(UserError, match=r"journal.log is damaged .*; remove it"):
        a_journal(tmp_path)


def test_a_score_is_the_mean_of_the_last_quarter() -> None:
    config = make_config("q-learning", ProblemSettings(), TrainSettings(steps=100), {}, seeds=[4, 2, 7])
    values = {4: [0, 0, 7, 10, 20], 2: [9, 9, 9, 1, 2], 7: [5, 5, 5, 5]}  # the last one broke off
    rows = [
        (run, 0, step, metric, value + shift)
        for run, own in values.items()
        for step, value in zip((0, 50, 75, 80, 100), own, strict=False)
        for metric, shift in (("return", 0.0), ("greedy_return", 100.0))
    ]
    table = pandas.DataFrame(rows, columns=["run", "update", "step", "metric", "value"])
    np.testing.assert_array_equal(scores(table, config), [15.0, 1.5, np.nan])
    np.testing.assert_array_equal(last(table, config, "greedy_return"), [120.0, 102.0, np.nan])


# the whole


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search of one process, from its beginning to its end."""
    folder = tmp_path_factory.mktemp("unbroken")
    (folder / "level.txt").write_text(LEVEL)
    (folder / "ranges.toml").write_text(RANGES)
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert main([*TUNE, "--engine", "serial", "--out", "out"]) == 0
    finally:
        os.chdir(before)
    return folder / "out"


def in_its_folder(monkeypatch: pytest.MonkeyPatch, unbroken: Path) -> None:
    monkeypatch.chdir(unbroken.parent)


def measured(unbroken: Path, config: Any) -> dict[int, dict[int, float]]:
    """Return by hand what the shards of a config measured: seed -> step -> `return`."""
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for shard in cut(config):
        with open(unbroken / "results" / f"{shard.key}.csv", newline="") as file:
            for row in csv.DictReader(file):
                if row["metric"] == "return":
                    found[int(row["run"])][int(row["step"])] = float(row["value"])
    return found


def test_the_report_says_what_the_shards_measured(unbroken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_its_folder(monkeypatch, unbroken)
    trials = pandas.read_csv(unbroken / "trials.csv")
    unseen = pandas.read_csv(unbroken / "unseen.csv")
    problem = ProblemSettings(env="dense-small-v0", level="level.txt", reward_noise=30.0)
    training = TrainSettings(steps=300, eval_period=50, eval_episodes=1)
    assert len(trials) == 6

    def by_hand(chosen: dict[str, float], seeds: list[int]) -> list[float]:
        returns = measured(unbroken, make_config("q-learning", problem, training, chosen, seeds))
        assert sorted(returns) == seeds
        return [(returns[seed][250] + returns[seed][300]) / 2 for seed in seeds]

    columns = ("learning_rate", "epsilon_begin")
    for _, trial in trials.iterrows():
        found = by_hand({name: float(trial[name]) for name in columns}, [0, 1])
        assert [trial["seed_0"], trial["seed_1"]] == found
        assert trial["score"] == pytest.approx(np.mean(found), abs=1e-12)
    best = trials.iloc[trials["score"].argmax()]
    ours = by_hand({name: float(best[name]) for name in columns}, [1000, 1001, 1002])
    theirs = by_hand({}, [1000, 1001, 1002])
    assert unseen["score"].tolist() == [*ours, *theirs]
    assert unseen["run"].tolist() == [1000, 1001, 1002] * 2
    won = np.mean([(x > y) + (x == y) / 2 for x in ours for y in theirs])
    page = (unbroken / "tune.md").read_text()
    assert f"beats one of the defaults with probability {won:.2f} [" in page
    excess = best["score"] - np.mean(ours)
    told = re.search(r"the same settings earn ([\d.]+) (less|more, by chance)\.", page)
    assert told is not None
    assert float(told[1]) * (1 if told[2] == "less" else -1) == pytest.approx(excess, rel=0.01, abs=0.01)
    # the seeds of the trials and those of the report have nothing in common, in what was really trained
    seeds = [set(pandas.read_csv(path)["run"]) for path in (unbroken / "results").iterdir()]
    assert {frozenset(each) for each in seeds} == {frozenset({0, 1}), frozenset({1000, 1001, 1002})}


def test_the_best_can_be_trained_again(unbroken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_its_folder(monkeypatch, unbroken)
    (point,) = Sweep.read(unbroken / "best.toml").points()
    assert all((unbroken / "results" / f"{shard.key}.csv").is_file() for shard in cut(point.config))  # that very one
    line = re.search(r"^    (gridrl train .*)$", (unbroken / "tune.md").read_text(), flags=re.MULTILINE)
    assert line is not None
    assert main([*shlex.split(line[1])[1:], "--out", "again"]) == 0
    config = RunFolder.open("again").config
    assert config.agent_settings == point.config.agent_settings
    assert (config.steps, config.eval_period, config.seeds) == (300, 50, [0, 1, 2])


def same_files(one: Path, other: Path) -> None:
    for name in FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    results = [{path.name: path.read_bytes() for path in (each / "results").iterdir()} for each in (one, other)]
    assert results[0] == results[1]


def test_a_search_that_is_killed_goes_on_with_two_processes_and_is_the_same(
    unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_its_folder(monkeypatch, unbroken)
    out = tmp_path / "out"
    command = [*TUNE, "--out", str(out)]
    child = subprocess.Popen([sys.executable, "-m", "gridrl", *command, "--engine", "serial"])
    deadline = time.monotonic() + 60
    while len(list(out.glob("results/*.csv"))) < 5:  # in the second round
        assert time.monotonic() < deadline
        assert child.poll() is None
        time.sleep(0.002)
    child.kill()
    child.wait()
    with open(out / "journal.log", "ab") as file:
        file.write(b'{"op_code":4,"wor')  # killed in the middle of a line
    assert main([*command, "--processes", "2"]) == 0
    same_files(out, unbroken)
    assert len(a_journal(out, 0, read_ranges(Path("ranges.toml"), "q-learning")).trials) == 6


def test_more_trials_go_on_and_nothing_is_trained_twice(
    unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_its_folder(monkeypatch, unbroken)
    serial = ["--engine", "serial", "--out", str(tmp_path / "out")]
    assert main([*TUNE, *serial, "--trials", "3"]) == 0
    assert main([*TUNE, *serial]) == 0
    same_files(tmp_path / "out", unbroken)
    monkeypatch.setattr("gridrl.sweeps.serial.do_shard", lambda *arguments: pytest.fail("trained again"))
    (tmp_path / "out" / "journal.log").unlink()  # the results are enough
    assert main([*TUNE, *serial]) == 0
    same_files(tmp_path / "out", unbroken)
    capsys.readouterr()
    Path("others.toml").write_text(RANGES.replace("0.01", "0.1"))
    for other, sentence in (
        (["--steps", "400"], "holds a search with steps 300, and this one has 400"),
        (["--sampler-seed", "1"], "sampler.sampler_seed 0, and this one has 1"),
        (["--ranges", "others.toml"], "ranges.learning_rate.low 0.01, and this one has 0.1"),
        (["--epsilon-end", "0.5"], "agent_settings.epsilon_end 0.05, and this one has 0.5"),
    ):
        assert main([*TUNE, *serial, *other]) == 2
        assert sentence in capsys.readouterr().err


def test_a_folder_has_one_writer(
    unbroken: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_its_folder(monkeypatch, unbroken)
    with RunFolder(unbroken).lock():
        assert main([*TUNE, "--out", "out"]) == 2
    assert f"out is being written by process {os.getpid()}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--learning-rate", "0.1", "--ranges", "ranges.toml"],
            "--learning-rate is fixed, and ranges.toml searches it",
        ),
        (["--ranges", "none.toml"], "none.toml cannot be read"),
        (["--trials", "0"], "trials must be 1 or more, got 0"),
        (["--seeds", "1001"], "seeds must be 1000 or less, got 1001"),
        (["--env", "dens-v0"], "dens-v0"),
        (["--gamma", "2"], "gamma must be a number from 0 to 1"),
    ],
)
def test_mistakes_in_the_command_are_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ranges.toml").write_text(RANGES)
    assert main(["tune", "q-learning", "--env", "dense-small-v0", *words]) == 2
    assert sentence in capsys.readouterr().err
    assert not Path("searches").exists()


def test_ctrl_c_tells_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gridrl.tuning.search.run_configs", interrupt)
    monkeypatch.setattr("sys.argv", ["gridrl", "tune", "q-learning", "--env", "dense-small-v0"])
    assert main(sys.argv[1:]) == 130
    told = "Stopped; what was learned is saved. To go on, the same again: gridrl tune q-learning --env dense-small-v0\n"
    assert told in capsys.readouterr().out
    assert Path("searches/q-learning-dense-small-v0/search.toml").is_file()


def test_without_optuna_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert main(["tune", "dqn"]) == 2
    assert capsys.readouterr().err == (
        "gridrl: gridrl tune needs a package that is not installed: pip install gridrl[search].\n"
    )
    assert not Path("searches").exists()


# what is said


def a_report(ours: list[float], theirs: list[float], seen: list[float], agent: str = "rainbow", **fixed: Any) -> Report:
    search = Search(
        agent,
        ProblemSettings(env="dense-small-v0", coins=3),
        fixed,
        {"learning_rate": Span(1e-4, 1e-2, log=True), "dueling": Choice((True, False))},
        SearchSettings(seeds=len(seen), unseen_seeds=len(ours)),
    )
    best = Trial(0, {"learning_rate": 0.002, "dueling": False}, seen)
    judged = [Judged(label, {}, np.array(values), np.array(values)) for label, values in (("a", ours), ("b", theirs))]
    return Report(search, [best], best, judged[0], judged[1])


def test_words_follow_the_numbers() -> None:
    low, high = [1.0, 2, 3, 4, 5, 6, 7, 8], [11.0, 12, 13, 14, 15, 16, 17, 18]
    better, excess = sentences(a_report(high, low, [20.0, 20.0]))
    assert "probability 1.00" in better
    assert "better than the defaults" in better
    assert "earn 5.50 less" in excess  # 20 - 14.5
    assert "worse than the defaults" in sentences(a_report(low, high, [20.0]))[0]
    assert "may be chance" in sentences(a_report(low, [*low[1:], 1.5], [20.0]))[0]
    assert "earn 4.50 more, by chance" in sentences(a_report(high, low, [10.0]))[1]
    assert sentences(a_report([np.nan, *high[1:]], low, [10.0])) == [
        "1 run(s) with unseen seeds broke off, so that nothing can be said of the settings."
    ]


def test_the_line_to_train_has_every_kind_of_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = a_report(
        [1.0], [2.0], [3.0], double=False, hidden_sizes=(32, 16), replay="rank-based", max_gradient_norm=5.0
    )
    monkeypatch.setattr("gridrl.commands.progress.train_in_front", lambda folder, *rest: 0)
    assert main([*shlex.split(train_command(report))[1:], "--out", "run"]) == 0
    trained = RunFolder.open("run").config
    wanted = report.search.config(report.best.chosen, [0])
    assert RunFolder.create(tmp_path / "wanted", wanted, "").config == trained
    data = tomllib.loads(best_toml(report))
    assert data["settings"]["coins"] == 3
    Path("best.toml").write_text(best_toml(report))
    assert Sweep.read(Path("best.toml")).points()[0].config == report.search.config(report.best.chosen, [1000])


def test_the_figure_shows_trials_the_best_so_far_and_the_runs_with_unseen_seeds() -> None:
    figure = tuning_figure(
        [3.0, np.nan, 2.0, 5.0, 4.0], [("one", [1.0, 2.0, 3.0]), ("two", [2.0])], num_seeds=2, title="t"
    )
    left, right = figure.axes
    dots = next(line for line in left.lines if line.get_marker() == "o" and len(line.get_xdata()) == 5)
    np.testing.assert_array_equal(dots.get_ydata(), [3.0, np.nan, 2.0, 5.0, 4.0])
    steps = next(line for line in left.lines if line.get_drawstyle() == "steps-post")
    np.testing.assert_array_equal(steps.get_ydata(), [3.0, 3.0, 3.0, 5.0, 5.0])
    assert [label.get_text() for label in right.get_xticklabels()] == ["one\n(n=3)", "two\n(n=1)"]
    assert sorted(y for line in right.lines if len(line.get_xdata()) == 3 for y in line.get_ydata()) == [1.0, 2.0, 3.0]
