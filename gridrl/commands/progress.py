"""Training in front of the user: a progress bar, Ctrl-C that saves, and what to do next."""

import shlex
import time
from collections.abc import Generator, Sequence
from contextlib import closing

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gridrl.diagnosis import loops_of, warnings_of
from gridrl.errors import UserError
from gridrl.evaluation import Evaluator
from gridrl.failures import Failure
from gridrl.interrupt import stop_on_signal
from gridrl.parallel import Job, Report, jobs_of, train_all
from gridrl.recorder import Row, mean_over_runs
from gridrl.run import Run
from gridrl.run_folder import RunFolder
from gridrl.training import Training

BROKEN = 1  # the exit code where a run broke
INTERRUPTED = 130  # the exit code that shells expect after Ctrl-C


def progress_bar(console: Console) -> Progress:
    """Return a bar with steps done, time left, and a note (`note`) for rate and latest return."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, TextColumn("{task.fields[note]}"), console=console)


def train_jobs(console: Console, jobs: Sequence[Job], reports: Generator[Report]) -> bool:
    """Take in the `reports` of all jobs (see `train_all`), with a bar for each; False when stopped by Ctrl-C."""
    with progress_bar(console) as bar, closing(reports):
        tasks = [bar.add_task(job.name, total=job.steps, completed=job.begun, note="") for job in jobs]
        try:
            for report in reports:
                note = {} if report.greedy_return is None else {"note": f"greedy return {report.greedy_return:.0f}"}
                bar.update(tasks[report.job], completed=report.step, **note)  # type: ignore[arg-type]
        except KeyboardInterrupt:
            return False
    return True


def train_in_front(folder: RunFolder, processes: int | None = None, device: str = "cpu") -> int:
    """Train what is left of a run, to its end or to Ctrl-C; print what was written and the next sensible command.

    `processes` is for a run of several groups, `device` for one of one.
    """
    console = Console(soft_wrap=True, highlight=False)
    config, name = folder.config, shlex.quote(str(folder.path))
    groups = folder.groups
    if len(groups) > 1 and device != "cpu":
        raise UserError(f"{name} learns in {len(groups)} groups, and a device takes one; leave --device out.")
    how = f" in {len(groups)} groups" if len(groups) > 1 else ""
    num_runs = len(config.seeds)
    console.print(
        f"{config.agent} on {config.problem.env}: {num_runs} run(s) of {config.steps} steps{how}, into {name}"
    )
    if len(groups) > 1:
        jobs = jobs_of(config.agent, folder)
        finished = train_jobs(console, jobs, train_all(jobs, processes))
        folder.gather()
    else:
        training = Training.resume(folder.path, device)
        finished = _train_here(console, training)
    if not finished:
        console.print(
            f"Stopped at step {folder.step} of {config.steps}; all is saved. To go on:\n  gridrl resume {name}"
        )
        return INTERRUPTED
    broken = {failure.seed for failure in folder.failures}
    if not broken.issuperset(config.seeds):
        tell(console, training if len(groups) == 1 else Run.load(folder.path))
    return tell_failures(console, folder.failures)


def _train_here(console: Console, training: Training) -> bool:
    """Train one group in this process, with a bar that also shows the rate; False when stopped by Ctrl-C."""
    if training.agent.num_bytes:
        console.print(f"the replay will take {training.agent.num_bytes / 1e6:.0f} MB of memory")
    config, num_runs = training.config, len(training.config.seeds)
    begun, first, latest = time.perf_counter(), training.step, ""
    with progress_bar(console) as bar, stop_on_signal() as stop:
        task = bar.add_task(f"{config.agent}", total=config.steps, completed=training.step, note="")

        def show(step: int, rows: list[Row]) -> None:
            nonlocal latest
            if (value := mean_over_runs(rows, "greedy_return")) is not None:
                latest = f", greedy return {value:.0f}"
            rate = (step - first) * num_runs / max(time.perf_counter() - begun, 1e-9)
            bar.update(task, completed=step, note=f"{rate:.0f} steps/s{latest}")

        return training.run(stop, show)


def tell_failures(console: Console, failures: Sequence[Failure], whose: str = "") -> int:
    """Print a sentence for each run that broke; return the exit code, 0 where none did."""
    for failure in failures:
        console.print(f"Error: {whose}{failure.sentence}")
    return BROKEN if failures else 0


def tell(console: Console, run: Run) -> None:
    """Print what a finished run earns, what is wrong with it, where it lies and the next sensible command."""
    folder = shlex.quote(str(run.folder.path))
    for metric, name in (("greedy_return", "greedy return"), ("return", "return at epsilon .05")):
        values = run.final(metric)
        values = values[~np.isnan(values)]  # of the runs that did not break
        spread = f", runs from {values.min():.1f} to {values.max():.1f}" if len(values) > 1 else ""
        console.print(f"{name}: {values.mean():.1f}{spread}")
    episodes = 1 if run.problem.is_deterministic else run.config.eval_episodes
    greedy = Evaluator(run.problem, run.config.seeds, episodes)
    for sentence in loops_of(run, greedy.play(run.agent, 0.0, key=run.step)):
        console.print(sentence)
    for sentence in warnings_of(run):
        console.print(f"Warning: {sentence}")
    console.print(f"Wrote {folder}: config.toml, metrics.csv, checkpoints/. Next:\n  gridrl watch {folder}")
    if run.problem.is_gridworld:
        console.print(f"  gridrl map {folder}\n  gridrl bias {folder}")
    if run.folder.events.is_dir():
        console.print(f"  tensorboard --logdir {shlex.quote(str(run.folder.events))}")
