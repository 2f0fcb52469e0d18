"""Sweeps on Dask: whatever happens to a worker, the scheduler or the driver, the files are the serial engine's."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from rich.console import Console

from gridrl.__main__ import main
from gridrl.errors import UserError
from gridrl.make_run import make_config
from gridrl.problem import ProblemSettings
from gridrl.run_config import RunConfig
from gridrl.sweeps import dask_driver
from gridrl.sweeps.dask_engine import DaskEngine
from gridrl.sweeps.engine import Engine, EngineSettings, Progress, make_engine
from gridrl.sweeps.mark import marked
from gridrl.sweeps.results import Results
from gridrl.sweeps.run import run_configs
from gridrl.sweeps.shard import Shard
from gridrl.training_settings import TrainSettings

LONGEST = 60.0  # seconds to wait for anything
PATIENCE = 4.0  # seconds for a worker that says nothing


def a_config(steps: int = 200, gamma: float = 0.9) -> RunConfig:
    problem = ProblemSettings(env="dense-small-v0", coins=2)
    training = TrainSettings(seeds=2, steps=steps, eval_period=100, eval_episodes=1, checkpoint_period=60)
    return make_config("q-learning", problem, training, {"gamma": gamma})


def a_long_config() -> RunConfig:
    """Some seconds of training, with checkpoints and snapshots at the multiples of PERIODS."""
    config = a_config(steps=40_000)
    return dataclasses.replace(config, eval_period=1000, checkpoint_period=PERIODS[0], snapshot_period=PERIODS[1])


PERIODS = 997, 4000


def do(configs: Sequence[RunConfig], engine: Engine, folder: Path) -> dict[str, bytes]:
    """Do all configs; return the files that hold the results."""
    run_configs(configs, [str(number) for number in range(len(configs))], engine, folder, Console(quiet=True))
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "results").iterdir()}


def serial(configs: Sequence[RunConfig], folder: Path) -> dict[str, bytes]:
    """What the serial engine writes; done once in all tests for the same configs."""
    name = repr(configs)
    if name not in WRITTEN:
        WRITTEN[name] = do(configs, make_engine(EngineSettings(engine="serial")), folder / "serial")
    return WRITTEN[name]


WRITTEN: dict[str, dict[str, bytes]] = {}


def joined(address: str, patience: float = LONGEST) -> DaskEngine:
    return DaskEngine(EngineSettings(engine="dask", scheduler=address), patience)


def until(what: Callable[[], object], why: str) -> None:
    deadline = time.monotonic() + LONGEST
    while not what():
        assert time.monotonic() < deadline, why
        time.sleep(0.02)


class Cluster(NamedTuple):
    address: str
    scheduler: subprocess.Popen[bytes]


@contextmanager
def program(*arguments: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Python program in a session of its own, ended with all that it started."""
    with log.open("ab") as file:
        process = subprocess.Popen([sys.executable, *arguments], stdout=file, stderr=file, start_new_session=True)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(LONGEST)


@contextmanager
def cluster(folder: Path, num_workers: int, *worker_options: str, both: Sequence[str] = ()) -> Iterator[Cluster]:
    """A scheduler and workers on loopback, all of them ready; `both`: options of both."""
    number = len(list(folder.glob("scheduler-*")))
    file, log = folder / f"scheduler-{number}.json", folder / f"workers-{number}.log"
    http = ("--no-dashboard", "--dashboard-address", "127.0.0.1:0")
    common = ("--host", "127.0.0.1", "--scheduler-file", str(file), *http, *both)
    # The scheduler, and its workers with it, ends by itself where a test was killed that had started it.
    begin = ("-m", "distributed.cli.dask_scheduler", "--port", "0", "--idle-timeout", "300", *common)
    join = ("-m", "distributed.cli.dask_worker", "--nthreads", "1", *common, *worker_options)
    with ExitStack() as stack:
        process = stack.enter_context(program(*begin, log=folder / "scheduler.log"))
        for number in range(num_workers):
            scratch = ("--local-directory", str(folder / f"scratch-{number}"))
            stack.enter_context(program(*join, *scratch, log=log))
        until(lambda: file.exists() and file.read_text().endswith("}"), "no scheduler")
        until(lambda: not num_workers or log.read_text().count("Registered to") == num_workers, "no workers")
        yield Cluster(json.loads(file.read_text())["address"], process)


