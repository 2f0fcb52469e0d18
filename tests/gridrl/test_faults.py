"""What can go wrong while a run learns, done for real: what was saved stays good, and a sentence says what to do."""

import contextlib
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.faults import count_damages, count_kills
from gridrl import checkpoint
from gridrl.__main__ import main
from gridrl.errors import UserError
from gridrl.problem import ProblemSettings
from gridrl.training import Training, start
from gridrl.training_settings import TrainSettings

PATIENCE = 60.0  # seconds, for what takes a few
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals, terminals and permissions")


def begin(path: Path, steps: int = 400) -> Training:
    problem = ProblemSettings(env="dense-small-v0", coins=3, slip=0.2, reward_noise=1.0)
    settings = TrainSettings(steps=steps, eval_period=100, eval_episodes=1, checkpoint_period=100)
    net = {"hidden_sizes": (16,), "replay_capacity": 1000, "min_replay_size": 40}
    return start("dqn", problem, settings, net, seeds=(0, 1), out=path)


def files_of(path: Path) -> dict[str, bytes]:
    files = [path / "metrics.csv", *(path / "checkpoints").iterdir(), *(path / "snapshots").iterdir()]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    training = begin(tmp_path_factory.mktemp("unbroken") / "run")
    assert training.run()
    return files_of(training.folder.path)


def at_step(step: int, do: Callable[[], object]) -> Callable[[int, object], None]:
    """Return what does something once a training has come to a step and its files are written."""

    def on_progress(reached: int, rows: object) -> None:
        if reached == step:
            do()

    return on_progress


def wait_for(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


@posix
@pytest.mark.parametrize("while_writing", [False, True])
def test_killed_again_and_again(while_writing: bool) -> None:
    """Some kills of the hundred that `python -m benchmarks.faults` does."""
    count, halves = count_kills(3, random.Random(3), while_writing, steps=400, per_run=3)
    assert (count.tried, count.lost) == (3, 0)
    assert halves or not while_writing, "none was hit while it wrote"


def test_what_a_killed_process_left_half_written_is_removed(tmp_path: Path) -> None:
    training = begin(tmp_path / "run")
    names = ["checkpoints/.step-0000000100.safetensors.7.tmp", "snapshots/.tmpwWtf6Q", ".metrics.csv.7.tmp"]
    for name in names:
        (tmp_path / "run" / name).write_bytes(b"half of it")
    assert training.run()
    assert not list((tmp_path / "run").rglob("*tmp*"))


def test_damaged_checkpoints_are_refused() -> None:
    for fault, count in count_damages(60, random.Random(0)).items():
        assert count.tried >= 16
        assert count.lost == 0, fault


class Payload:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("executed"),))


