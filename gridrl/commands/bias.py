"""`gridrl bias RUN...`: how far agents overestimate, beside what their policies are truly worth."""

import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from gridrl.commands.options import parse
from gridrl.errors import UserError, user_errors

if TYPE_CHECKING:
    import pandas
    from rich.console import Console

    from gridrl.run import Run
    from gridrl.truth.bias import Group


@dataclass
class Options:
    """Measure overestimation: max Q beside the true value of the learned policy and, where it can be had, V*."""

    runs: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN...")]
    """The runs' folders; those of another level or gamma get a table of their own."""
    states: Literal["all", "start", "visited", "optimal-path", "random"] = "all"
    """Which states are measured."""
    snapshots: int | None = None
    """How many snapshots of each run are measured, evenly chosen, the last among them; all if not given."""
    seed: int = 0
    """Seed of the bootstrap."""
    out: Path | None = None
    """Folder to write; by default figures/ in a single run's folder, else the next free one under bias/."""

    def __post_init__(self) -> None:
        if not self.runs:
            raise UserError("bias measures run folders, such as runs/dqn-dense-v0-1; name at least one.")
        if self.snapshots is not None and self.snapshots < 1:
            raise UserError(f"--snapshots must be 1 or more, got {self.snapshots}.")
        if self.seed < 0:
            raise UserError(f"--seed must be 0 or more, got {self.seed}.")


def main(argv: list[str]) -> int:
    """Measure the runs named in `argv`; print tables, write bias.csv and the figures."""
    options: Any = parse(Options, "bias", argv, "Measure overestimation: max Q beside the policy's true value and V*.")
    begun = time.perf_counter()

    import numpy as np
    import pandas
    from rich.console import Console

    from gridrl.run_folder import writing
    from gridrl.truth.bias import final_summaries, grouped
    from gridrl.truth.bias_figures import draw
    from gridrl.truth.bias_words import legend, sentences, table_of
    from gridrl.truth.state_samples import STATE_SETS

    console = Console(highlight=False)
    groups = grouped(_load_all(options.runs))
    folder = _folder(options.out, groups)
    names = list(STATE_SETS) if options.states == "all" else [options.states]
    tables = _measure_all(groups, names, options.snapshots, console)
    groups = [group for group in groups if group.runs]
    if len(groups) > 1:
        print("The runs differ in level or gamma: each kind has a table and figures of its own.")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        pandas.concat(tables.values()).to_csv(folder / "bias.csv", index=False)
    written = [folder / "bias.csv"]
    for number, group in enumerate(groups, start=1):
        rng = np.random.default_rng(options.seed)
        table = pandas.concat([tables[label] for label in group.runs])
        summaries = final_summaries(table, rng)
        console.print(table_of(group, summaries))
        print("\n".join(sentences(group, table, names)), end="\n\n")
        suffix = f"-{number}" if len(groups) > 1 else ""
        with writing(folder):
            written += draw(group, table, summaries, folder, suffix, rng)
    print("\n".join(legend(tables.values())))
    print(
        f"Wrote {folder} in {time.perf_counter() - begun:.0f} s: {', '.join(path.name for path in written)}. Next:\n"
        f"  gridrl map {shlex.quote(str(next(iter(groups[0].runs.values())).folder.path))}"
    )
    return 0


def _load_all(folders: Sequence[str]) -> "list[Run]":
    """Return the runs that can be measured, and say of each other one why not; raises `UserError` where none can."""
    from gridrl.run import Run

    runs: list[Run] = []
    faults: list[Exception] = []
    for folder in dict.fromkeys(map(Path, folders)):
        try:
            run = Run.load(folder)
            if not run.problem.is_gridworld:
                raise UserError(
                    f"{folder} is of {run.config.problem.env}, no gridworld, where no policy can be played out from "
                    "any state; give runs on dense-v0, dense-small-v0 or a level of your own."
                )
            runs.append(run)
        except user_errors() as error:
            faults.append(error)
    _tell(faults, is_all=not runs)
    return runs


def _measure_all(
    groups: "Sequence[Group]", names: Sequence[str], most: int | None, console: "Console"
) -> "dict[str, pandas.DataFrame]":
    """Return what was measured, by label; a run that could not be is told of and taken out of its group."""
    from gridrl.commands.progress import progress_bar
    from gridrl.truth.bias import measure

    tables: dict[str, pandas.DataFrame] = {}
    faults: list[Exception] = []
    steps = {label: _chosen(run, most) for group in groups for label, run in group.runs.items()}
    with progress_bar(console) as bar:
        task = bar.add_task("measuring", total=sum(map(len, steps.values())), note="")
        for group in groups:
            for label, run in list(group.runs.items()):
                bar.update(task, note=label)
                try:
                    table = measure(run, steps=steps[label], states=names, on_step=lambda: bar.advance(task))
                except user_errors() as error:
                    faults.append(error)
                    del group.runs[label]
                else:
                    tables[label] = table.assign(agent=label, level=group.level.name, gamma=group.gamma)
        bar.update(task, note="")
    _tell(faults, is_all=not tables)
    return tables


def _tell(faults: list[Exception], *, is_all: bool) -> None:
    """Print each fault in its sentence; where nothing else is left to be shown, raise the last one."""
    last = faults.pop() if is_all else None
    for fault in faults:
        print(f"gridrl: {fault}", file=sys.stderr)
    if last is not None:
        raise last


def _folder(out: Path | None, groups: "Sequence[Group]") -> Path:
    if out is not None:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UserError(f"{out} exists and is not empty; choose another folder with --out.")
        return out
    runs = [run for group in groups for run in group.runs.values()]
    if len(runs) == 1:
        return runs[0].folder.figures
    number = 1
    while (folder := Path("bias", f"bias-{number}")).exists():
        number += 1
    return folder


def _chosen(run: "Run", most: int | None) -> list[int]:
    """Return the steps of a run that are measured: `most` of its snapshots, evenly chosen from the last one back."""
    steps = run.snapshots
    if most is None or most >= len(steps):
        return steps
    stride = (len(steps) - 1) / max(most - 1, 1)
    return sorted({steps[len(steps) - 1 - round(number * stride)] for number in range(most)})
