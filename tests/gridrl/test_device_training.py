"""A whole training on a device: evaluated, saved and resumed like one on the CPU."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gridrl.__main__ import main
from gridrl.problem import ProblemSettings
from gridrl.training import Training, start
from gridrl.training_settings import TrainSettings
from gridrl_agents.deep.on_device.home import Device

SMALL = {"hidden_sizes": (16,), "replay_capacity": 200, "min_replay_size": 40, "target_update_period": 25}


def begin(path: Path, steps: int) -> Training:
    settings = TrainSettings(seeds=3, steps=steps, eval_period=50, eval_episodes=2, checkpoint_period=50)
    return start("dqn", ProblemSettings(env="dense-small-v0", coins=3), settings, SMALL, out=path)


@pytest.mark.parametrize("device", ["cpu", *(["cuda"] if torch.cuda.is_available() else [])])
def test_a_training_moves_to_a_device_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    """The device's own replay, streams and transfers: on torch's CPU, and on a GPU where there is one."""
    begin(tmp_path / "cpu", 200).run()
    begin(tmp_path / "moved", 100).run()
    monkeypatch.setattr("gridrl_agents.deep.find_home.find_home", lambda name: Device(torch.device(device)))
    moved = Training.resume(tmp_path / "moved", "cuda")
    assert "on_device" in type(moved.agent._replay).__module__  # type: ignore[attr-defined]
    moved.folder.extend(200)
    Training.resume(tmp_path / "moved", "cuda").run()
    mine, theirs = (Training.resume(tmp_path / name).metrics for name in ("moved", "cpu"))
    keys = ["run", "update", "step", "metric"]
    assert mine[keys].equals(theirs[keys])
    np.testing.assert_allclose(mine["value"], theirs["value"], rtol=1e-3, atol=1e-3)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device that is asked for")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["q-learning", "--device", "cuda"], "q-learning learns on the cpu alone, not on 'cuda'"),
        (["dqn", "--device", "cuda"], "needs a torch that can use a GPU"),
        (["dqn", "--device", "cuda", "--processes", "2"], "one process works on cuda, got --processes 2"),
        (["dqn", "--device", "gpu"], "device"),
    ],
)
def test_a_device_that_cannot_be_had_is_told_before_a_folder_is_made(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