@pytest.mark.parametrize("damage", ["pickle", "flipped", "another version"])
def test_what_is_refused_says_what_to_do_and_that_works(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    unbroken: dict[str, bytes],
    damage: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    training = begin(Path("run"))
    with pytest.raises(KeyboardInterrupt):
        training.run(on_progress=at_step(300, _interrupt))
    _, newest = training.folder.checkpoints()
    if damage == "pickle":
        newest.write_bytes(pickle.dumps(Payload()))
    elif damage == "flipped":
        data = bytearray(newest.read_bytes())
        data[-1000] ^= 1
        newest.write_bytes(data)
    else:
        with monkeypatch.context() as patched:
            patched.setattr(checkpoint, "FORMAT", 99)
            checkpoint.save(newest, {"step": 200})
    for command in (["resume", "run"], ["evaluate", "run"], ["map", "run"]):
        assert main(command) == 2
        told = capsys.readouterr().err
        assert str(newest) in told
        assert "remove it to go on from an older one" in told
        assert len(told.strip().splitlines()) == 1
    assert not Path("executed").exists()
    newest.unlink()
    assert main(["resume", "run"]) == 0
    assert "going on from step 100" in capsys.readouterr().out
    assert files_of(Path("run")) == unbroken


def _interrupt() -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def small_disk(path: Path, size: str) -> Iterator[Path]:
    """Mount a disk of this size, which root may do, and not in every container."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here: that takes root, and a container that allows it")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def test_the_disk_is_full(tmp_path: Path, capsys: pytest.CaptureFixture[str], unbroken: dict[str, bytes]) -> None:
    with small_disk(tmp_path / "disk", "288k") as disk:
        training = begin(disk / "run")
        assert main(["resume", str(disk / "run")]) == 2
        told = capsys.readouterr().err
        assert f"cannot write {disk / 'run'}" in told
        assert "No space left on device; free space" in told
        assert len(told.strip().splitlines()) == 1
        saved = training.folder.checkpoints()
        assert saved
        assert [checkpoint.load(path)["step"] for path in saved][-1] < 400
        assert main(["resume", str(disk / "run")]) == 2  # still full
        assert training.folder.checkpoints()[-1] == saved[-1]
        subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        assert main(["resume", str(disk / "run")]) == 0
        assert files_of(disk / "run") == unbroken


@posix
@pytest.mark.parametrize("is_moved", [True, False])
def test_the_folder_is_taken_away(tmp_path: Path, unbroken: dict[str, bytes], is_moved: bool) -> None:
    training = begin(tmp_path / "run")

    def take_away() -> None:
        (tmp_path / "run").rename(tmp_path / "elsewhere")
        if not is_moved:
            shutil.rmtree(tmp_path / "elsewhere")

    with pytest.raises(UserError, match=r"run was removed or moved while it was written; .* gridrl resume goes on"):
        training.run(on_progress=at_step(300, take_away))
    assert not (tmp_path / "run").exists()
    if is_moved:
        resumed = Training.resume(tmp_path / "elsewhere")
        assert resumed.step == 200
        assert resumed.run()
        assert files_of(tmp_path / "elsewhere") == unbroken


def resume(path: Path, prefix: Sequence[str] = (), **options: object) -> subprocess.Popen[str]:
    """Begin `gridrl resume` in a process of its own, and wait until it has saved something."""
    command = [*prefix, sys.executable, "-m", "gridrl", "resume", str(path)]
    process = subprocess.Popen(command, text=True, **options)  # type: ignore[call-overload]
    wait_for(lambda: process.poll() is not None or list((path / "checkpoints").glob("step-*")))
    assert process.poll() is None
    return process


@posix
def test_no_permission_any_more(tmp_path: Path) -> None:
    as_anybody: list[str] = []
    if os.geteuid() == 0:  # root may write everywhere, unless it gives that up
        if shutil.which("setpriv") is None:
            pytest.skip("root may write everywhere, and there is no setpriv to give that up")
        as_anybody = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    path = tmp_path / "run"
    training = begin(path, steps=1_000_000)
    folders = [path, *(inner for inner in path.iterdir() if inner.is_dir())]
    with resume(path, as_anybody, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        for folder in folders:
            folder.chmod(0o500)
        _, errors = process.communicate(timeout=PATIENCE)
        for folder in folders:
            folder.chmod(0o700)
    assert process.returncode == 2, errors
    assert f"cannot write {path}" in errors
    assert "Permission denied; free space or choose another folder" in errors
    assert len(errors.strip().splitlines()) == 1
    assert Training.resume(path).step == training.folder.step > 0


@posix
def test_a_second_process_is_refused_and_a_hang_up_saves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run"
    training = begin(path, steps=1_000_000)
    with resume(path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert main(["resume", str(path)]) == 2
        told = capsys.readouterr().err
        assert f"{path} is being written by process {process.pid} on " in told
        assert len(told.strip().splitlines()) == 1
        process.send_signal(signal.SIGHUP)
        out, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130, errors
        step = training.folder.step
        assert f"Stopped at step {step} of 1000000; all is saved. To go on:" in " ".join(out.split())
        assert f"gridrl resume {path}" in out
        assert "Traceback" not in errors
    assert checkpoint.load(training.folder.checkpoints()[-1])["step"] == step


SLOW_DISK = """
import sys, time
from pathlib import Path
import safetensors.numpy
from gridrl.__main__ import main

save_file = safetensors.numpy.save_file

def slow(arrays, file, metadata):
    save_file(arrays, file, metadata)
    if "checkpoints" in str(file) and "200" in str(file):
        Path(file).write_bytes(Path(file).read_bytes()[:1000])
        time.sleep(600)

safetensors.numpy.save_file = slow
sys.exit(main(["resume", sys.argv[1]]))
"""


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGHUP, -signal.SIGHUP)])
def test_asked_twice_it_leaves_at_once(tmp_path: Path, number: int, code: int, unbroken: dict[str, bytes]) -> None:
    """Even if a checkpoint is being written, and the disk does not answer."""
    training = begin(tmp_path / "run")
    command = [sys.executable, "-c", SLOW_DISK, str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for(lambda: process.poll() is not None or list((tmp_path / "run" / "checkpoints").glob(".step*200*")))
            process.send_signal(number)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(1.0)  # the first time, it waits for what is being written
            process.send_signal(number)
            _, errors = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert [checkpoint.load(path)["step"] for path in training.folder.checkpoints()] == [100]
    assert Training.resume(tmp_path / "run").run()
    assert files_of(tmp_path / "run") == unbroken


@posix
def test_the_terminal_is_closed(tmp_path: Path) -> None:
    import pty

    training = begin(tmp_path / "run", steps=1_000_000)
    terminal, own_end = pty.openpty()
    ends = {"stdin": own_end, "stdout": own_end, "stderr": own_end}

    def take_it() -> None:
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = resume(tmp_path / "run", **ends, start_new_session=True, preexec_fn=take_it)
    try:
        os.close(own_end)
        before = training.folder.step
        os.close(terminal)
        process.wait(PATIENCE)
    finally:
        process.kill()
    assert process.returncode not in (0, -signal.SIGHUP)
    step = training.folder.step
    assert step > before
    assert step % 100 != 0 or step > before + 100
    assert checkpoint.load(training.folder.checkpoints()[-1])["step"] == step
