"""Several training runs at once, each in a process of its own, reporting to the one that started them."""

import contextlib
import multiprocessing
import queue
import signal
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gridrl.errors import UserError, user_errors
from gridrl.grouping import num_cores
from gridrl.run_folder import RunFolder


@dataclass(frozen=True)
class Job:
    """One group of runs to be trained together, in a folder of its own."""

    name: str
    folder: Path
    steps: int
    begun: int = 0  # steps that are done already


def jobs_of(name: str, folder: RunFolder) -> list[Job]:
    """Return what is left to train of a run, a job for each of its groups that is not finished."""
    steps, groups = folder.config.steps, folder.groups
    return [
        Job(name if len(groups) == 1 else f"{name}, {_seeds(group.config.seeds)}", group.path, steps, group.step)
        for group in groups
        if group.step < steps
    ]


def _seeds(seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    if list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"seeds {seeds[0]} to {seeds[-1]}"
    return f"seeds {seeds[0]}, {seeds[1]}, ..." if len(seeds) > 2 else f"seeds {seeds[0]}, {seeds[1]}"


class Report(NamedTuple):
    """What a process says of a job: the step reached and the latest mean greedy return, or why it failed."""

    job: int
    step: int
    greedy_return: float | None
    failure: str = ""
    finished: bool = False


def train_all(
    jobs: Sequence[Job], num_processes: int | None = None, order: Sequence[int] | None = None
) -> Generator[Report]:
    """Train all jobs, at most `num_processes` at once (None: one for each core); yield reports as they come.

    A process that has finished a job takes the next, by number in `order` (None: as they are given); with the longest
    first, none is left alone with a long one at the end. Closing the iterator, or Ctrl-C, lets every process finish its
    step and save. Raises `UserError` when a job fails or a process dies; what was saved by then stays.
    """
    context = multiprocessing.get_context("spawn")
    reports: Any = context.Queue()
    waiting = list(range(len(jobs)) if order is None else order)
    num_processes = min(num_processes or num_cores(), len(waiting))
    processes: list[Any] = []
    pipes: list[Any] = []
    open_jobs, worker_of = set(waiting), {}

    def hand_out(worker: int) -> None:
        if waiting:
            number = waiting.pop(0)
            worker_of[number] = worker
            with contextlib.suppress(OSError):  # it is dead: found out below
                pipes[worker].send((number, jobs[number].folder))

    try:
        for worker in range(num_processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_train_some, args=(theirs, reports))
            process.start()
            theirs.close()
            processes.append(process)
            pipes.append(ours)
            hand_out(worker)
        while open_jobs:
            try:
                report: Report = reports.get(timeout=0.5)
            except queue.Empty:
                codes = [process.exitcode for process in processes]
                if reports.empty() and codes != [None] * num_processes:
                    raise UserError(
                        f"a training process ended early (exit codes {codes}; out of memory?); "
                        "what it had saved can be resumed: gridrl resume FOLDER"
                    ) from None
                continue
            if report.failure:
                raise UserError(f"{jobs[report.job].name}: {report.failure}")
            if report.finished:
                open_jobs.discard(report.job)
                hand_out(worker_of[report.job])
            yield report
    finally:
        for pipe, process in zip(pipes, processes, strict=False):
            pipe.close()  # no more jobs
            if open_jobs:
                process.terminate()  # it finishes its step and saves
        for process in processes:
            process.join()


def _train_some(jobs: Any, reports: Any) -> None:
    """Train the jobs, pairs of number and folder, that come through a pipe, until it is closed."""
    from gridrl.interrupt import stop_on_signal
    from gridrl.recorder import Row, mean_over_runs
    from gridrl.training import Training

    with stop_on_signal() as stop:
        # A terminal's Ctrl-C comes to all of its processes: the parent hears it, and says so by SIGTERM.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while not stop:
            try:
                number, folder = jobs.recv()
            except EOFError:
                return

            def report(step: int, rows: list[Row], number: int = number) -> None:
                reports.put(Report(number, step, mean_over_runs(rows, "greedy_return")))

            try:
                training = Training.resume(folder)
                if not training.run(stop, report):
                    return
                reports.put(Report(number, training.step, None, finished=True))
            except user_errors() as error:
                reports.put(Report(number, 0, None, failure=str(error)))
                return
