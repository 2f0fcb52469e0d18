"""Give shards to Dask's workers, one to each at a time; to another, when a worker is lost.

Dask could share them out alone, but it waits for a worker that hangs. Here the driver names the worker of each task, so
that it knows where a shard is, and gives it away when nothing is heard of it.
"""

import contextlib
import json
import secrets
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from gridrl.errors import UserError
from gridrl.interrupt import StopRequest
from gridrl.sweeps import results as sweep_results
from gridrl.sweeps.dask_worker import TOPIC, Order, Word, work
from gridrl.sweeps.engine import Progress, Tell
from gridrl.sweeps.mark import marked
from gridrl.sweeps.results import Results
from gridrl.sweeps.shard import Shard
from gridrl.sweeps.work import Reached
from gridrl.workers import ATTEMPTS, LAST_CHANCE, POLL

if TYPE_CHECKING:
    from distributed import Client, Future

LOOK_EVERY = 1.0  # seconds between two looks at which workers there are
SILENCE = 60.0  # seconds without an answer until the scheduler counts as gone
FETCH = 60.0  # seconds for a result to come
RESTART = 20.0  # seconds for a worker that hangs to be restarted


@dataclass(eq=False)
class _Task:
    """A shard that is at a worker."""

    number: int
    worker: str  # its address
    future: "Future"
    at_work: bool = False  # it has begun, and is not over
    heard: float = field(default_factory=time.monotonic)


