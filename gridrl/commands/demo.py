"""`gridrl demo`: the whole road once, in one folder."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridrl.commands.options import parse
from gridrl.errors import UserError


@dataclass
class Options:
    """Train a table and networks, draw what they learned, and set the truth beside it."""

    out: Path | None = None
    """Folder to write; by default the first free of gridrl-demo, gridrl-demo-2, ..."""
    seeds: int = 4
    """Runs of each agent."""
    scale: float = 1.0
    """Length of the training, as a share of the demo's own; .05 is a quick look."""

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise UserError(f"--seeds must be 1 or more, got {self.seeds}.")
        if not 0.001 <= self.scale <= 1000:
            raise UserError(f"--scale must be from 0.001 to 1000, got {self.scale}.")


def main(argv: list[str]) -> int:
    """Run the demo."""
    options: Any = parse(Options, "demo", argv, "A table and a network learn the same grid; under two minutes.")
    begun = time.perf_counter()

    from rich.console import Console

    from gridrl.commands.progress import INTERRUPTED, train_jobs
    from gridrl.run_folder import writing

    console = Console(highlight=False)
    console.print(
        "Q-learning and DQN on dense-small-v0, DQN on dense-v0: the same learning step for every seed at once."
    )
    from gridrl import demo
    from gridrl.parallel import train_all

    folder = options.out or _next_free()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists and is not empty; choose another folder with --out.")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    jobs = demo.prepare(folder, options.seeds, options.scale)
    if not train_jobs(console, jobs, train_all(jobs, order=demo.ORDER)):
        print(f"Stopped; what was learned is saved. To go on with one: gridrl resume {jobs[0].folder}")
        return INTERRUPTED
    console.print("drawing ...")
    results = demo.collect(jobs)
    with writing(folder):
        written = demo.draw(results, folder)
        summary = folder / "summary.md"
        summary.write_text(demo_summary(demo.rows(results), written, time.perf_counter() - begun), encoding="utf-8")
    _print_table(console, demo.rows(results))
    names = ", ".join(path.name for path in [summary, *written])
    best = results[2].run.folder.path
    print(
        f"Wrote {folder} in {time.perf_counter() - begun:.0f} s: {names}\n"
        "The last three columns are discounted. max Q(start) is what an agent believes: above 'best possible' it\n"
        "overestimates, whatever its policy does.\n"
        "Next:\n"
        f"  gridrl watch {best}    (see it play)\n"
        f"  gridrl map {best}    (the value maps of all seeds)\n"
        f"  gridrl bias {best}    (how much it overestimates, and where)\n"
        "  gridrl play    (do better yourself)\n"
        "  gridrl train dqn --env dense-v0 --seeds 4 --steps 80000"
    )
    return 0


def demo_summary(rows: Sequence[dict[str, str]], written: Sequence[Path], seconds: float) -> str:
    """Return the page that is written beside the figures."""
    columns = list(rows[0])
    table = [columns, ["---"] * len(columns), *([row[column] for column in columns] for row in rows)]
    pictures = {path.stem: path.name for path in written}
    return SUMMARY.format(
        table="\n".join("| " + " | ".join(cells) + " |" for cells in table), seconds=seconds, **_keys(pictures)
    )


def _keys(pictures: dict[str, str]) -> dict[str, str]:
    return {stem.replace("-", "_"): name for stem, name in pictures.items()}


def _next_free() -> Path:
    number = 1
    while (folder := Path("gridrl-demo" if number == 1 else f"gridrl-demo-{number}")).exists():
        number += 1
    return folder


def _print_table(console: Any, rows: Sequence[dict[str, str]]) -> None:
    from rich.table import Table

    table = Table(title="means over the runs (lowest to highest)")
    for column in rows[0]:
        is_name = column in ("agent", "level")
        table.add_column(column, justify="left" if is_name else "right", no_wrap=is_name)
    for row in rows:
        table.add_row(*(text.replace(" (", "\n(") for text in row.values()))
    console.print(table)


SUMMARY = """\
# gridrl demo

A table and a network learned `dense-small-v0`, whose optimal values are known exactly; a network learned `dense-v0`,
which has far too many states for a table. Made in {seconds:.0f} seconds.

{table}

Means over the runs, lowest and highest in brackets. *max Q(start)* is what the agent believes that the start is worth,
*it earns* what its greedy policy really earns from there, *best possible* what the best policy would; these three are
discounted (gamma .99). Belief above *best possible* is overestimation, whatever the policy does.

## Learning

![learning curves]({learning_curves})

## What is believed, what is earned, what is possible

![max Q beside the truth]({max_q})

## Value maps beside the true one

![value maps of dense-small]({value_maps_dense_small})

## The larger level

![value map of dense]({value_map_dense})

![the best policy]({best_policy})

## Next

    gridrl watch runs/dqn-dense-v0
    gridrl map runs/dqn-dense-v0
    gridrl bias runs/dqn-dense-v0
    gridrl train dqn --env dense-v0 --seeds 4 --steps 80000
"""
