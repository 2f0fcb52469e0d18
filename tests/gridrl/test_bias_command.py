"""`gridrl bias` as a user meets it: the table, the files, and a sentence for each thing that cannot be shown."""

from pathlib import Path

import numpy as np
import pandas
import pytest

from gridrl.__main__ import main
from gridrl.problem import ProblemSettings
from gridrl.training import Training, start
from gridrl.training_settings import TrainSettings
from gridrl.truth.bias import final_summaries, grouped
from gridrl.truth.bias_words import table_of

NET = {"hidden_sizes": (8,), "batch_size": 4, "replay_capacity": 50, "min_replay_size": 10}
FIGURES = {"bias.png", "bias-map.png", "bias-split.png"}


def trained(path: Path, agent: str = "q-learning", seeds: int = 2, env: str = "dense-small-v0", **settings) -> Training:
    coins = {"coins": 2} if env == "dense-small-v0" else {}
    run_settings = TrainSettings(seeds=seeds, steps=20, eval_period=20, eval_episodes=1, snapshot_period=5)
    options = {"gamma": 0.9, **(NET if agent == "dqn" else {}), **settings}
    training = start(agent, ProblemSettings(env=env, **coins), run_settings, options, out=path)
    training.run()
    return training


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name, settings in {
        "table": {},
        "net": {"agent": "dqn"},
        "sarsa": {"agent": "sarsa", "seeds": 1},
        "short-sighted": {"agent": "expected-sarsa", "gamma": 0.5},
        "large": {"env": "dense-v0", "seeds": 1},
        "cart": {"agent": "dqn", "env": "CartPole-v1", "seeds": 1},
    }.items():
        trained(folder / name, **settings)  # type: ignore[arg-type]
    problem = ProblemSettings(env="dense-small-v0", coins=2)
    start("q-learning", problem, TrainSettings(steps=20), {}, out=folder / "empty")
    return folder


def bias(folder: Path, *names: str) -> int:
    return main(["bias", *(str(folder / name) if not name.startswith("-") else name for name in names)])


