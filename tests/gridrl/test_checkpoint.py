"""Checkpoints: what goes in comes out; whatever is damaged is refused by name; nothing is ever executed."""

import copy
import os
import pickle
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridrl import checkpoint
from gridrl.errors import UserError
from gridrl.loop import steps
from gridrl.problem import ProblemSettings
from gridrl.recorder import Recorder
from gridrl.run import make_problem
from gridrl_agents.registry import agent_names, make, settings_class


def a_state() -> dict:
    rng = np.random.default_rng(7)
    return {
        "step": 120,
        "agent": {
            "weights": rng.normal(size=(3, 50)).astype(np.float32),
            "replay": {"obs": rng.integers(0, 2, (40, 3, 8)).astype(np.uint8), "flags": rng.random(9) < 0.5},
            "generator": {"state": 2**127 + 5, "inc": 3},
            "empty": {},
            "names": ["a", "b"],
            "none": None,
            "scalar": np.float64(0.1) * 3,
            "nothing": np.zeros((0, 4)),
        },
    }


def assert_same(found: object, expected: object) -> None:
    if isinstance(expected, dict):
        assert isinstance(found, dict)
        assert found.keys() == expected.keys()
        for key in expected:
            assert_same(found[key], expected[key])
    elif isinstance(expected, np.ndarray):
        assert isinstance(found, np.ndarray)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "one.safetensors", a_state())
    assert_same(checkpoint.load(tmp_path / "one.safetensors"), a_state())
    assert os.listdir(tmp_path) == ["one.safetensors"]


@pytest.mark.parametrize("name", agent_names())
def test_what_an_agent_saves_does_not_change_while_it_learns_on(name: str) -> None:
    """It is written while the training goes on."""
    problem = make_problem(name, ProblemSettings(env="dense-small-v0", coins=3))
    small = {"replay_capacity": 64, "min_replay_size": 40, "refit_period": 30}
    settings = {field: value for field, value in small.items() if hasattr(settings_class(name)(), field)}
    spaces = problem.observation_space, problem.action_space
    agent = make(name, *spaces, [0, 1], return_bounds=(-300.0, 300.0), **settings)
    env = problem.make_vector(2, learning=True)
    obs, _ = env.reset(seed=[0, 1])
    learning, recorder = steps(agent, env, obs), Recorder([0, 1])

    def saved() -> dict[str, Any]:
        world: Any = env.unwrapped
        return {"agent": agent.state_dict(), "recorder": recorder.state_dict(), "env": world.state_dict()}

    for step in islice(learning, 90):
        recorder.consume(step)
    state = saved()
    before = copy.deepcopy(state)
    for step in islice(learning, 60):
        recorder.consume(step)
    assert_same(state, before)
    with pytest.raises(AssertionError):
        assert_same(saved(), before)


def test_same_state_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        checkpoint.save(tmp_path / name, a_state())
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("sixteenths", range(16))
def test_truncated_is_refused_by_name(tmp_path: Path, sixteenths: int) -> None:
    path = tmp_path / "cut.safetensors"
    checkpoint.save(path, a_state())
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * sixteenths // 16])
    with pytest.raises(UserError, match=r"cut\.safetensors is damaged"):
        checkpoint.load(path)


def test_one_flipped_bit_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flipped.safetensors"
    checkpoint.save(path, a_state())
    data = path.read_bytes()
    for place in [*range(0, 300), *range(300, len(data), 37)]:
        changed = bytearray(data)
        changed[place] ^= 1 << (place % 8)
        path.write_bytes(changed)
        with pytest.raises(UserError, match=r"flipped\.safetensors"):
            checkpoint.load(path)


def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "FORMAT", 99)
    checkpoint.save(tmp_path / "new", a_state())
    monkeypatch.undo()
    with pytest.raises(UserError, match=r"has checkpoint format 99, this gridrl reads format 1"):
        checkpoint.load(tmp_path / "new")


class Payload:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("executed"),))


def test_a_pickle_under_its_name_is_never_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("evil.safetensors").write_bytes(pickle.dumps(Payload()))
    with pytest.raises(UserError, match="damaged"):
        checkpoint.load(Path("evil.safetensors"))
    assert not Path("executed").exists()
    pickle.loads(Path("evil.safetensors").read_bytes())
    assert Path("executed").exists(), "the payload would have worked"


def test_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        checkpoint.load(tmp_path / "nothing")


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    """The system itself ends the writing here: no file may be longer than 1000 bytes."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "kept"
    checkpoint.save(path, a_state())
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            checkpoint.save(path, {"array": np.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["kept"]


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"old")

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["kept"]
