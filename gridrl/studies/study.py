"""What a study is: a question, the claim that it tests, and three steps, measure, judge and draw."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure
    from rich.console import Console

Budget = Literal["smoke", "short", "full"]  # seconds, minutes, a coffee break or more
Tables = Mapping[str, "pandas.DataFrame"]  # tidy, by the name of the csv file that each is kept in


class Finding(NamedTuple):
    """One part of a claim and what became of it, in a sentence with its numbers."""

    holds: bool | None  # None: within the noise, or not to be told from so few runs
    text: str

    @property
    def word(self) -> str:
        """The finding in a word or two."""
        return {True: "holds", False: "does not hold", None: "within the noise"}[self.holds]


class Verdict(NamedTuple):
    """What a study came to; it holds where all its findings hold, and does not where one does not."""

    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> str:
        """The verdict in words."""
        holds = [finding.holds for finding in self.findings]
        if all(holds):
            return "the claim holds"
        if False in holds:
            return "the claim does not hold"
        return "the claim is within the noise: more seeds or a larger budget may tell"


class Steps(Protocol):
    """The functions that the file of a study has. Judging and drawing read the tables alone, never what was run."""

    def measure(self, folder: Path, budget: Budget, num_seeds: int | None, console: "Console") -> Tables:
        """Return what was measured; `folder` takes what else is worth keeping. `num_seeds` None: the budget's own."""

    def judge(self, tables: Tables) -> Verdict:
        """Say whether the claim holds."""

    def draw(self, tables: Tables) -> "Figure":
        """Return the figure."""


class Outcome(NamedTuple):
    """A study that was run: its verdict, and what was written."""

    verdict: Verdict
    written: tuple[Path, ...]


@dataclass(frozen=True)
class Study:
    """A question that can be run. Its steps are in `gridrl.studies.MODULE`, imported when they are first needed."""

    name: str
    question: str
    claim: str
    source: str  # where the claim comes from, a short citation
    module: str
    resumes: bool = False  # whether measuring goes on with the runs that the folder holds already

    @property
    def steps(self) -> Steps:
        """The study's functions."""
        return import_module(f"gridrl.studies.{self.module}")

    def run(self, out: Path, budget: Budget, num_seeds: int | None, console: "Console") -> Outcome:
        """Measure, judge and draw into the folder `out`: a csv file for each table, figure.png and verdict.md.

        Raises `UserError` where the folder cannot be written, or holds something already that this study does not
        go on with.
        """
        from gridrl.errors import UserError
        from gridrl.run_folder import writing

        begun = time.perf_counter()
        goes_on = self.resumes and (out / "runs").is_dir()
        if out.exists() and not goes_on and (not out.is_dir() or any(out.iterdir())):
            raise UserError(f"{out} exists and is not empty; choose another folder with --out.")
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
        steps = self.steps
        tables = steps.measure(out, budget, num_seeds, console)
        written = []
        with writing(out):
            for name, table in tables.items():
                table.to_csv(out / f"{name}.csv", index=False)
                written.append(out / f"{name}.csv")
        verdict = steps.judge(tables)
        from gridrl.plots.style import save

        with writing(out):
            written.append(save(steps.draw(tables), out / "figure.png"))
            page = out / "verdict.md"
            page.write_text(self._page(verdict, budget, num_seeds, time.perf_counter() - begun), encoding="utf-8")
        return Outcome(verdict, (*written, page))

    def _page(self, verdict: Verdict, budget: Budget, num_seeds: int | None, seconds: float) -> str:
        seeds = "" if num_seeds is None else f" --seeds {num_seeds}"
        return PAGE.format(
            name=self.name,
            question=self.question,
            claim=self.claim,
            source=self.source,
            outcome=verdict.outcome,
            findings="\n".join(f"* {finding.word}: {finding.text}" for finding in verdict.findings),
            command=f"gridrl study run {self.name} --budget {budget}{seeds}",
            seconds=seconds,
        )


PAGE = """\
# {name}

{question}

Claim: {claim} ({source})

Verdict: {outcome}.

{findings}

![{name}](figure.png)

Made in {seconds:.0f} seconds by:

    {command}
"""
