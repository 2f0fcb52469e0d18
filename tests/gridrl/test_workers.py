"""Processes that do jobs: whatever happens to one of them, every job is done once, and nothing hangs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gridrl.errors import UserError
from gridrl.interrupt import StopRequest
from gridrl.workers import Report, Stopped, share_out


def square(number: int, say: Report, stop: StopRequest) -> int:
    say(f"{number} is begun")
    return number * number


def refuse(number: int, say: Report, stop: StopRequest) -> int:
    raise UserError("the disk is full; free some.")


def fail(number: int, say: Report, stop: StopRequest) -> int:
    return 1 // 0


def misbehave(payload: tuple[str, str], say: Report, stop: StopRequest) -> str:
    """Do something evil the first time, and what is asked the second time."""
    folder, how = payload
    mark = Path(folder) / how
    if not mark.exists():
        mark.touch()
        if how == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "leaves":
            sys.exit(3)
        if how == "hangs":
            time.sleep(600)
        if how == "freezes":
            os.kill(os.getpid(), signal.SIGSTOP)
        if how == "is asked to stop":
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop
            raise Stopped
    say("better")
    return how


def always_dies(payload: Any, say: Report, stop: StopRequest) -> None:
    os._exit(7)


def test_every_job_has_one_result_and_what_is_said_comes_before() -> None:
    heard: dict[int, list[Any]] = {job: [] for job in range(7)}
    for answer in share_out(square, list(range(7)), [str(n) for n in range(7)], 3):
        heard[answer.job].append(answer.content)
    assert heard == {job: [f"{job} is begun", job * job] for job in range(7)}


def test_jobs_are_begun_in_the_order_that_is_given() -> None:
    answers = share_out(square, [0, 1, 2], ["a", "b", "c"], 1, order=[2, 0, 1])
    assert [answer.content for answer in answers if answer.is_result] == [4, 0, 1]


@pytest.mark.parametrize("how", ["dies", "leaves", "hangs", "freezes", "is asked to stop"])
def test_a_process_that_is_lost_is_replaced_and_its_job_done(tmp_path: Path, how: str) -> None:
    payloads = [(str(tmp_path), how), (str(tmp_path), "works"), (str(tmp_path), "works on")]
    (tmp_path / "works").touch()
    answers = list(share_out(misbehave, payloads, ["a", "b", "c"], 2, patience=4.0))
    assert sorted((answer.job, answer.content) for answer in answers if answer.is_result) == [
        (0, how),
        (1, "works"),
        (2, "works on"),
    ]


def test_a_job_that_kills_every_process_is_given_up_by_name() -> None:
    with pytest.raises(UserError, match=r"the bad one: 3 processes were lost at it, .*exit code 7.*--processes"):
        list(share_out(always_dies, [None], ["the bad one"], 1))


def test_a_refusal_is_told_with_the_jobs_name() -> None:
    with pytest.raises(UserError, match=r"^mine: the disk is full; free some\.$"):
        list(share_out(refuse, [1], ["mine"], 1))


def test_a_fault_of_ours_shows_where_it_is() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)mine:.*in fail.*ZeroDivisionError"):
        list(share_out(fail, [1], ["mine"], 1))


ORPHANS = """
import sys, time
from pathlib import Path
from gridrl.workers import Stopped, share_out
def wait(folder, say, stop):
    while not stop:
        (Path(folder) / "alive").touch()
        say("still here")
        time.sleep(.02)
    (Path(folder) / "saved").touch()
    raise Stopped
if __name__ == "__main__":
    for answer in share_out(wait, sys.argv[1:], ["a"], 1):
        print("heard", flush=True)
"""


def test_processes_stop_when_the_one_who_started_them_is_killed(tmp_path: Path) -> None:
    (tmp_path / "orphans.py").write_text(ORPHANS)
    command = [sys.executable, str(tmp_path / "orphans.py"), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        parent.kill()
        deadline = time.monotonic() + 20
        while not (tmp_path / "saved").exists():
            assert time.monotonic() < deadline, "the process goes on for nobody"
            time.sleep(0.02)
