"""A study that trains agents as a file describes it: shards that are done, by whatever study, are not done again."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gridrl.errors import UserError
from gridrl.run_folder import writing
from gridrl.studies.claims import average, values_of
from gridrl.studies.design import Design
from gridrl.studies.quantities import QUANTITIES, Bounds, best_of, bounds_of, with_derived
from gridrl.studies.study import Budget, Steps, Study, Tables, Verdict
from gridrl.sweeps.engine import EngineSettings, make_engine
from gridrl.sweeps.run import failures_of, run_configs

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure
    from rich.console import Console

    from gridrl.plots.variants import Row

COPY = "study.toml"  # of the design, in the folder of a study
CURVES = "curves"
LEFT_OUT = "left-out"  # runs that broke, where there are any
SHARDS = Path("studies", ".shards")


@dataclass(frozen=True)
class Work:
    """Who trains, and where the results of shards are kept that studies share."""

    engine: EngineSettings = field(default_factory=EngineSettings)
    shards: Path = SHARDS


@dataclass(frozen=True)
class TrainedStudy(Study):
    """A question about variants of one training."""

    design: Design
    path: str | None = None  # of the user's own file
    work: Work = field(default_factory=Work)

    @classmethod
    def of(cls, name: str, design: Design, path: str | None = None) -> "TrainedStudy":
        """Return the study that a file describes."""
        return cls(name, design.question, design.claim, design.source, design, path)

    @property
    def asked_for(self) -> str:
        """The file's path where it is the user's own."""
        return self.path or self.name

    @property
    def steps(self) -> Steps:
        """The study itself."""
        return self

    def describe(self) -> list[str]:
        """Tell the variants, how the claim is tested, and the budgets, too."""
        design = self.design

        def settings(own: dict[str, Any]) -> str:
            return ", ".join(f"{name} {value}" for name, value in own.items())

        return [
            *super().describe(),
            f"All variants: {design.agent}, {settings(design.settings) or 'nothing set'}",
            *(f"  {label}: {settings(own) or 'as it is'}" for label, own in design.variants.items()),
            "",
            "The claim holds where all of this does:",
            *(f"  {part.text}" for part in design.parts),
            "",
            *(
                f"Budget {name}: {size.seeds} seeds, {size.steps} steps, evaluated every {size.eval_period}"
                for name, size in design.sizes.items()
            ),
            "",
        ]

    def keep(self, out: Path) -> None:
        """Copy the study's file."""
        (out / COPY).write_text(self.design.text, encoding="utf-8")

    def measure(self, folder: Path, budget: Budget, num_seeds: int | None, console: "Console") -> Tables:
        """Train what no study has trained yet; return what all variants measured, table `curves`.

        Runs that broke are left out and told of, table `left-out`; raises `UserError` where all of a variant did.
        """
        import pandas

        configs = self.design.configs(budget, num_seeds)
        labels = list(self.design.variants)
        bests = [best_of(config) for config in configs]
        with writing(self.work.shards):
            self.work.shards.mkdir(parents=True, exist_ok=True)
        try:
            found = run_configs(configs, labels, make_engine(self.work.engine), self.work.shards, console)
        except KeyboardInterrupt:
            console.print("Stopped; what was learned is saved. To go on: the same command again.")
            raise
        names = {*self.design.show, *(part.metric for part in self.design.parts)}
        tables, left_out = [], []
        for label, config, measured, best in zip(labels, configs, found, bests, strict=True):
            failures = failures_of(config, self.work.shards)
            for failure in failures:
                console.print(f"Left out: {label}: {failure.sentence}")
                left_out.append((label, failure.seed, failure.step, failure.name, failure.value))
            table = measured[~measured["run"].isin([failure.seed for failure in failures])]
            if table.empty:
                raise UserError(f"all runs of {label} broke, and there is nothing to judge: {failures[0].sentence}")
            tables.append(with_derived(table, names, best))
            tables[-1].insert(0, "variant", label)
        columns = ["variant", "run", "step", "broke_on", "value"]
        broken = {LEFT_OUT: pandas.DataFrame(left_out, columns=columns)} if left_out else {}
        return {CURVES: pandas.concat(tables, ignore_index=True), **broken}

    def judge(self, tables: Tables) -> Verdict:
        """Decide each part of the claim; say which runs broke, and so are in no number."""
        findings = tuple(part.judge(tables[CURVES]) for part in self.design.parts)
        broken = tables[LEFT_OUT].itertuples() if LEFT_OUT in tables else ()
        told = (
            f"Left out: seed {row.run} of '{row.variant}', "
            f"which broke at step {row.step} on its {row.broke_on}, {row.value}."
            for row in broken
        )
        return Verdict(findings, tuple(told))

    def draw(self, tables: Tables) -> "Figure":
        """Draw a row for each quantity that the file asks to be shown."""
        from gridrl.plots.variants import variants_figure

        bests = [best_of(config) for config in self.design.configs("smoke", 1)]
        rows = [self._row(tables[CURVES], name, bounds_of(name, bests)) for name in self.design.show]
        return variants_figure(rows, rng=np.random.default_rng(0), title=self.question)

    def _row(self, table: "pandas.DataFrame", name: str, best: Bounds | None) -> "Row":
        from gridrl.plots.variants import Row

        ends = {label: values_of(table, label, name, "end") for label in self.design.variants}
        truths = None
        if name == "max_q_start":
            earned = "greedy_discounted_return"
            truths = {label: average(values_of(table, label, earned, "end")) for label in ends}
        return Row(
            QUANTITIES[name].words,
            QUANTITIES[name].unit,
            table[table["metric"] == name],
            ends,
            {label: average(values) for label, values in ends.items()},
            best,
            truths,
        )