@pytest.fixture(autouse=True)
def deadline() -> Iterator[None]:
    """An engine that waits for ever fails its test."""

    def give_up(*_: object) -> None:
        pytest.fail("nothing comes to an end here")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(int(2 * LONGEST))
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cluster of two good workers."""
    with cluster(tmp_path_factory.mktemp("cluster"), 2, "--no-nanny") as found:
        yield found.address


def test_a_local_cluster_gives_the_serial_engines_files_also_when_its_workers_are_killed(tmp_path: Path) -> None:
    configs = [a_config(steps=500), a_config(gamma=0.5), a_config(gamma=0.7)]
    killed = []

    def kill_all() -> None:
        if not killed:
            for child in psutil.Process().children(recursive=True):
                if "spawn_main" in " ".join(child.cmdline()):
                    child.kill()
                    killed.append(child.pid)

    told: list[Progress] = []

    def tell(progress: Progress) -> None:
        told.append(progress)
        kill_all()

    engine = make_engine(EngineSettings(engine="dask", processes=1))
    engine.run([Shard.of(config) for config in configs], tmp_path / "dask", tell)
    assert len(killed) == 1
    assert contents(tmp_path / "dask") == serial(configs, tmp_path)
    assert sorted(progress.shard for progress in told if progress.reached is None) == [0, 1, 2]
    assert [path.suffix for path in (tmp_path / "dask" / "work").iterdir()] == [
        ".lock"
    ] * 3  # nothing is left lying about


# A worker's preload: the first time that a shard comes by step 100, when a checkpoint of step 60 is there, it does what
# is asked. Every step that is reported is written down.
EVIL = """
import os, signal, time
from pathlib import Path
from gridrl import training  # now, not when the patience runs
from gridrl.sweeps import dask_worker
from gridrl.sweeps.work import do_shard
folder, how = Path({folder!r}), {how!r}

def evil_shard(shard, where, say, stop, *patience):
    (folder / f"begun-{{len(list(folder.glob('begun-*')))}}").touch()
    is_first = not (folder / "begun-1").exists()

    def report(reached):
        with (folder / "steps").open("a") as file:
            print("first" if is_first else "second", reached.step, file=file)
        say(reached)
        if is_first and reached.step == 100:
            time.sleep(.1)  # what was said is on its way
            if how == "dies":
                os.kill(os.getpid(), signal.SIGKILL)
            if how == "freezes":
                os.kill(os.getpid(), signal.SIGSTOP)
            if how == "hangs":
                time.sleep(600)

    if how == "answers late" and not is_first:
        time.sleep(1)  # the first answers meanwhile
    do_shard(shard, where, report, stop, *patience)
    while how == "answers late" and is_first and not (folder / "begun-1").exists():
        time.sleep(.05)

