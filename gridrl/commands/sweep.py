"""`gridrl sweep FILE`: a grid of settings, each with many seeds, on one machine or on many."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from gridrl.commands.options import command_line, parse
from gridrl.sweeps.engine import EngineSettings

if TYPE_CHECKING:
    import pandas

    from gridrl.sweeps.sweep import Point


@dataclass
class Options:
    """Train every setting of a grid with the same seeds, and say what each earns."""

    file: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")]
    """TOML file with agent, seeds, [settings] and [grid]; docs/sweeps.md shows one."""
    work: EngineSettings = field(default_factory=EngineSettings)
    out: Path | None = None
    """Folder to write; by default sweeps/NAME, with the file's name. What is there already is not done again."""


def main(argv: list[str]) -> int:
    """Run the sweep in `argv`."""
    options: Any = parse(Options, "sweep", argv, "Every setting of a grid, with many seeds, on many cores or machines.")

    import pandas
    from rich.console import Console

    from gridrl.commands.progress import INTERRUPTED, tell_failures
    from gridrl.run_folder import writing
    from gridrl.sweeps.engine import make_engine
    from gridrl.sweeps.run import failures_of, run_configs
    from gridrl.sweeps.sweep import Sweep

    console = Console(soft_wrap=True, highlight=False, markup=False)
    points = Sweep.read(options.file).points()
    folder = options.out or Path("sweeps") / options.file.stem
    engine = make_engine(options.work)
    num_seeds = len(points[0].config.seeds)
    console.print(f"{len(points)} settings, {num_seeds} run(s) each, {points[0].config.steps} steps, into {folder}")
    try:
        tables = run_configs([p.config for p in points], [p.label for p in points], engine, folder, console)
    except KeyboardInterrupt:
        console.print(f"Stopped; what was learned is saved. To go on, the same again: {command_line()}")
        return INTERRUPTED
    runs = pandas.concat([_with_values(point, table) for point, table in zip(points, tables, strict=True)])
    with writing(folder):
        runs.to_csv(folder / "runs.csv", index=False)
    _print(console, points, tables)
    console.print(f"Wrote {folder}: runs.csv, results/.")
    return max(tell_failures(console, failures_of(p.config, folder), f"{p.label}: ") for p in points)


def _with_values(point: "Point", table: "pandas.DataFrame") -> "pandas.DataFrame":
    """Return a setting's table with a column in front for each value that the grid varies."""
    for column, value in reversed(point.values.items()):
        table.insert(0, column, str(value) if isinstance(value, list) else value)
    return table


def _print(console: Any, points: "list[Point]", tables: "list[pandas.DataFrame]") -> None:
    """Print what each setting earns at the end, the best first."""
    import numpy as np
    from rich.table import Table

    from gridrl.intervals import summarise

    table = Table(title="greedy return at the end: mean over runs (95 % bootstrap interval)")
    for column in points[0].values or {"agent": ""}:
        table.add_column(column)
    table.add_column("greedy return", justify="right")
    rows = []
    for point, measured in zip(points, tables, strict=True):
        last = measured[(measured["metric"] == "greedy_return") & (measured["step"] == point.config.steps)]
        names = [str(value) for value in point.values.values()] or [point.config.agent]
        if last.empty:
            rows.append((-np.inf, [*names, "all runs broke"]))
            continue
        found = summarise(last["value"].to_numpy(), np.random.default_rng(0))
        spread = "" if found.n == 1 else f" ({found.low:.1f} to {found.high:.1f})"
        broken = len(point.config.seeds) - found.n
        note = f", without {broken} that broke" if broken else ""
        rows.append((float(found.centre), [*names, f"{found.centre:.1f}{spread}{note}"]))
    for _, cells in sorted(rows, key=lambda row: row[0], reverse=True):
        table.add_row(*cells)
    console.print(table)
