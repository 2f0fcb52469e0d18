"""Several training runs at once, each in a process of its own, reporting to the one that started them."""

import multiprocessing
import queue
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gridrl.errors import UserError, user_errors


@dataclass(frozen=True)
class Job:
    """One run folder to be trained."""

    name: str
    folder: Path
    steps: int


class Report(NamedTuple):
    """What a process says of a job: the step reached and the latest mean greedy return, or why it failed."""

    job: int
    step: int
    greedy_return: float | None
    failure: str = ""
    finished: bool = False


def train_all(jobs: Sequence[Job], lanes: Sequence[Sequence[int]]) -> Iterator[Report]:
    """Train all jobs, one process for each lane, a lane's jobs one after the other; yield reports as they come.

    Raises `UserError` when a job fails or a process dies; what was saved by then stays.
    """
    context = multiprocessing.get_context("spawn")
    reports: Any = context.Queue()
    processes = [
        context.Process(target=_train_lane, args=([(number, jobs[number].folder) for number in lane], reports))
        for lane in lanes
    ]
    for process in processes:
        process.start()
    open_jobs = {number for lane in lanes for number in lane}
    try:
        while open_jobs:
            try:
                report: Report = reports.get(timeout=0.5)
            except queue.Empty:
                codes = [process.exitcode for process in processes]
                if reports.empty() and (any(codes) or None not in codes):
                    raise UserError(
                        f"a training process ended early (exit codes {codes}; out of memory?); "
                        "what it had saved can be resumed: gridrl resume FOLDER"
                    ) from None
                continue
            if report.failure:
                raise UserError(f"{jobs[report.job].name}: {report.failure}")
            if report.finished:
                open_jobs.discard(report.job)
            yield report
    finally:
        for process in processes:
            if open_jobs:
                process.terminate()  # it finishes its step and saves
            process.join()


def _train_lane(lane: list[tuple[int, Path]], reports: Any) -> None:
    from gridrl.interrupt import stop_on_signal
    from gridrl.recorder import Row, mean_over_runs
    from gridrl.training import Training

    with stop_on_signal() as stop:
        for number, folder in lane:

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