dask_worker.do_shard = evil_shard
"""


@pytest.mark.parametrize(
    ("how", "nanny", "again"),
    [
        ("dies", False, [100, 200]),  # from its checkpoint
        ("hangs", True, [100, 200]),  # the same
        ("freezes", False, [1, 100, 200]),  # it holds the lock for ever, so that it must be done elsewhere
        ("answers late", False, []),  # it was done already
    ],
)
def test_the_shard_of_a_worker_that_is_lost_is_given_to_another(
    tmp_path: Path, how: str, nanny: bool, again: list[int]
) -> None:
    (tmp_path / "evil.py").write_text(EVIL.format(folder=str(tmp_path), how=how))
    options = ("--preload", str(tmp_path / "evil.py"), "--nanny" if nanny else "--no-nanny")
    with cluster(tmp_path, 1 if nanny else 2, *options) as found:
        files = do([a_config()], joined(found.address, 10 * LONGEST if how == "dies" else PATIENCE), tmp_path / "dask")
    assert files == serial([a_config()], tmp_path)
    steps = [line.split() for line in (tmp_path / "steps").read_text().splitlines()]
    assert [int(step) for who, step in steps if who == "first"][:2] == [1, 100]
    assert [int(step) for who, step in steps if who == "second"] == again


def test_a_shard_that_kills_every_worker_is_given_up_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_driver, "ATTEMPTS", 2)
    (tmp_path / "evil.py").write_text(
        "import os\nfrom gridrl.sweeps import dask_worker\ndask_worker.do_shard = lambda *_: os._exit(7)"
    )
    with (
        cluster(tmp_path, 2, "--preload", str(tmp_path / "evil.py"), "--no-nanny") as found,
        pytest.raises(UserError, match=r"shard [0-9a-f]{24}: 2 workers were lost at it, .* ended early; out of memory"),
    ):
        do([a_config()], joined(found.address), tmp_path / "dask")


def test_a_worker_that_does_not_see_the_folder_sends_bytes(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def keep(results: Results, shard: Shard, metrics: bytes) -> None:
        seen.extend(os.listdir(results.folder / "work"))
        KEEP(results, shard, metrics)

    def order(shard: str, folder: str, mark: str, was_lost: bool, patience: float) -> dask_driver.Order:
        return ORDER(shard, folder, "/nowhere", was_lost, patience)

    monkeypatch.setattr(dask_driver, "Order", order)
    monkeypatch.setattr(Results, "keep", keep)
    files = do([a_config()], joined(address), tmp_path / "dask")
    assert len(seen) == 1  # the mark alone: the worker had a folder of its own
    monkeypatch.undo()
    assert files == serial([a_config()], tmp_path)


ORDER, KEEP = dask_driver.Order, Results.keep


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_scheduler_that_is_gone_or_hangs_costs_nothing(
    tmp_path: Path, address: str, how: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_driver, "SILENCE", 2.0)
    configs = [a_long_config(), a_config(gamma=0.5)]
    with cluster(tmp_path, 1, "--no-nanny") as found:

        def end_it(progress: Progress) -> None:
            until(lambda: any((tmp_path / "dask").rglob("step-*.safetensors")), "no checkpoint")
            found.scheduler.send_signal(how)

        with pytest.raises(UserError, match=r"the scheduler is gone.*not lost.*the same command goes on"):
            joined(found.address).run([Shard.of(config) for config in configs], tmp_path / "dask", end_it)
    assert len(contents(tmp_path / "dask")) < 2
    assert do(configs, joined(address), tmp_path / "dask") == serial(configs, tmp_path)


DRIVER = """
import sys
from pathlib import Path
from rich.console import Console
from gridrl.sweeps.engine import EngineSettings, make_engine
from gridrl.sweeps.run import run_configs
sys.path.insert(0, {tests!r})
from test_dask_engine import a_config, a_long_config
if __name__ == "__main__":
    configs = [a_long_config(), a_config(gamma=.5)]
    settings = EngineSettings(engine="dask", processes=1, scheduler={scheduler!r})
    try:
        run_configs(configs, ["a", "b"], make_engine(settings), Path({folder!r}), Console(quiet=True))
    except KeyboardInterrupt:
        print("stopped")
        sys.exit(130)