def test_agents_of_one_level(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "out"
    assert bias(runs, "table", "net", f"--out={out}", "--snapshots=3") == 0
    shown = capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == FIGURES | {"bias.csv"}
    table = pandas.read_csv(out / "bias.csv")
    assert list(table.columns) == ["agent", "run", "step", "states", "metric", "value", "level", "gamma"]
    assert list(table["agent"].unique()) == ["q-learning", "dqn"]
    assert list(table["step"].unique()) == [0, 10, 20], "three of five, the last among them"
    assert set(table["states"]) == {"start", "visited", "optimal-path", "random"}
    wide = table.pivot_table(index=["agent", "run", "step", "states"], columns="metric", values="value")
    np.testing.assert_allclose(wide["estimate_error"], wide["believed"] - wide["policy_value"])
    np.testing.assert_allclose(wide["policy_loss"], wide["policy_value"] - wide["optimal_value"])
    for name in ("start", "visited", "optimal-path", "random"):
        assert f"\n{name}: the states " in shown, "it says which states"
    for part in ("dense-small, gamma 0.9", "q-learning", "dqn", f"Wrote {out}", f"gridrl map {runs / 'table'}"):
        assert part in shown


def test_the_table_holds_the_means_and_their_intervals(runs: Path) -> None:
    (group,) = grouped([Training.resume(runs / "table")])
    rows = [("q-learning", seed, 9, "start", "estimate_error", value) for seed, value in enumerate((1.0, 3.0))]
    rows += [("q-learning", seed, 9, "start", "believed", 400.0) for seed in (0, 1)]
    rows += [("q-learning", seed, 9, "start", metric, end) for seed in (0, 1) for metric, end in BOUNDS.items()]
    table = pandas.DataFrame(rows, columns=["agent", "run", "step", "states", "metric", "value"])
    shown = table_of(group, final_summaries(table, np.random.default_rng(0)))
    cells = {str(column.header): list(column.cells) for column in shown.columns}
    assert cells["states"] == ["[bold]q-learning[/]", "  start"]
    assert cells["n"][1:] == ["2"]
    # Both seeds alike, one in four times each, are the ends of 95 %.
    assert cells["error"][1:] == ["2.00\n1.00, 3.00"]
    assert cells["max Q"][1:] == ["400"]
    assert cells["best"][1:] == ["2678 to 2830"]
    assert cells["loss"][1:] == ["-"]


BOUNDS = {"optimum_low": 2677.741, "optimum_high": 2829.5}


def test_runs_that_cannot_be_compared_are_shown_apart(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    names = ("table", "short-sighted", "cart", "empty", "nowhere", "large")
    assert bias(runs, *names, f"--out={out}", "--snapshots=1", "--states=start") == 0
    shown = capsys.readouterr()
    assert "The runs differ in level or gamma: each kind has a table and figures of its own." in shown.out
    expected = {name.replace(".png", f"-{number}.png") for name in FIGURES for number in (1, 2, 3)}
    assert {path.name for path in out.iterdir()} == expected | {"bias.csv"}
    table = pandas.read_csv(out / "bias.csv")
    groups = set(zip(table["agent"], table["level"], table["gamma"], strict=True))
    small = "dense-small"
    assert groups == {("table", small, 0.9), ("expected-sarsa", small, 0.5), ("large", "dense", 0.9)}
    faults = shown.err.strip().splitlines()
    assert len(faults) == 3
    assert "cart is of CartPole-v1, no gridworld, where no policy can be played out" in faults[0]
    assert "empty has no checkpoint yet" in faults[1]
    assert "nowhere is no folder" in faults[2]
    assert "large has one seed, and an interval needs two; train it with --seeds 4 for one." in shown.out
    assert "V*, and with it the loss, is not known of all states: level 'dense'" in shown.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "bias measures run folders, such as runs/dqn-dense-v0-1; name at least one."),
        (("nowhere",), "nowhere is no folder; expected a run folder"),
        (("cart",), "cart is of CartPole-v1, no gridworld"),
        (("empty",), "empty has no checkpoint yet; let it train further"),
        (("table", "--snapshots=0"), "--snapshots must be 1 or more, got 0."),
        (("table", "--seed=-1"), "--seed must be 0 or more, got -1."),
        (("table", "--out={runs}"), "exists and is not empty; choose another folder with --out."),
    ],
)
def test_mistakes_get_one_sentence(
    runs: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    assert bias(runs, *(argument.format(runs=runs) for argument in arguments)) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert sentence in line


def test_a_snapshot_that_is_damaged_costs_its_run_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("good", "bad"):
        trained(tmp_path / name)
    snapshot = sorted((tmp_path / "bad" / "snapshots").iterdir())[1]
    snapshot.write_bytes(snapshot.read_bytes()[:40])
    assert bias(tmp_path, "good", "bad", f"--out={tmp_path / 'out'}", "--states=start") == 0
    shown = capsys.readouterr()
    assert snapshot.name in shown.err
    assert len(shown.err.strip().splitlines()) == 1
    assert list(pandas.read_csv(tmp_path / "out" / "bias.csv")["agent"].unique()) == ["good"]


def test_where_it_writes_if_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        trained(tmp_path / name, seeds=1)
    assert bias(Path(), "one", "--states=start", "--snapshots=1") == 0
    assert {path.name for path in Path("one/figures").iterdir()} == FIGURES | {"bias.csv"}
    Path("bias/bias-1").mkdir(parents=True)
    assert bias(Path(), "one", "two", "--states=start", "--snapshots=1") == 0
    assert {path.name for path in Path("bias/bias-2").iterdir()} == FIGURES | {"bias.csv"}
    assert "Wrote bias/bias-2" in capsys.readouterr().out.replace("\\", "/")


def test_what_is_infinite_is_told_and_not_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    level = tmp_path / "costly.toml"
    level.write_text('map = """\n######\n#P $ #\n######\n"""\n[rewards]\nstep = -1.0\n')
    settings = TrainSettings(steps=5, eval_period=5, eval_episodes=1)
    run = start("q-learning", ProblemSettings(level=str(level)), settings, {"gamma": 1.0}, out=tmp_path / "run")
    run.run()
    run.agent.table[:] = [1.0, 0.0, 0.0, 0.0]  # type: ignore[attr-defined] # up, against the wall
    for step in run.snapshots:
        run.folder.save_snapshot(step, run.agent.values_dict())
    assert bias(tmp_path, "run", f"--out={tmp_path / 'out'}", "--states=start") == 0
    shown = capsys.readouterr().out
    assert "A policy that goes in circles for ever can be worth inf at gamma 1; figures leave that out." in shown
    assert "-inf" in shown
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"bias.csv", "bias-map.png", "bias-split.png"}
