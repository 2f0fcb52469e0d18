"""Training in front of the user: a progress bar, Ctrl-C that saves, and what to do next."""

import shlex
import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gridrl.diagnosis import loops_of, warnings_of
from gridrl.interrupt import stop_on_signal
from gridrl.parallel import Job, Report
from gridrl.recorder import Row, mean_over_runs
from gridrl.training import Training

INTERRUPTED = 130  # the exit code that shells expect after Ctrl-C


def progress_bar(console: Console) -> Progress:
    """Return a bar with steps done, time left, and a note (`note`) for rate and latest return."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, TextColumn("{task.fields[note]}"), console=console)


def train_jobs(console: Console, jobs: Sequence[Job], train: Callable[[Callable[[Report], None]], None]) -> bool:
    """Let `train` train the jobs, and show a bar for each; True when it got there, False when stopped by Ctrl-C.

    `train` is given what takes the reports.
    """
    with progress_bar(console) as bar:
        tasks = [bar.add_task(job.name, total=job.steps, note="") for job in jobs]

        def show(report: Report) -> None:
            note = {} if report.greedy_return is None else {"note": f"greedy return {report.greedy_return:.0f}"}
            bar.update(tasks[report.job], completed=report.step, **note)  # type: ignore[arg-type]

        try:
            train(show)
        except KeyboardInterrupt:
            return False
    return True


def run_in_front(training: Training) -> int:
    """Run `training` to its end or to Ctrl-C; print what was written and the next sensible command."""
    console = Console(soft_wrap=True, highlight=False)
    config, folder = training.config, shlex.quote(str(training.folder.path))
    num_runs = len(config.seeds)
    console.print(f"{config.agent} on {config.problem.env}: {num_runs} run(s) of {config.steps} steps, into {folder}")
    if training.agent.num_bytes:
        console.print(f"the replay will take {training.agent.num_bytes / 1e6:.0f} MB of memory")
    begun, first, latest = time.perf_counter(), training.step, ""
    with progress_bar(console) as bar, stop_on_signal() as stop:
        task = bar.add_task(f"{config.agent}", total=config.steps, completed=training.step, note="")

        def show(step: int, rows: list[Row]) -> None:
            nonlocal latest
            if (value := mean_over_runs(rows, "greedy_return")) is not None:
                latest = f", greedy return {value:.0f}"
            rate = (step - first) * num_runs / max(time.perf_counter() - begun, 1e-9)
            bar.update(task, completed=step, note=f"{rate:.0f} steps/s{latest}")

        finished = training.run(stop, show)
    if not finished:
        console.print(
            f"Stopped at step {training.step} of {config.steps}; all is saved. To go on:\n  gridrl resume {folder}"
        )
        return INTERRUPTED
    for metric, name in (("greedy_return", "greedy return"), ("return", "return at epsilon .05")):
        values = training.final(metric)
        spread = f", runs from {values.min():.1f} to {values.max():.1f}" if num_runs > 1 else ""
        console.print(f"{name}: {values.mean():.1f}{spread}")
    for sentence in loops_of(training, training.greedy.play(training.agent, 0.0, key=training.step)):
        console.print(sentence)
    for sentence in warnings_of(training):
        console.print(f"Warning: {sentence}")
    console.print(f"Wrote {folder}: config.toml, metrics.csv, checkpoints/. Next:\n  gridrl watch {folder}")
    if training.problem.is_gridworld:
        console.print(f"  gridrl map {folder}\n  gridrl bias {folder}")
    return 0
