"""Jobs shared out to processes of this machine. One that dies or hangs is replaced, and its job begun again.

Each process has a pipe of its own: what kills one of them, at whatever instant, leaves the others' pipes whole.
"""

import contextlib
import multiprocessing
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from gridrl.errors import UserError, user_errors
from gridrl.interrupt import StopRequest, stop_on_signal

ATTEMPTS = 3  # at a job, before it is given up
PATIENCE = 600.0  # seconds without a word from a process until it counts as hung
LAST_CHANCE = 30.0  # seconds to finish the step and save, once asked to stop
POLL = 0.5  # seconds

Report = Callable[[Any], None]
Work = Callable[[Any, Report, StopRequest], Any]  # of a payload; raises Stopped where it was asked to stop, and did


class Stopped(Exception):
    """The work was stopped before its end; what was done by then is saved."""


class Answer(NamedTuple):
    """What a process says of a job, by its number: how far it is, or the result."""

    job: int
    content: Any
    is_result: bool


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    job: int | None = None
    heard: float = field(default_factory=time.monotonic)


def share_out(
    work: Work,
    payloads: Sequence[Any],
    names: Sequence[str],
    num_processes: int,
    *,
    order: Sequence[int] | None = None,
    patience: float = PATIENCE,
) -> Generator[Answer]:
    """Let processes do `work` on all payloads, and yield what they say as it comes; one result for each.

    They are begun in `order` (None: as they are given). `work` lies at the top of a module, and can go on where another
    process left the same job. Small things only should travel. Closing the generator, or Ctrl-C, lets every process
    finish its step and save. Raises `UserError` where the work does, and where processes die, or say nothing for
    `patience` seconds, at the same job again and again.
    """
    order = range(len(payloads)) if order is None else order
    return _Pool(work, payloads, names, min(num_processes, len(payloads)), order, patience).answers()


class _Pool:
    def __init__(
        self,
        work: Work,
        payloads: Sequence[Any],
        names: Sequence[str],
        num_processes: int,
        order: Sequence[int],
        patience: float,
    ) -> None:
        self._work = work
        self._payloads = payloads
        self._names = names
        self._patience = patience
        self._num_processes = num_processes
        self._waiting = deque(order)
        self._open = set(self._waiting)
        self._failures = [0] * len(payloads)
        self._workers: list[_Worker] = []

    def answers(self) -> Generator[Answer]:
        try:
            for _ in range(self._num_processes):
                self._hire()
            while self._open:
                by_pipe = {worker.pipe: worker for worker in self._workers}
                for pipe in wait(list(by_pipe), POLL):
                    yield from self._hear(by_pipe[pipe])  # type: ignore[index]
                for worker in self._workers:
                    if worker.job is not None and time.monotonic() - worker.heard > self._patience:
                        worker.process.kill()
                        self._replace(worker, f"said nothing for {self._patience:.0f} seconds")
        finally:
            self._dismiss()

    def _hire(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._work), daemon=True)
        process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        self._give(worker)

    def _give(self, worker: _Worker) -> None:
        """Give a process its next job, if there is one."""
        worker.job = self._waiting.popleft() if self._waiting else None
        worker.heard = time.monotonic()
        if worker.job is not None:
            with contextlib.suppress(OSError):  # it is dead: found out soon
                worker.pipe.send((worker.job, self._payloads[worker.job]))

    def _hear(self, worker: _Worker) -> Generator[Answer]:
        """Take in one message, or find that there is nobody to send any."""
        try:
            kind, job, content = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join()
            self._replace(worker, f"ended early (exit code {worker.process.exitcode})")
            return
        worker.heard = time.monotonic()
        if kind == "failure":
            raise UserError(f"{self._names[job]}: {content}")
        if kind == "error":
            raise RuntimeError(f"{self._names[job]}:\n{content}")
        if kind == "result":
            self._open.discard(job)
        yield Answer(job, content, kind == "result")
        if kind == "result":
            self._give(worker)

    def _replace(self, worker: _Worker, why: str) -> None:
        """Put another process in the place of one that is lost, and its job first in the row."""
        self._workers.remove(worker)
        worker.pipe.close()
        if worker.job is not None:
            self._failures[worker.job] += 1
            if self._failures[worker.job] == ATTEMPTS:
                raise UserError(
                    f"{self._names[worker.job]}: {ATTEMPTS} processes were lost at it, the last one {why}; out of "
                    "memory? Try fewer --processes or --seeds. What was saved goes on with the same command."
                )
            self._waiting.appendleft(worker.job)
        if self._waiting:
            self._hire()

    def _dismiss(self) -> None:
        for worker in self._workers:
            worker.pipe.close()  # no more jobs
            if worker.job is not None and self._open:
                worker.process.terminate()  # it finishes its step and saves
        deadline = time.monotonic() + LAST_CHANCE
        for worker in self._workers:
            worker.process.join(max(deadline - time.monotonic(), 0))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def _serve(pipe: Connection, work: Work) -> None:
    """Do the jobs that come through a pipe, until it is closed or somebody asks for the end."""
    with stop_on_signal() as stop:
        # A terminal's Ctrl-C comes to all of its processes: the parent hears it, and says so by SIGTERM.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while not stop:
            try:
                job, payload = pipe.recv()
            except (EOFError, OSError):
                return

            def tell(kind: str, content: Any, job: int = job) -> None:
                try:
                    pipe.send((kind, job, content))
                except OSError:  # nobody listens any more: the parent is gone
                    stop.signal = signal.SIGTERM

            try:
                tell("result", work(payload, lambda content: tell("progress", content), stop))
            except Stopped:
                return
            except user_errors() as error:
                tell("failure", str(error))
            except Exception:
                tell("error", traceback.format_exc())
