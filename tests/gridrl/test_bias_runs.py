"""A run's bias over its training: every snapshot, alone as in company; groups, labels and sentences."""

from pathlib import Path

import numpy as np
import pandas
import pytest

from gridrl.errors import UserError
from gridrl.problem import ProblemSettings
from gridrl.run import Run
from gridrl.training import Training, start
from gridrl.training_settings import TrainSettings
from gridrl.truth.bias import final_summaries, grouped, measure
from gridrl.truth.known import known
from gridrl_envs.level import Level

MAP = "########\n#P $ @ #\n# #$#  #\n#  @  $#\n########\n"


def trained(path: Path, steps: int = 20) -> Training:
    """A short run of two tables, with snapshots at 0, 10 and 20."""
    path.mkdir(parents=True)
    (path / "level.txt").write_text(MAP)
    problem = ProblemSettings(level=str(path / "level.txt"))
    settings = TrainSettings(seeds=2, steps=steps, eval_period=steps, eval_episodes=1, snapshot_period=10)
    training = start("q-learning", problem, settings, {"gamma": 0.9}, out=path / "run")
    training.run()
    return training


def test_every_snapshot_is_measured_and_the_run_left_as_it_was(tmp_path: Path) -> None:
    run = trained(tmp_path / "a", steps=30)
    before = run.agent.state_dict()
    seen: list[int] = []
    table = measure(run, states=("start", "visited"), on_step=lambda: seen.append(run.step))
    assert list(table["step"].unique()) == run.snapshots == run.snapshots == [0, 10, 20, 30]
    assert seen == [30] * 4, "after each step it believes again what it did"
    assert set(table["run"]) == {0, 1}
    after = run.agent.state_dict()
    np.testing.assert_array_equal(after["table"], before["table"])
    np.testing.assert_equal(after["streams"], before["streams"])
    loaded = Run.load(run.folder.path)
    loaded.at(10)
    obs = loaded.problem.gridworld.observe(loaded.problem.gridworld.dynamics.reset(1))
    at_ten = loaded.agent.q_values(np.stack([obs, obs])).max(axis=2)[:, 0].tolist()
    rows = table[(table["step"] == 10) & (table["metric"] == "believed") & (table["states"] == "start")]
    assert rows["value"].tolist() == at_ten


def test_a_run_is_measured_alone_as_in_company(tmp_path: Path) -> None:
    run = trained(tmp_path / "a")
    settings = TrainSettings(steps=20, eval_period=20)
    alone = start("q-learning", run.config.problem, settings, {"gamma": 0.9}, seeds=[1], out=tmp_path / "b")
    table = run.agent.table.copy()  # type: ignore[attr-defined]
    table += np.random.default_rng(0).integers(0, 3, table.shape)  # with ties, so that chance has its part
    run.agent.table[:] = table  # type: ignore[attr-defined]
    alone.agent.table[:] = table[1:]  # type: ignore[attr-defined]
    alone.step = run.step
    both, one = measure(run, steps=[20]), measure(alone, steps=[20])
    pandas.testing.assert_frame_equal(
        both[both["run"] == 1].reset_index(drop=True), one.reset_index(drop=True), check_exact=True
    )


def test_summaries_over_seeds_by_hand() -> None:
    rows = [
        ("a", seed, step, "start", "believed", value + step)
        for seed, value in enumerate((10.0, 20.0, 60.0))
        for step in (0, 5)
    ]
    rows += [("b", 0, 3, "start", "believed", 8.0)]
    table = pandas.DataFrame(rows, columns=["agent", "run", "step", "states", "metric", "value"])
    found = final_summaries(table, np.random.default_rng(0))
    three, one = found["a", "start", "believed"], found["b", "start", "believed"]
    assert (three.centre, three.n) == (35.0, 3)  # (15 + 25 + 65) / 3
    # Of 27 equally likely resamples one is the lowest seed thrice and one the highest: 3.7 % each, more than 2.5 %.
    assert (three.low, three.high) == (15.0, 65.0)
    assert (one.centre, one.n) == (8.0, 1)
    assert np.isnan(one.low)


def test_groups_and_labels(tmp_path: Path) -> None:
    settings = TrainSettings(steps=5)
    made = [
        ("q-learning", {"gamma": 0.9}, {}, "a/x"),
        ("sarsa", {"gamma": 0.9}, {}, "a/y"),
        ("q-learning", {"gamma": 0.5}, {}, "b/x"),
        ("q-learning", {"gamma": 0.9}, {"slip": 0.1}, "b/z"),
    ]
    runs = [
        start(agent, ProblemSettings(env="dense-small-v0", coins=2, **problem), settings, options, out=tmp_path / path)
        for agent, options, problem, path in made
    ]
    groups = grouped(runs)
    first, third = str(tmp_path / "a" / "x"), str(tmp_path / "b" / "x")
    assert [list(group.runs) for group in groups] == [[first, "sarsa"], [third], ["z"]]
    assert [group.gamma for group in groups] == [0.9, 0.5, 0.9]
    assert groups[0].level == groups[1].level != groups[2].level
    assert list(grouped(runs[:2])[0].runs) == ["q-learning", "sarsa"]


def test_what_cannot_be_measured_is_said(tmp_path: Path) -> None:
    run = trained(tmp_path / "a")
    with pytest.raises(UserError, match="unknown set of states 'vistied'; did you mean 'visited'"):
        measure(run, states=["vistied"])
    with pytest.raises(UserError, match="has no snapshot of step 7; it has: 0, 10, 20"):
        measure(run, steps=[7])
    cart = start("dqn", ProblemSettings(env="CartPole-v1"), TrainSettings(steps=5), {}, out=tmp_path / "cart")
    with pytest.raises(UserError, match="CartPole-v1 is no gridworld"):
        measure(cart, steps=[0])


def test_a_run_without_snapshots_is_measured_as_it_stands(tmp_path: Path) -> None:
    run = trained(tmp_path / "a")
    for path in run.folder.snapshots().values():
        path.unlink()
    assert list(measure(Run.load(run.folder.path), states=["start"])["step"].unique()) == [20]


def test_the_best_is_worked_out_once() -> None:
    level = Level.from_string(MAP, name="asked twice")
    assert known(level, 0.9) is known(Level.from_string(MAP, name="asked twice"), 0.9)
    assert known(level, 0.9) is not known(level, 0.8)
