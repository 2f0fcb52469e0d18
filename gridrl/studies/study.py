"""What a study is: a question, the claim that it tests, and three steps, measure, judge and draw."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from gridrl.studies.made import Made

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
    left_out: tuple[str, ...] = ()  # a sentence for each run that it says nothing of

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
    """What a study does. Judging and drawing read the tables alone, never what was run."""

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
class Study(ABC):
    """A question that can be run."""

    name: str
    question: str
    claim: str
    source: str  # where the claim comes from, a short citation

    @property
    @abstractmethod
    def steps(self) -> Steps:
        """What the study does."""

    @property
    def asked_for(self) -> str:
        """What `gridrl study run` is given to run it."""
        return self.name

    def describe(self) -> list[str]:
        """Return what there is to know of the study before it is run, line by line."""
        return [self.name, "", self.question, f"Claim: {self.claim}", f"Source: {self.source}", ""]

    def takes(self, out: Path) -> bool:
        """Say whether the study may be written into `out`: there is nothing yet, or something it goes on with."""
        return not out.exists() or (out.is_dir() and not any(out.iterdir()))

    def run(self, out: Path, budget: Budget, num_seeds: int | None, console: "Console") -> Outcome:
        """Measure, judge and draw into the folder `out`: a csv file for each table, figure.png and verdict.md.

        Raises `UserError` where the folder cannot be written, or holds something already that this study does not
        go on with.
        """
        from gridrl.errors import UserError
        from gridrl.run_folder import writing

        begun = time.perf_counter()
        if not self.takes(out):
            raise UserError(f"{out} exists and is not empty; choose another folder with --out.")
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
        tables = self.steps.measure(out, budget, num_seeds, console)
        made = Made(self.asked_for, budget, num_seeds, time.perf_counter() - begun)
        with writing(out):
            made.write(out)
            self.keep(out)
            for name, table in tables.items():
                table.to_csv(out / f"{name}.csv", index=False)
        return self._tell(out, tables, made)

    def keep(self, out: Path) -> None:
        """Write what else the study is made from."""
        return

    def again(self, out: Path) -> Outcome:
        """Judge and draw again what `run` left in `out`; raises `UserError` where that is no folder of a study."""
        made = Made.read(out)
        tables = {path.stem: read_table(path) for path in sorted(out.glob("*.csv"))}
        return self._tell(out, tables, made)

    def _tell(self, out: Path, tables: Tables, made: Made) -> Outcome:
        from gridrl.plots.style import save
        from gridrl.run_folder import writing

        verdict = self.steps.judge(tables)
        with writing(out):
            figure = save(self.steps.draw(tables), out / "figure.png")
            page = out / "verdict.md"
            page.write_text(self._page(verdict, made), encoding="utf-8")
        written = {path for path in out.iterdir() if path.is_file()} - {figure, page}
        return Outcome(verdict, (*sorted(written), figure, page))

    def _page(self, verdict: Verdict, made: Made) -> str:
        return PAGE.format(
            name=self.name,
            question=self.question,
            claim=self.claim,
            source=self.source,
            outcome=verdict.outcome,
            findings="\n".join(f"* {finding.word}: {finding.text}" for finding in verdict.findings),
            left_out="".join(f"\n{sentence}\n" for sentence in verdict.left_out),
            command=made.command,
            seconds=made.seconds,
        )


@dataclass(frozen=True)
class ModuleStudy(Study):
    """A study whose steps are in `gridrl.studies.MODULE`, imported when they are first needed."""

    module: str
    resumes: bool = False  # whether measuring goes on with the runs that the folder holds already

    @property
    def steps(self) -> Steps:
        """The module's functions."""
        return import_module(f"gridrl.studies.{self.module}")

    def describe(self) -> list[str]:
        """Say where its steps are, too."""
        return [*super().describe(), f"Measured, judged and drawn by gridrl/studies/{self.module}.py", ""]

    def takes(self, out: Path) -> bool:
        """Say whether `out` is empty, or has runs to go on with."""
        return super().takes(out) or (self.resumes and (out / "runs").is_dir())


def read_table(path: Path) -> "pandas.DataFrame":
    """Return a table as it was written, numbers to the last bit."""
    import pandas

    rough = pandas.read_csv(path)  # by some of pandas's versions off in the last digits
    exact = dict.fromkeys(rough.select_dtypes("float").columns, lambda text: float(text or "nan"))
    return pandas.read_csv(path, converters=exact)


PAGE = """\
# {name}

{question}

Claim: {claim} ({source})

Verdict: {outcome}.

{findings}
{left_out}
![{name}](figure.png)

Made in {seconds:.0f} seconds, what was there already not counted, by:

    {command}
"""
