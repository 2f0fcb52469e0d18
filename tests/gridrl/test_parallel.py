"""Several runs at once: reports, failures and processes that die are told, and nothing hangs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gridrl.errors import UserError
from gridrl.parallel import Job, train_all
from gridrl.problem import ProblemSettings
from gridrl.run import Run
from gridrl.run_folder import RunFolder
from gridrl.training import start
from gridrl.training_settings import TrainSettings


def a_job(folder: Path, steps: int) -> Job:
    settings = TrainSettings(seeds=2, steps=steps, eval_period=steps // 2, eval_episodes=1, checkpoint_period=steps)
    start("q-learning", ProblemSettings(env="dense-small-v0", coins=2), settings, {}, out=folder)
    return Job(folder.name, folder, steps)


def test_every_job_is_finished_and_reported(tmp_path: Path) -> None:
    jobs = [a_job(tmp_path / name, 400) for name in ("a", "b", "c")]
    reports = list(train_all(jobs, num_processes=2, order=[2, 0, 1]))
    assert sorted(report.job for report in reports if report.finished) == [0, 1, 2]
    assert {report.step for report in reports if report.finished} == {400}
    assert any(report.greedy_return is not None for report in reports)
    assert [Run.load(job.folder).step for job in jobs] == [400, 400, 400]


def test_a_failure_is_told_with_the_jobs_name(tmp_path: Path) -> None:
    job = a_job(tmp_path / "a", 400)
    (tmp_path / "a" / "config.toml").unlink()
    with pytest.raises(UserError, match=r"^a: .* has no config\.toml"):
        list(train_all([job]))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_ended_from_outside_is_replaced_and_nothing_is_lost(
    tmp_path: Path, how: signal.Signals
) -> None:
    import multiprocessing

    reports = train_all([a_job(tmp_path / "a", 3000)])
    for _ in range(3):
        next(reports)
    (worker,) = multiprocessing.active_children()
    assert worker.pid is not None
    os.kill(worker.pid, how)
    assert [report.step for report in reports if report.finished] == [3000]
    list(train_all([a_job(tmp_path / "b", 3000)]))
    assert (tmp_path / "a" / "metrics.csv").read_bytes() == (tmp_path / "b" / "metrics.csv").read_bytes()


INTERRUPTED = """
import sys
from pathlib import Path
from gridrl.parallel import Job, train_all
if __name__ == "__main__":
    for report in train_all([Job(name, Path(name), 2_000_000) for name in sys.argv[1:]], num_processes=2):
        print(report.job, flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are POSIX")
def test_ctrl_c_in_a_terminal_lets_every_process_save(tmp_path: Path) -> None:
    jobs = [a_job(tmp_path / name, 2_000_000) for name in ("a", "b", "c")]
    command = [sys.executable, "-c", INTERRUPTED, *(str(job.folder) for job in jobs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True) as parent:
        assert parent.stdout is not None
        heard: set[bytes] = set()
        while len(heard) < 2:
            heard.add(parent.stdout.readline().strip())
        os.killpg(parent.pid, signal.SIGINT)  # as a terminal does: to the parent and to its processes
        parent.stdout.read()
        assert parent.wait() != 0
    assert heard == {b"0", b"1"}
    assert [bool(RunFolder.open(job.folder).checkpoints()) for job in jobs] == [True, True, False]
