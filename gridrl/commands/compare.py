"""`gridrl compare AGENT_OR_RUN...`: agents side by side, in one table and one figure."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from gridrl.commands.options import command_line, parse
from gridrl.errors import UserError
from gridrl.problem import ProblemSettings
from gridrl.training_settings import TrainSettings

if TYPE_CHECKING:
    from rich.console import Console

    from gridrl.parallel import Job

DEFAULT_ENV, DEFAULT_SEEDS = "dense-small-v0", 10
BOOTSTRAP_SEED = 0


@dataclass
class Options:
    """Compare agents, which are trained first, and run folders, which are taken as they are."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="AGENT_OR_RUN...")]
    """Agents, and folders of runs that were trained before."""
    run: TrainSettings = field(default_factory=lambda: TrainSettings(seeds=DEFAULT_SEEDS))
    """How the agents are trained; their own settings stay as they are by default."""
    problem: ProblemSettings = field(default_factory=lambda: ProblemSettings(env=DEFAULT_ENV))
    threshold: float = 0.5
    """Share of the best possible return that a run must come to, and keep at the next evaluation."""
    out: Path | None = None
    """Folder to write; by default the next free one under comparisons/. The same again goes on where it stopped."""

    def __post_init__(self) -> None:
        if not self.words:
            raise UserError("gridrl compare needs agents or run folders, such as: gridrl compare q-learning dqn")
        if not 0 < self.threshold <= 1:
            raise UserError(f"--threshold is a share of the best possible, above 0 and up to 1, got {self.threshold}.")


def main(argv: list[str]) -> int:
    """Train what is to be trained, and compare."""
    options: Any = parse(Options, "compare", argv, "Agents side by side, in one table and one figure.")

    import numpy as np
    from rich.console import Console

    from gridrl.commands.progress import INTERRUPTED
    from gridrl.comparison.contestants import prepare, sort_out
    from gridrl.comparison.measures import compare, load
    from gridrl.comparison.page import frame, page
    from gridrl.comparison.tables import print_tables
    from gridrl.plots.comparison import comparison_figure
    from gridrl.plots.style import save
    from gridrl.run_folder import writing

    console = Console(soft_wrap=True, highlight=False, markup=False)  # a path may hold brackets
    folder = _folder(options)
    contestants = sort_out(options.words, folder)
    if not contestants.agents:
        _refuse_training_options(options)
    jobs = prepare(contestants, options.problem, options.run, command_line())
    if jobs and not _train(console, jobs, options.run):
        hint = "" if options.out else f" --out {folder}"
        console.print(f"Stopped; what was learned is saved. To go on: {command_line()}{hint}")
        return INTERRUPTED
    console.print("measuring and drawing ...")
    entries, notes = load(contestants.folders)
    comparison = compare(entries, options.threshold, np.random.default_rng(BOOTSTRAP_SEED), notes)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        frame(comparison).to_csv(folder / "comparison.csv", index=False)
        (folder / "comparison.md").write_text(page(comparison, command_line()), encoding="utf-8")
        save(comparison_figure(comparison, rng=np.random.default_rng(BOOTSTRAP_SEED)), folder / "comparison.png")
    print_tables(console, comparison)
    for note in comparison.notes:
        console.print(f"Note: {note}")
    best = max(comparison.standings, key=lambda standing: float(standing.greedy.centre))
    console.print(
        f"Wrote {folder}: comparison.md, comparison.csv, comparison.png. Next:\n"
        f"  gridrl bias {' '.join(str(entry.run.folder.path) for entry in entries)}\n"
        f"  gridrl watch {contestants.folders[best.label]}"
    )
    return 0


def _folder(options: Options) -> Path:
    """Return the folder to write: the one asked for, if it is free or holds a comparison, or the next free one."""
    from gridrl.comparison.contestants import is_run_folder
    from gridrl.run_folder import RunFolder

    if options.out is None:
        run = next(filter(is_run_folder, options.words), None)
        env = options.problem.env if run is None else RunFolder.open(run).config.problem.env
        number, stem = 1, env.rpartition(":")[2]
        while (folder := Path("comparisons") / f"{stem}-{number}").exists():
            number += 1
        return folder
    if options.out.is_dir() and any(options.out.iterdir()) and not _holds_comparison(options.out):
        raise UserError(f"{options.out} exists and holds something else; choose another folder with --out.")
    if options.out.exists() and not options.out.is_dir():
        raise UserError(f"{options.out} is a file; choose a folder with --out.")
    return options.out


def _holds_comparison(folder: Path) -> bool:
    return (folder / "runs").is_dir() or (folder / "comparison.csv").is_file()


def _refuse_training_options(options: Options) -> None:
    """Raise `UserError` where options for training were given, and there is nobody to be trained."""
    defaults = Options(words=options.words)
    for owner in ("run", "problem"):
        given, default = getattr(options, owner), getattr(defaults, owner)
        for option in dataclasses.fields(given):
            if getattr(given, option.name) != getattr(default, option.name):
                name = option.name.replace("_", "-")
                raise UserError(f"--{name} is for agents to be trained, and only run folders were given; leave it out.")


def _train(console: "Console", jobs: "list[Job]", settings: TrainSettings) -> bool:
    """Train with a bar for each job; False when it was stopped by Ctrl-C."""
    from gridrl.commands.progress import train_jobs
    from gridrl.parallel import train_all

    console.print(f"training {', '.join(job.name for job in jobs)}: {settings.seeds} run(s) of each agent")
    return train_jobs(console, jobs, train_all(jobs, settings.processes))