class Driver:
    """Does shards by the workers of a cluster; what is said of them comes through the scheduler."""

    def __init__(self, client: "Client", shards: Sequence[Shard], folder: Path, tell: Tell, patience: float) -> None:
        self._client = client
        self._scheduler: Any = client.scheduler
        self._shards = shards
        self._results = Results(folder.resolve())
        self._tell = tell
        self._patience = patience
        self._waiting = deque(range(len(shards)))
        self._open = set(self._waiting)
        self._losses = [0] * len(shards)
        self._tasks: dict[str, _Task] = {}  # by their keys
        self._idle: list[str] = []  # addresses of workers that have nothing to do
        self._left: set[str] = set()  # addresses of those that hang, and are not asked any more
        self._looked = -LOOK_EVERY
        self._had_workers = time.monotonic()
        self._inbox: SimpleQueue[Word | str] = SimpleQueue()  # words, and the keys of tasks that are over

    def run(self, stop: StopRequest) -> None:
        """Do all shards, as `Engine.run` says; when asked to stop, let what is at work save, and raise Ctrl-C."""
        self._results.create()
        self._client.subscribe_topic(TOPIC, lambda event: self._inbox.put(Word(*event[1])))
        with marked(self._results.folder / "work") as mark:
            try:
                while self._open:
                    if stop:
                        raise KeyboardInterrupt
                    self._look()
                    self._give(mark)
                    self._hear()
            finally:
                self._dismiss()

    @property
    def _is_connected(self) -> bool:
        return self._client.status == "running"

    def _look(self) -> None:
        """See which workers there are, and which of those that we gave something are gone or hang."""
        now = time.monotonic()
        if self._is_connected and now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        workers = self._workers()
        self._left &= set(workers)
        for key, task in list(self._tasks.items()):
            if task.worker not in workers:
                self._lose(key, "ended early")
            elif now - task.heard > self._patience:
                self._leave(key)
        known = self._left | {task.worker for task in self._tasks.values()}
        self._idle = [worker for worker, tasks in workers.items() if not tasks and worker not in known]
        if set(workers) - self._left:
            self._had_workers = now
        elif now - self._had_workers > self._patience:
            raise UserError(
                f"{self._scheduler.address} has had no worker that answers for {self._patience:.0f} seconds; start "
                f"some with `dask worker {self._scheduler.address}`, and the same command goes on."
            )

    def _workers(self) -> dict[str, Any]:
        """Return the addresses of all workers, and what each has to do, for us or for others."""
        with contextlib.suppress(OSError):
            if self._is_connected:
                return self._client.sync(self._scheduler.processing, callback_timeout=SILENCE)
        raise UserError(
            "the scheduler is gone. What was saved is not lost: start it and its workers again, and the same command "
            "goes on."
        )

    def _give(self, mark: Path) -> None:
        """Give every idle worker a shard, as long as there are any."""
        while self._idle and self._waiting:
            worker, number = self._idle.pop(), self._waiting.popleft()
            order = Order(
                self._shards[number].to_json(),
                str(self._results.folder),
                str(mark),
                was_lost=self._losses[number] > 0,
                patience=min(sweep_results.PATIENCE, self._patience / 2),
            )
            key = f"gridrl-{secrets.token_hex(8)}"
            future = self._client.submit(work, json.dumps(order._asdict()), key=key, workers=[worker])
            self._tasks[key] = _Task(number, worker, future)
            future.add_done_callback(lambda future: self._inbox.put(future.key))

    def _hear(self) -> None:
        """Take in one message, if there is one soon; what is said of a task that was given up does not count."""
        try:
            message = self._inbox.get(timeout=POLL)
        except Empty:
            return
        if isinstance(message, str):
            if message in self._tasks:
                self._end(message)
        elif (task := self._tasks.get(message.task)) is not None:
            task.at_work = message.kind != "ended"
            task.heard = time.monotonic()
            if message.kind == "reached":
                self._tell(Progress(task.number, Reached(message.step, message.greedy_return)))

    def _end(self, key: str) -> None:
        """Take in what a worker answered, or why it did not."""
        task = self._tasks[key]
        name = f"shard {self._shards[task.number].key}"
        try:
            kind, content = task.future.result(timeout=FETCH)
        except Exception as error:
            if task.future.status == "error":
                raise UserError(
                    f"{name}: the worker at {task.worker} could not do it ({error}); the same gridrl must be installed "
                    "there: pip install gridrl[cluster]."
                ) from None
            if self._is_connected:
                self._lose(key, "ended early")
            return
        if kind == "stopped":  # its worker is about to close
            self._left.add(task.worker)
            self._take_back(key)
            return
        del self._tasks[key]
        if kind == "failure":
            raise UserError(f"{name}: {content}")
        if kind == "error":
            raise RuntimeError(f"{name}:\n{content}")
        self._results.keep(self._shards[task.number], content)
        self._open.discard(task.number)
        self._idle.append(task.worker)
        self._tell(Progress(task.number, None))

    def _take_back(self, key: str) -> _Task:
        """Put the shard of a task that will not be finished first in the row."""
        task = self._tasks.pop(key)
        task.future.cancel()
        self._waiting.appendleft(task.number)
        return task

    def _lose(self, key: str, why: str) -> _Task:
        """Take back the shard of a worker that is lost; not for ever."""
        task = self._take_back(key)
        self._losses[task.number] += 1
        if self._losses[task.number] == ATTEMPTS:
            raise UserError(
                f"shard {self._shards[task.number].key}: {ATTEMPTS} workers were lost at it, the last one, at "
                f"{task.worker}, {why}; out of memory? What was saved goes on with the same command."
            )
        return task

    def _leave(self, key: str) -> None:
        """Give up a worker that says nothing: restart it where that can be done, else ask it no more."""
        self._left.add(self._tasks[key].worker)
        if not self._tasks[key].at_work:  # it may be busy for somebody else
            self._take_back(key)
            return
        task = self._lose(key, f"said nothing for {self._patience:.0f} seconds")
        with contextlib.suppress(Exception):  # it has no nanny, or that one hangs, too
            outcome = self._client.restart_workers([task.worker], timeout=RESTART, raise_for_error=False)
            if outcome[task.worker] == "OK":
                self._left.discard(task.worker)

    def _dismiss(self) -> None:
        """Let every worker that is at a shard of ours save it, and stop."""
        deadline = time.monotonic() + LAST_CHANCE
        for task in self._tasks.values():
            task.future.cancel()
        waited_for = {key: task for key, task in self._tasks.items() if task.at_work}
        while waited_for and self._is_connected and time.monotonic() < deadline:
            with contextlib.suppress(Empty):
                message = self._inbox.get(timeout=POLL)
                if isinstance(message, Word) and message.kind == "ended":
                    waited_for.pop(message.task, None)
                continue
            workers = self._workers()
            waited_for = {key: task for key, task in waited_for.items() if task.worker in workers}
