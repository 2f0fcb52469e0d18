"""Runs in groups: sizes by what the cache holds, results that do not depend on them, one folder for all who read."""

import filecmp
from pathlib import Path

import numpy as np
import pytest

from gridrl import train
from gridrl.__main__ import main
from gridrl.errors import UserError
from gridrl.grouping import core_cache, group_sizes
from gridrl.interrupt import StopRequest
from gridrl.make_run import make_run_folder
from gridrl.parallel import jobs_of
from gridrl.problem import ProblemSettings
from gridrl.run import Run
from gridrl.run_folder import RunFolder
from gridrl.training import Training
from gridrl.training_settings import TrainSettings

MB = 2**20
SMALL_NET = {"hidden_sizes": (16,), "replay_capacity": 200, "min_replay_size": 40, "target_update_period": 25}
PROBLEM = ProblemSettings(env="dense-small-v0", coins=3, slip=0.2)


def folder_of(
    path: Path, agent: str = "dqn", processes: int = 2, together: bool = False, steps: int = 300
) -> RunFolder:
    settings = TrainSettings(steps=steps, eval_period=100, eval_episodes=2, checkpoint_period=200, processes=processes)
    chosen = SMALL_NET if agent == "dqn" else {}
    return make_run_folder(agent, PROBLEM, settings, chosen, seeds=(4, 7, 1, 0, 2), out=path, together=together)


def train_here(folder: RunFolder) -> None:
    """Train the groups one after the other, the last one first."""
    for group in reversed(folder.groups):
        assert Training.resume(group.path).run()
    folder.gather()


@pytest.mark.parametrize(
    ("runs", "run_bytes", "processes", "sizes"),
    [
        (16, 2 * MB, 2, [8, 8]),  # 8 caches of 2 MB hold 8 runs of 2 MB
        (17, 2 * MB, 2, [5, 4, 4, 4]),  # 9 at once are too many: two rounds for both processes
        (3, 2 * MB, 2, [2, 1]),
        (1, 2 * MB, 8, [1]),
        (5, 40 * MB, 1, [1, 1, 1, 1, 1]),  # not even one fits
        (5, 1000, 1, [5]),
        (5, 1000, 3, [2, 2, 1]),  # as it was asked for
    ],
)
def test_groups_fit_into_the_cache_and_keep_all_processes_busy(
    runs: int, run_bytes: int, processes: int, sizes: list[int]
) -> None:
    assert group_sizes(runs, run_bytes, processes, cache=2 * MB) == sizes


def test_a_table_keeps_to_one_process_and_networks_take_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridrl.grouping.num_cores", lambda: 4)
    assert group_sizes(100, 1024, cache=2 * MB) == [100]
    assert group_sizes(8, MB, cache=2 * MB) == [2, 2, 2, 2]
    assert group_sizes(2, MB, cache=2 * MB) == [1, 1]


def test_the_cache_is_the_second_levels_where_the_machine_tells_it(tmp_path: Path) -> None:
    for number, (level, size) in enumerate([("1", "48K"), ("1", "32K"), ("2", "512K"), ("3", "9216K")]):
        (tmp_path / f"index{number}").mkdir()
        (tmp_path / f"index{number}" / "level").write_text(level + "\n")
        (tmp_path / f"index{number}" / "size").write_text(size + "\n")
    assert core_cache(tmp_path) == 512 * 1024
    assert core_cache(tmp_path / "nowhere") == MB


@pytest.mark.parametrize("agent", ["q-learning", "dqn"])
def test_groups_learn_what_all_learn_together(tmp_path: Path, agent: str) -> None:
    train_here(grouped := folder_of(tmp_path / "grouped", agent))
    train_here(whole := folder_of(tmp_path / "whole", agent, together=True))
    assert [group.config.seeds for group in grouped.groups] == [[4, 7, 1], [0, 2]]
    assert filecmp.cmp(tmp_path / "grouped" / "metrics.csv", tmp_path / "whole" / "metrics.csv", shallow=False)
    assert grouped.metrics.equals(whole.metrics)
    assert list(grouped.timing["step"]) == list(whole.timing["step"]) == [0, 100, 200, 300]
    one, other = Run.load(grouped.path), Run.load(whole.path)
    assert one.step == other.step == 300
    assert one.agent.seeds == other.agent.seeds
    assert one.snapshots == other.snapshots
    obs = np.stack([one.problem.observation_space.sample() for _ in range(5)])[:, None]
    assert np.array_equal(one.agent.q_values(obs), other.agent.q_values(obs))
    one.at(120)
    other.at(120)
    assert np.array_equal(one.agent.q_values(obs), other.agent.q_values(obs))


def test_the_time_of_groups_is_that_of_all_processes(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "run")
    for group, seconds in zip(folder.groups, (2.0, 3.0), strict=True):
        group.append_timing(0, 0.5)
        group.append_timing(100, seconds)
    folder.groups[0].append_timing(200, 9.0)  # the other one is not there yet
    assert folder.timing.values.tolist() == [[0, 1.0], [100, 5.0]]


def test_groups_that_were_stopped_at_different_steps(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "run")
    first, second = folder.groups
    with pytest.raises(UserError, match="no checkpoint yet"):
        Run.load(folder.path)
    assert Training.resume(first.path).run()
    assert (folder.step, [job.folder for job in jobs_of("dqn", folder)]) == (0, [second.path])
    with pytest.raises(UserError, match="no checkpoint yet"):
        Run.load(folder.path)
    stop = StopRequest()
    stop.signal = 2
    assert not Training.resume(second.path).run(stop)
    assert Run.load(folder.path).step == folder.step == 1


def test_a_grouped_run_is_not_trained_as_one(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "run")
    with pytest.raises(UserError, match=r"learns in groups, .*groups/0, .*groups/1; resume these"):
        Training.resume(folder.path)


def test_the_commands_train_resume_and_read_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--seeds", "3", "--steps", "200", "--eval-period", "100", "--eval-episodes", "1"]
    agent = ["q-learning", "--env", "dense-small-v0", "--coins", "2"]
    assert main(["train", *agent, *options, "--processes", "2", "--out", "run"]) == 0
    told = capsys.readouterr().out
    assert "3 run(s) of 200 steps in 2 groups, into run" in told
    assert "greedy return" in told
    assert main(["train", *agent, *options, "--processes", "1", "--out", "whole"]) == 0
    assert filecmp.cmp("run/metrics.csv", "whole/metrics.csv", shallow=False)

    assert main(["resume", "run", "--steps", "300"]) == 0
    assert RunFolder.open("run").step == 300
    for command in (["evaluate", "run"], ["map", "run"], ["explain", "run", "--seed", "2"], ["bias", "run"]):
        assert main(command) == 0, command
    assert main(["resume", "run"]) == 0
    assert "run is complete at step 300" in capsys.readouterr().out


def test_python_trains_groups_too(tmp_path: Path) -> None:
    settings = {"env": "dense-small-v0", "coins": 2, "steps": 100, "eval_period": 100, "eval_episodes": 1}
    apart = train("q-learning", seeds=2, out=tmp_path / "apart", processes=2, **settings)
    together = train("q-learning", seeds=2, out=tmp_path / "together", **settings)
    assert len(apart.folder.groups) == 2
    assert len(together.folder.groups) == 1
    assert apart.metrics.equals(together.metrics)
