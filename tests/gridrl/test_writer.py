"""Writing while a training goes on: in order, one at a time, with nothing lost, and nothing that goes wrong hidden."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridrl import checkpoint
from gridrl.errors import UserError
from gridrl.problem import ProblemSettings
from gridrl.training import Training, start
from gridrl.training_settings import TrainSettings
from gridrl.writer import Writer
from gridrl_agents.tabular.q_learning import QLearning
from gridrl_agents.tabular.settings import RuleSettings

PATIENCE = 30.0  # seconds, for what happens at once where all is right
NET = {"hidden_sizes": (16,), "replay_capacity": 300, "min_replay_size": 40}


def begin(path: Path) -> Training:
    """Return a training of 400 steps, with a snapshot and a checkpoint at 100, 200, 300 and the end."""
    settings = TrainSettings(
        seeds=2, steps=400, eval_period=100, eval_episodes=2, checkpoint_period=100, snapshot_period=100
    )
    return start("dqn", ProblemSettings(env="dense-small-v0", coins=3), settings, NET, seeds=(0, 1), out=path)


def contents(path: Path) -> dict[str, bytes]:
    files = [path / "metrics.csv", *(path / "checkpoints").glob("step-*"), *(path / "snapshots").glob("step-*")]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def test_one_at_a_time_and_all_before_the_end() -> None:
    may_end, written = threading.Event(), []

    def slow(number: int) -> None:
        assert may_end.wait(PATIENCE)
        written.append(number)

    with Writer() as writer:
        writer.begin(slow, 1)
        assert written == []  # begun, and not waited for
        second = threading.Thread(target=writer.begin, args=(slow, 2))
        second.start()
        second.join(0.05)
        assert second.is_alive()
        may_end.set()
        second.join(PATIENCE)
        assert written[0] == 1
    assert written == [1, 2]


def test_what_goes_wrong_is_raised_next_time_or_at_the_end() -> None:
    def fail(what: str) -> None:
        raise UserError(what)

    written: list[str] = []
    with Writer() as writer:
        writer.begin(fail, "first")
        with pytest.raises(UserError, match="first"):
            writer.begin(written.append, "never")
        writer.begin(written.append, "then")
    assert written == ["then"]
    with pytest.raises(UserError, match="second"), Writer() as writer:
        writer.begin(fail, "second")


def test_what_goes_wrong_otherwise_is_told_first() -> None:
    def fail() -> None:
        raise UserError("the disk")

    def interrupted() -> None:
        with Writer() as writer:
            writer.begin(fail)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()


def test_learning_goes_on_while_a_checkpoint_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each checkpoint is held up until the training is 50 steps further; and it holds what was when it was begun."""
    assert begin(tmp_path / "usual").run()
    training, save, held = begin(tmp_path / "slow"), checkpoint.save, []

    def slow(path: Path, state: Any) -> None:
        if path.parent.name == "checkpoints" and state["step"] < 400:
            deadline = time.monotonic() + PATIENCE
            while training.step < state["step"] + 50:
                assert time.monotonic() < deadline
                time.sleep(0.001)
            held.append(state["step"])
        save(path, state)

    monkeypatch.setattr(checkpoint, "save", slow)
    assert training.run()
    assert held == [100, 200, 300]
    assert contents(tmp_path / "slow") == contents(tmp_path / "usual")


class Live(QLearning):
    """Q-learning of a user's, who gives away the table that it goes on to learn in."""

    Settings = RuleSettings

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"table": self.table}


def test_an_agent_of_the_users_may_give_the_arrays_that_it_learns_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, tables = checkpoint.save, {}

    def slow(path: Path, state: Any) -> None:
        if "table" in state.get("agent", {}):
            tables[state["step"]] = state["agent"]["table"].copy()
            time.sleep(0.05)
            np.testing.assert_array_equal(state["agent"]["table"], tables[state["step"]])
        save(path, state)

    monkeypatch.setattr(checkpoint, "save", slow)
    settings = TrainSettings(steps=400, eval_period=400, checkpoint_period=100, snapshot_period=400)
    monkeypatch.setitem(sys.modules, "users_agents", sys.modules[__name__])
    problem = ProblemSettings(env="dense-small-v0", coins=3)
    assert start("users_agents:Live", problem, settings, {}, out=tmp_path / "run").run()
    assert len(tables) == 4
    assert not np.array_equal(tables[100], tables[200])


def test_a_full_disk_is_told_and_what_was_saved_is_intact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert begin(tmp_path / "usual").run()
    training, save = begin(tmp_path / "full"), checkpoint.save

    def full(path: Path, state: Any) -> None:
        if state.get("step") == 200:
            raise OSError(28, "No space left on device", str(path))
        save(path, state)

    monkeypatch.setattr(checkpoint, "save", full)
    with pytest.raises(UserError, match=r"cannot write .*step-0000000200\.safetensors: No space left on device; free"):
        training.run()
    assert 200 < training.step <= 300
    monkeypatch.undo()
    assert checkpoint.load(training.folder.checkpoints()[-1])["step"] == 100
    resumed = Training.resume(tmp_path / "full")
    assert resumed.step == 100
    assert resumed.run()
    assert contents(tmp_path / "full") == contents(tmp_path / "usual")


KILLED_WHILE_WRITING = """
import sys, time
from pathlib import Path
import safetensors.numpy
from gridrl.training import Training

path, save_file = Path(sys.argv[1]), safetensors.numpy.save_file

def half(arrays, file, metadata):
    save_file(arrays, file, metadata)
    if "step-0000000200" in str(file) and "checkpoints" in str(file):
        Path(file).write_bytes(Path(file).read_bytes()[:1000])
        print("half", flush=True)
        time.sleep(60)

safetensors.numpy.save_file = half
Training.resume(path).run()
"""


def test_killed_in_the_middle_of_a_checkpoint_the_one_before_is_gone_on_from(tmp_path: Path) -> None:
    assert begin(tmp_path / "usual").run()
    begin(tmp_path / "killed")
    command = [sys.executable, "-c", KILLED_WHILE_WRITING, str(tmp_path / "killed")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.kill()
    training = Training.resume(tmp_path / "killed")
    assert training.step == 100
    assert training.run()
    assert contents(tmp_path / "killed") == contents(tmp_path / "usual")
