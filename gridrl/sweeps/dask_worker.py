"""What a Dask worker does: a shard, in the sweep's folder where it sees that, else in a folder of its own."""

import json
import time
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from gridrl.errors import user_errors
from gridrl.interrupt import StopRequest
from gridrl.sweeps.results import Claimed, Results
from gridrl.sweeps.shard import Shard
from gridrl.sweeps.work import Reached, do_shard
from gridrl.workers import Stopped

if TYPE_CHECKING:
    from distributed import Worker

TOPIC = "gridrl"  # of what workers say while they work
SAY_EVERY = 0.5  # seconds between two words about a shard


class Order(NamedTuple):
    """A shard that is given to a worker. It travels as JSON."""

    shard: str  # as `Shard.to_json` has it
    folder: str  # the sweep's, as the driver sees it
    mark: str  # a file that the driver put into the folder; who finds it sees the same folder
    was_lost: bool  # whether a worker that had it before was lost
    patience: float  # seconds for somebody else who holds the shard


class Word(NamedTuple):
    """What a worker says of a task while it works, as a JSON list: that it began, how far it is, that it ended."""

    task: str
    kind: str  # begun, reached or ended
    step: int = 0
    greedy_return: float | None = None


def work(text: str) -> tuple[str, Any]:
    """Do what an `Order` asks for, given as JSON.

    Return ("result", the shard's metrics as bytes); ("stopped", None) where nobody waits for them any more, or the
    worker is to close; ("failure", a sentence) for a user's mistake; ("error", a traceback) for ours.
    """
    from distributed import get_worker

    order = Order(**json.loads(text))
    worker = get_worker()
    voice = _Voice(worker)
    voice.say("begun")
    try:
        return "result", _metrics(worker, order, voice)
    except Stopped:
        return "stopped", None
    except user_errors() as error:
        return "failure", str(error)
    except Exception:
        return "error", traceback.format_exc()
    finally:
        voice.say("ended")


def _metrics(worker: "Worker", order: Order, voice: "_Voice") -> bytes:
    shard, stop = Shard.from_json(order.shard), _Unwanted(worker)
    if Path(order.mark).is_file():
        folder = Path(order.folder)
        try:
            do_shard(shard, folder, voice.tell, stop, order.patience)
            return Results(folder).path(shard).read_bytes()
        except Claimed:
            if not order.was_lost:
                raise
            # One that was lost holds it, and may hold it for ever: done from the start, elsewhere, it is the same.
    with TemporaryDirectory(dir=worker.local_directory) as own:
        do_shard(shard, Path(own), voice.tell, stop)
        return Results(Path(own)).path(shard).read_bytes()


class _Voice:
    """Tells the driver, by way of the scheduler, how far a shard is; not more often than somebody can read."""

    def __init__(self, worker: "Worker") -> None:
        self._worker = worker
        self._task = str(worker.get_current_task())
        self._said = 0.0
        self._greedy_return: float | None = None

    def tell(self, reached: Reached) -> None:
        if reached.greedy_return is not None:
            self._greedy_return = reached.greedy_return
        if time.monotonic() - self._said > SAY_EVERY:
            self._said = time.monotonic()
            self.say("reached", reached.step, self._greedy_return)

    def say(self, kind: str, step: int = 0, greedy_return: float | None = None) -> None:
        self._worker.log_event(TOPIC, list(Word(self._task, kind, step, greedy_return)))


class _Unwanted(StopRequest):
    """True when the task under way was cancelled, its driver is gone, or the worker is to close.

    Dask does not interrupt a task that runs; it only notes that the result is not wanted. This looks at the note.
    """

    def __init__(self, worker: "Worker") -> None:
        super().__init__()
        self._worker = worker
        self._task = worker.get_current_task()

    def __bool__(self) -> bool:
        task = self._worker.state.tasks.get(self._task)
        return task is None or task.state == "cancelled" or self._worker.status.name not in ("running", "paused")
