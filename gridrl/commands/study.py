"""`gridrl study list | run NAME`: experiments that end with a figure, its data and a verdict."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from gridrl.commands.options import parse
from gridrl.errors import UserError, unknown
from gridrl.studies.study import Budget

USAGE = """\
usage: gridrl study list                     the studies there are
       gridrl study run NAME|all [OPTIONS]   gridrl study run --help tells the options"""
ALL = "all"


@dataclass
class ListOptions:
    """List the studies: the question of each, and the claim it tests."""


@dataclass
class RunOptions:
    """Run a study: a figure, the data behind it, and a verdict in words."""

    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]
    """The study's name, or `all`."""
    budget: Budget = "short"
    """How much is measured: smoke ends within a minute, short takes some minutes, full as long as it needs."""
    seeds: int | None = None
    """Runs of each agent, or draws; the budget's own number if not given."""
    out: Path | None = None
    """Folder to write; by default the first free of studies/NAME, studies/NAME-2, ... (`all`: a folder for each)."""

    def __post_init__(self) -> None:
        if self.seeds is not None and self.seeds < 1:
            raise UserError(f"--seeds must be 1 or more, got {self.seeds}; give a larger one.")


def main(argv: list[str]) -> int:
    """List the studies, or run the one that is named in `argv`, or all."""
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
    print("Run one: gridrl study run NAME.  All of them, quickly: gridrl study run all --budget smoke")
    return 0


def _run(argv: list[str]) -> int:
    options: Any = parse(RunOptions, "study run", argv, "Run a study: a figure, its data, a verdict in words.")

    from rich.console import Console

    from gridrl.studies.registry import find, studies

    console = Console(highlight=False, soft_wrap=True)
    chosen = studies() if options.name == ALL else [find(options.name)]
    for study in chosen:
        out = options.out or _next_free(Path("studies"), study.name)
        if options.out is not None and options.name == ALL:
            out = options.out / study.name
        console.print(f"[bold]{study.name}[/bold]: {study.question}\n  claim: {study.claim}")
        outcome = study.run(out, options.budget, options.seeds, console)
        for finding in outcome.verdict.findings:
            console.print(f"  {finding.word}: {finding.text}", markup=False)
        console.print(f"Verdict: {outcome.verdict.outcome}.")
        console.print(f"Wrote {out}: {', '.join(path.name for path in outcome.written)}")
    larger = {"smoke": "short", "short": "full"}.get(options.budget)
    if larger:
        print(f"Next, with less noise:\n  gridrl study run {options.name} --budget {larger}")
    else:
        print("Next, the other studies:\n  gridrl study list")
    return 0


def _next_free(parent: Path, name: str) -> Path:
    number = 1
    while (folder := parent / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return folder


_ACTIONS = {"list": _list, "run": _run}
