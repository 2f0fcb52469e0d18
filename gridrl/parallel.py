"""Several training runs at once, each in a process of its own, reporting to the one that started them."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from gridrl.grouping import num_cores
from gridrl.interrupt import StopRequest
from gridrl.run_folder import RunFolder
from gridrl.workers import Report as Say
from gridrl.workers import Stopped, share_out

LOCK_PATIENCE = 60.0  # seconds until an earlier process, that nobody listens to any more, has let go of the folder


@dataclass(frozen=True)
class Job:
    """One group of runs to be trained together, in a folder of its own."""

    name: str
    folder: Path
    steps: int
    begun: int = 0  # steps that are done already


class Report(NamedTuple):
    """What a process says of a job: the step reached and the latest mean greedy return."""

    job: int
    step: int
    greedy_return: float | None
    finished: bool = False


def jobs_of(name: str, folder: RunFolder) -> list[Job]:
    """Return what is left to train of a run, a job for each of its groups that is not finished."""
    steps, groups = folder.config.steps, folder.groups
    return [
        Job(name if len(groups) == 1 else f"{name}, {_seeds(group.config.seeds)}", group.path, steps, group.step)
        for group in groups
        if group.step < steps
    ]


def train_all(
    jobs: Sequence[Job], num_processes: int | None = None, order: Sequence[int] | None = None
) -> Generator[Report]:
    """Train all jobs, at most `num_processes` at once (None: one for each core); yield reports as they come.

    A process that has finished a job takes the next, by number in `order` (None: as they are given); with the longest
    first, none is left alone with a long one at the end. One that dies is replaced, and its job goes on from the last
    checkpoint. Closing the generator, or Ctrl-C, lets every process finish its step and save. Raises `UserError` when a
    job fails; what was saved by then stays.
    """
    names, folders = [job.name for job in jobs], [str(job.folder) for job in jobs]
    for answer in share_out(_train, folders, names, num_processes or num_cores(), order=order):
        step, greedy_return = answer.content
        yield Report(answer.job, step, greedy_return, answer.is_result)


def _train(folder: str, say: Say, stop: StopRequest) -> tuple[int, float | None]:
    from gridrl.recorder import mean_over_runs
    from gridrl.training import Training

    training = Training.resume(folder)
    if not training.run(
        stop, lambda step, rows: say((step, mean_over_runs(rows, "greedy_return"))), patience=LOCK_PATIENCE
    ):
        raise Stopped
    return training.step, None


def _seeds(seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    if list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"seeds {seeds[0]} to {seeds[-1]}"
    return f"seeds {seeds[0]}, {seeds[1]}, ..." if len(seeds) > 2 else f"seeds {seeds[0]}, {seeds[1]}"
