"""Checkpoints: what goes in comes out; whatever is damaged is refused by name; nothing is ever executed."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from gridrl import checkpoint
from gridrl.errors import UserError


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
