"""`python -m benchmarks`: everything beside its peer, and how costs grow, in one run; tables, a JSON file, figures.

Each contender lives in a process of its own with one thread, all of a contest take turns, and a ratio is the median of
the ratios turn by turn. The peers come with `pip install -e ".[bench]"`; without one, its rows say so.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import (
    dqn,
    environments,
    growth_capacity,
    growth_cells,
    growth_runs,
    overhead,
    processes,
    products,
    rendering,
    replay,
    startup,
    studio,
    tabular,
)
from benchmarks.contest import Contest
from benchmarks.growth import Growth, measure_growth
from benchmarks.harness import ContenderError, hold
from benchmarks.machine import describe_machine, load
from benchmarks.results import contenders, rows

CONTESTS: tuple[Contest | Growth, ...] = (
    dqn.LEARNING,
    processes.CONTEST,
    products.CONTEST,
    dqn.VARIANTS,
    tabular.CONTEST,
    environments.CONTEST,
    replay.SMALL,
    replay.LARGE,
    rendering.CONTEST,
    startup.CONTEST,
    studio.CONTEST,
    overhead.CONTEST,
    growth_runs.GROWTH,
    growth_capacity.GROWTH,
    growth_cells.GROWTH,
)
SLOW = (
    replay.LARGE.name,
    overhead.CONTEST.name,
    studio.CONTEST.name,
)  # to get ready, or a piece of the work; left out by --quick


def main() -> int:
    """Hold the contests that were asked for, print the tables and write the files; return 1 where one failed."""
    names = [contest.name for contest in CONTESTS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="NAME", help=f"contests to hold: {', '.join(names)}"
    )
    parser.add_argument("--turns", type=int, help="turns of each contender, 5 if not given")
    parser.add_argument("--seconds", type=float, help="length of a turn, 1 if not given")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"), help="folder to write")
    parser.add_argument(
        "--quick", action="store_true", help="see that all works: 3 turns of .1 s, nothing large or slow"
    )
    options = parser.parse_args()
    turns = options.turns if options.turns is not None else 3 if options.quick else 5
    seconds = options.seconds if options.seconds is not None else 0.1 if options.quick else 1.0
    if turns < 1 or seconds <= 0:
        parser.error("--turns must be 1 or more and --seconds above 0")
    chosen = [
        contest
        for contest in CONTESTS
        if (contest.name in options.only if options.only else not (options.quick and contest.name in SLOW))
    ]
    if options.quick:
        chosen = [contest.quick() if isinstance(contest, Growth) else contest for contest in chosen]
    results = measure(chosen, turns, seconds)
    report(results, options.out)
    return 1 if results["failed"] else 0


def measure(contests: Sequence[Contest | Growth], turns: int, seconds: float) -> dict[str, Any]:
    """Hold the contests one after the other and return all that was found; one that fails is told and left out."""
    results: dict[str, Any] = {
        "machine": describe_machine(),
        "options": {"turns": turns, "seconds": seconds},
        "load": [load()],
        "about": {contest.name: contest.about for contest in contests},
        "comparisons": [],
        "contenders": [],
        "growths": [],
        "failed": [],
    }
    for contest in contests:
        print(f"{contest.name}: {contest.about}", file=sys.stderr, flush=True)
        try:
            if isinstance(contest, Growth):
                results["growths"].append(measure_growth(contest, turns, seconds))
            else:
                found = hold(contest, turns, seconds)
                results["comparisons"] += rows(contest, found)
                results["contenders"] += contenders(contest, found)
        except ContenderError as error:
            print(f"{contest.name} failed, and is left out. {error}", file=sys.stderr)
            results["failed"].append({"contest": contest.name, "reason": str(error)})
            continue
        results["load"].append(load())
    return results


def report(results: dict[str, Any], folder: Path) -> None:
    """Print the tables; write results.json and what tells of ratios and of growth, each as a table and a figure."""
    from rich.console import Console

    from benchmarks.figure import ratio_figure
    from benchmarks.growth_figure import growth_figure
    from benchmarks.growth_report import growth_markdown, growth_tables
    from benchmarks.report import markdown, tables
    from gridrl.plots.style import save

    console = Console()
    for part in (*tables(results), *growth_tables(results["growths"])):
        console.print(part)
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / "results.json"
    written.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {written}")
    if any(row.get("ratio") for row in results["comparisons"]):
        table = folder / "ratios.md"
        table.write_text(markdown(results["comparisons"]), encoding="utf-8")
        print(f"wrote {table}")
        print(f"wrote {save(ratio_figure(results), folder / 'ratios.png')}")
    if results["growths"]:
        table = folder / "growth.md"
        table.write_text(growth_markdown(results["growths"]), encoding="utf-8")
        print(f"wrote {table}")
        print(f"wrote {save(growth_figure(results), folder / 'growth.png')}")


if __name__ == "__main__":
    sys.exit(main())
