"""`gridrl study list | show NAME | run NAME | plot NAME`: experiments that end with a figure and a verdict."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from gridrl.commands.options import parse
from gridrl.errors import UserError, unknown
from gridrl.studies.study import Budget
from gridrl.sweeps.engine import EngineSettings

if TYPE_CHECKING:
    from rich.console import Console

    from gridrl.studies.study import Outcome

USAGE = """\
usage: gridrl study list                          the studies there are
       gridrl study show NAME|FILE                what a study varies, and how its claim is tested
       gridrl study run NAME|all|FILE [OPTIONS]   gridrl study run --help tells the options
       gridrl study plot NAME|FOLDER              draw and judge again what was run"""
ALL = "all"
STUDIES = Path("studies")
NameArgument = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]


@dataclass
class ListOptions:
    """List the studies: the question of each, and the claim it tests."""


@dataclass
class ShowOptions:
    """Show a study: its variants, and how its claim is tested."""

    name: NameArgument
    """The study's name, or the file of one of your own."""


@dataclass
class RunOptions:
    """Run a study: a figure, the data behind it, and a verdict in words."""

    name: NameArgument
    """The study's name, `all`, or the file of one of your own (it ends in .toml)."""
    budget: Budget = "short"
    """How much is measured: smoke ends within a minute, short takes some minutes, full as long as it needs."""
    seeds: int | None = None
    """Runs of each agent, or draws; the budget's own number if not given."""
    out: Path | None = None
    """Folder to write; by default the first free of studies/NAME, studies/NAME-2, ... (`all`: a folder for each)."""
    shards: Path = STUDIES / ".shards"
    """Folder of trainings that studies share: what is there already is not trained again."""
    work: EngineSettings = field(default_factory=EngineSettings)

    def __post_init__(self) -> None:
        if self.seeds is not None and self.seeds < 1:
            raise UserError(f"--seeds must be 1 or more, got {self.seeds}; give a larger one.")


@dataclass
class PlotOptions:
    """Draw and judge again what was run."""

    name: NameArgument
    """The study's name, which stands for its latest folder under studies/, or a folder."""


def main(argv: list[str]) -> int:
    """List or show the studies, run the one that is named in `argv`, or all, or draw again what was run."""
    if not argv or argv[0] in ("-h", "--help"):
        print(USAGE)
        return 0 if argv else 2
    action, *rest = argv
    if action not in _ACTIONS:
        raise unknown("study command", action, _ACTIONS)
    return _ACTIONS[action](rest)


def _list(argv: list[str]) -> int:
    parse(ListOptions, "study list", argv, "List the studies: the question of each, and the claim it tests.")

    from rich.console import Console
    from rich.table import Table

    from gridrl.studies.registry import studies

    table = Table("study", "question", "claim", title="studies", show_lines=True)
    for study in studies():
        table.add_row(study.name, study.question, f"{study.claim} ({study.source})")
    Console(highlight=False).print(table)
    print("Look closer: gridrl study show NAME.  Run one: gridrl study run NAME --budget smoke")
    return 0


def _show(argv: list[str]) -> int:
    options: Any = parse(ShowOptions, "study show", argv, "Show a study: its variants, and how its claim is tested.")

    from rich.console import Console

    from gridrl.studies.registry import find

    study = find(options.name)
    Console(highlight=False, soft_wrap=True).print("\n".join(study.describe()), markup=False)
    print(f"Run it: gridrl study run {study.asked_for}")
    return 0


def _run(argv: list[str]) -> int:
    options: Any = parse(RunOptions, "study run", argv, "Run a study: a figure, its data, a verdict in words.")

    from rich.console import Console

    from gridrl.studies.folders import next_free
    from gridrl.studies.registry import find, studies
    from gridrl.studies.trained import TrainedStudy, Work

    console = Console(highlight=False, soft_wrap=True)
    for study in studies() if options.name == ALL else [find(options.name)]:
        if isinstance(study, TrainedStudy):
            study = dataclasses.replace(study, work=Work(options.work, options.shards))
        out = options.out or next_free(STUDIES, study.name)
        if options.out is not None and options.name == ALL:
            out = options.out / study.name
        console.print(f"[bold]{study.name}[/bold]: {study.question}\n  claim: {study.claim}")
        _tell(console, study.run(out, options.budget, options.seeds, console), out)
    larger = {"smoke": "short", "short": "full"}.get(options.budget)
    if larger:
        print(f"Next, with less noise:\n  gridrl study run {options.name} --budget {larger}")
    else:
        print("Next, the other studies:\n  gridrl study list")
    return 0


def _plot(argv: list[str]) -> int:
    options: Any = parse(PlotOptions, "study plot", argv, "Draw and judge again what was run; nothing is trained.")

    from rich.console import Console

    from gridrl.studies.folders import latest
    from gridrl.studies.registry import find, study_in

    folder = Path(options.name)
    if not folder.is_dir():
        folder = latest(STUDIES, find(options.name))
    _tell(Console(highlight=False, soft_wrap=True), study_in(folder).again(folder), folder)
    return 0


def _tell(console: "Console", outcome: "Outcome", out: Path) -> None:
    for finding in outcome.verdict.findings:
        console.print(f"  {finding.word}: {finding.text}", markup=False)
    for sentence in outcome.verdict.left_out:
        console.print(f"  {sentence}", markup=False)
    console.print(f"Verdict: {outcome.verdict.outcome}.")
    console.print(f"Wrote {out}: {', '.join(path.name for path in outcome.written)}")


_ACTIONS = {"list": _list, "show": _show, "run": _run, "plot": _plot}
