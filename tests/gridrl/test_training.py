"""Training: stopping and resuming equals not stopping, byte for byte; a run is the same alone and in company."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gridrl import checkpoint
from gridrl.errors import UserError
from gridrl.interrupt import StopRequest
from gridrl.problem import ProblemSettings
from gridrl.run import Run
from gridrl.training import Training, start
from gridrl.training_settings import TrainSettings

SMALL_NET = {"hidden_sizes": (16,), "replay_capacity": 300, "min_replay_size": 40, "target_update_period": 25}
STOCHASTIC = ProblemSettings(env="dense-small-v0", coins=3, slip=0.2, reward_noise=1.0)


def begin(
    path: Path,
    agent: str = "dqn",
    problem: ProblemSettings = STOCHASTIC,
    seeds: tuple[int, ...] = (0, 1),
    steps: int = 700,
    eval_period: int = 100,
) -> Training:
    settings = TrainSettings(
        seeds=len(seeds), steps=steps, eval_period=eval_period, eval_episodes=2, checkpoint_period=150
    )
    return start(agent, problem, settings, SMALL_NET if agent == "dqn" else {}, seeds=seeds, out=path)


def results(path: Path) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    newest = sorted((path / "checkpoints").iterdir())[-1].read_bytes()
    snapshots = [(file.name, file.read_bytes()) for file in sorted((path / "snapshots").iterdir())]
    return (path / "metrics.csv").read_bytes(), newest, snapshots


class StopAt(StopRequest):
    """Asks for the end once a training has reached a step."""

    def __init__(self, training: Training, step: int) -> None:
        self.training, self.step = training, step

    def __bool__(self) -> bool:
        return self.training.step >= self.step


@pytest.mark.parametrize("agent", ["q-learning", "dqn"])
def test_stopped_at_any_step_and_resumed_equals_never_stopped(tmp_path: Path, agent: str) -> None:
    assert begin(tmp_path / "unbroken", agent).run()
    training = begin(tmp_path / "broken", agent)
    for step in (1, 39, 100, 333, 699):
        assert not training.run(StopAt(training, step))
        assert training.step == step
        training = Training.resume(tmp_path / "broken")
        assert training.step == step
    assert training.run()
    assert results(tmp_path / "broken") == results(tmp_path / "unbroken")


def test_a_command_that_is_killed_and_given_again_equals_never_stopped(tmp_path: Path) -> None:
    """Once, as a command takes its time to begin; `test_faults` kills more often."""
    steps = 1500
    assert begin(tmp_path / "unbroken", steps=steps).run()
    begin(tmp_path / "killed", steps=steps)
    command = [sys.executable, "-m", "gridrl", "resume", str(tmp_path / "killed")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        before = results_so_far(tmp_path / "killed")
        while process.poll() is None and results_so_far(tmp_path / "killed") == before:
            time.sleep(0.01)  # it is importing, or on its way to the first new result
        time.sleep(random.Random(0).uniform(0, 0.3))
        process.kill()
        _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors.decode()
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0
    assert results(tmp_path / "killed") == results(tmp_path / "unbroken")


def test_killed_before_the_first_checkpoint_it_begins_anew(tmp_path: Path) -> None:
    assert begin(tmp_path / "unbroken").run()
    begin(tmp_path / "killed")._measure()
    assert Training.resume(tmp_path / "killed").run()
    assert results(tmp_path / "killed") == results(tmp_path / "unbroken")


def results_so_far(path: Path) -> tuple[int, int]:
    return (path / "metrics.csv").stat().st_size, len(list((path / "checkpoints").iterdir()))


def test_ctrl_c_saves_and_tells_how_to_go_on(tmp_path: Path) -> None:
    begin(tmp_path / "run", steps=1_000_000)
    command = [sys.executable, "-m", "gridrl", "resume", str(tmp_path / "run")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not list((tmp_path / "run" / "checkpoints").iterdir()):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert f"gridrl resume {tmp_path / 'run'}" in " ".join(out.split())
    assert "Traceback" not in errors
    newest = sorted((tmp_path / "run" / "checkpoints").iterdir())[-1]
    assert checkpoint.load(newest)["step"] == int(newest.stem.removeprefix("step-"))


def test_a_run_is_the_same_alone_and_in_company(tmp_path: Path) -> None:
    together = begin(tmp_path / "together", seeds=(0, 1, 2), steps=300)
    alone = begin(tmp_path / "alone", seeds=(1,), steps=300)
    assert together.run()
    assert alone.run()
    many, one = together.metrics, alone.metrics
    many = many[many["run"] == 1].reset_index(drop=True)
    assert len(one) > 20
    assert many.equals(one)


@pytest.mark.parametrize("agent", ["q-learning", "dqn"])
def test_what_was_believed_on_the_way_is_kept(tmp_path: Path, agent: str) -> None:
    training = begin(tmp_path / "run", agent, ProblemSettings(env="dense-small-v0", coins=3), steps=450)
    believed = {0: training.agent.q_values(np.broadcast_to(training.obs[:1, None], (2, 1, *training.obs.shape[1:])))}
    obs = np.broadcast_to(training.obs[:1, None], (2, 1, *training.obs.shape[1:])).copy()
    for step in range(45, 451, 45):
        training.run(StopAt(training, step))
        believed[step] = training.agent.q_values(obs)
    run = Run.load(tmp_path / "run")
    assert run.snapshots == list(believed)
    for step in (90, 0, 450, 405):
        run.at(step)
        assert run.step == step
        np.testing.assert_array_equal(run.agent.q_values(obs), believed[step])
    with pytest.raises(UserError, match="no snapshot of step 91; it has: 0, 45, 90"):
        run.at(91)


def test_the_time_taken_goes_on_over_a_stop(tmp_path: Path) -> None:
    training = begin(tmp_path / "run", steps=300)
    training.run(StopAt(training, 150))
    training = Training.resume(tmp_path / "run")
    assert training.run()
    timing = training.folder.timing
    assert list(timing["step"]) == [0, 100, 200, 300]
    assert (timing["seconds"].diff().dropna() >= 0).all()


def test_a_level_run_can_be_loaded_when_the_level_file_is_gone(tmp_path: Path) -> None:
    level = tmp_path / "mine.txt"
    level.write_text("######\n#P $ #\n######\n")
    assert begin(tmp_path / "run", "q-learning", ProblemSettings(level=str(level)), steps=50, eval_period=50).run()
    level.unlink()
    assert Run.load(tmp_path / "run").problem.level.map[1] == "#P $ #"


def test_metrics_hold_what_the_documentation_says(tmp_path: Path) -> None:
    training = begin(tmp_path / "run", "q-learning", ProblemSettings(env="dense-small-v0", coins=2), steps=250)
    assert training.run()
    table = training.metrics
    assert list(table.columns) == ["run", "update", "step", "metric", "value"]
    assert sorted(table["step"].unique()) == [0, 100, 200, 250]
    evaluated = {"return", "discounted_return", "episode_length", "max_q_start"}
    evaluated |= {f"greedy_{name}" for name in evaluated - {"max_q_start"}}
    for _, rows in table.groupby("step"):
        assert evaluated <= set(rows["metric"])
    last = table[(table["step"] == 250) & (table["run"] == 1)].set_index("metric")["value"]
    assert {"epsilon", "train_return", "episodes"} <= set(last.index)
    assert last["greedy_episode_length"] <= training.problem.level.max_steps
    np.testing.assert_array_equal(training.final("epsilon"), [training.agent.epsilon] * 2)


def test_other_environments_train_and_resume_with_a_new_episode(tmp_path: Path) -> None:
    training = begin(tmp_path / "run", "dqn", ProblemSettings(env="CartPole-v1"), steps=200)
    assert training.run()
    assert not training.problem.saves_state
    resumed = Training.resume(tmp_path / "run")
    assert resumed.step == 200
    frozen = begin(tmp_path / "lake", "q-learning", ProblemSettings(env="FrozenLake-v1"), steps=200)
    assert frozen.run()


def test_a_mistake_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        begin(tmp_path / "run", problem=ProblemSettings(env="nothing-v0"))
    assert not (tmp_path / "run").exists()