"""


@pytest.mark.parametrize("how", ["stopped, and its own cluster with it", "killed, and the cluster goes on"])
def test_a_driver_that_is_lost_and_started_again_loses_nothing(tmp_path: Path, address: str, how: str) -> None:
    is_stopped = how.startswith("stopped")
    text = DRIVER.format(
        tests=str(Path(__file__).parent), scheduler=None if is_stopped else address, folder=str(tmp_path / "dask")
    )
    (tmp_path / "driver.py").write_text(text)
    log = tmp_path / "driver.log"

    def checkpoints() -> set[int]:
        return {int(path.stem[5:]) for path in (tmp_path / "dask").rglob("step-*.safetensors")}

    with program(str(tmp_path / "driver.py"), log=log) as driver:
        until(lambda: checkpoints() or driver.poll() is not None, "nothing is learned")
        os.killpg(driver.pid, signal.SIGINT if is_stopped else signal.SIGKILL)  # a terminal's Ctrl-C comes to all
        assert driver.wait(LONGEST) == (130 if is_stopped else -signal.SIGKILL)
    # It did not fall back on its last checkpoint: what was at work saved the step that it was at.
    until(lambda: any(all(step % period for period in PERIODS) for step in checkpoints()), "nothing was saved")
    with program(str(tmp_path / "driver.py"), log=log) as driver:
        assert driver.wait(LONGEST) == 0, log.read_text()
    configs = [a_long_config(), a_config(gamma=0.5)]
    assert contents(tmp_path / "dask") == serial(configs, tmp_path)
    assert {path.suffix for path in (tmp_path / "dask" / "work").iterdir()} == {".lock"}, "no mark of who was killed"
    assert log.read_text() == ("stopped\n" if is_stopped else "")


def test_the_mark_of_a_driver_that_lives_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".seen-0123456789abcdef").touch()  # of one that was killed
    with marked(tmp_path) as living:
        with marked(tmp_path) as mine:
            assert set(tmp_path.iterdir()) == {living, mine}
        assert set(tmp_path.iterdir()) == {living}
    assert not list(tmp_path.iterdir())


def test_workers_of_another_version_are_refused(tmp_path: Path, address: str) -> None:
    shard = Shard.of(a_config())
    other = dataclasses.replace(shard, versions=shard.versions | {"numpy": "1.0"})
    with pytest.raises(UserError, match=r"shard .*has numpy .*for 1\.0; install"):
        joined(address).run([other], tmp_path, lambda _: None)


def test_a_scheduler_without_workers_is_named(tmp_path: Path) -> None:
    with (
        cluster(tmp_path, 0) as found,
        pytest.raises(
            UserError, match=rf"{found.address} has had no worker .* 1 seconds; start some with `dask worker"
        ),
    ):
        do([a_config()], joined(found.address, patience=1.0), tmp_path / "dask")


def test_traffic_is_encrypted_where_it_is_asked_for(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    try:
        subprocess.run([*command, "-out", str(certificate), "-keyout", str(key)], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl here to make a certificate with")
    files = ("--tls-ca-file", str(certificate), "--tls-cert", str(certificate), "--tls-key", str(key))
    with cluster(tmp_path, 1, "--no-nanny", both=("--protocol", "tls", *files)) as found:
        assert found.address.startswith("tls://")
        with pytest.raises(UserError, match=r"no scheduler answers at tls://.*--tls-ca-file, --tls-cert and --tls-key"):
            do([a_config()], joined(found.address), tmp_path / "dask")
        settings = EngineSettings(
            engine="dask", scheduler=found.address, tls_ca_file=certificate, tls_cert=certificate, tls_key=key
        )
        assert do([a_config()], DaskEngine(settings), tmp_path / "dask") == serial([a_config()], tmp_path)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--scheduler", "tcp://a:1"], "--scheduler is for --engine dask"),
        (["--engine", "dask", "--scheduler", "tcp://127.0.0.1:9"], "no scheduler answers at tcp://127.0.0.1:9"),
        (
            ["--engine", "dask", "--scheduler", "http://a:1"],
            "no scheduler answers at http://a:1 (unknown address scheme",
        ),
        (["--engine", "dask", "--tls-cert", "missing.pem"], "--tls-cert must be a file, and missing.pem is none"),
        (
            ["--engine", "dask", "--tls-cert", "s.toml"],
            "--tls-cert is for a scheduler that is reached by tls://, got none",
        ),
    ],
)
def test_mistakes_are_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gridrl.sweeps.dask_engine.CONNECT", 0.5)
    Path("s.toml").write_text('agent = "q-learning"\n[settings]\nenv = "dense-small-v0"\nsteps = 10')
    assert main(["sweep", "s.toml", *options]) == 2
    assert sentence in capsys.readouterr().err


def test_without_dask_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError, match=r"pip install gridrl\[cluster\]"):
        make_engine(EngineSettings(engine="dask"))
