"""Jobs of a study, on all cores."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, TypeVar

from gridrl.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")


def do_all(jobs: Sequence[Callable[[], T]], console: "Console", *, num_processes: int | None = None) -> list[T]:
    """Return what each job returns, in their order, with a bar that shows how many are done.

    `num_processes` None is one for each core; with 1 all is done in this process. Raises `UserError` where a process
    dies.
    """
    from rich.progress import track

    num_processes = min(num_processes or os.cpu_count() or 1, len(jobs))
    if num_processes == 1:
        return [job() for job in track(jobs, "measuring", console=console, transient=True)]
    before = set(multiprocessing.active_children())
    with ProcessPoolExecutor(num_processes, multiprocessing.get_context("spawn"), _leave_interrupts_alone) as pool:
        futures = [pool.submit(job) for job in jobs]
        try:
            done = as_completed(futures)
            for future in track(done, "measuring", total=len(jobs), console=console, transient=True):
                future.result()
        except BrokenProcessPool:
            raise UserError("a process of the study ended early (out of memory?); try fewer --seeds.") from None
        finally:
            if not all(future.done() for future in futures):  # an error, or Ctrl-C: what goes on is for nobody
                pool.shutdown(wait=False, cancel_futures=True)
                for process in set(multiprocessing.active_children()) - before:
                    process.terminate()
    return [future.result() for future in futures]


def _leave_interrupts_alone() -> None:
    """Let the parent hear Ctrl-C alone, which a terminal sends to all of its processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
