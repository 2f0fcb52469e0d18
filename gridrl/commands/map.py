"""`gridrl map RUN`: what a run believes, drawn on the grid."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridrl.commands.options import RunArgument, parse


@dataclass
class Options:
    """Draw the values and greedy arrows of a run at the start of an episode."""

    run: RunArgument
    """The run's folder."""
    seed: int | None = None
    """Draw this seed's run alone; all of them (at most four) on one scale if not given."""
    out: Path | None = None
    """Picture to write (.png, .svg, .pdf); by default figures/value-map.png in the run's folder."""


def main(argv: list[str]) -> int:
    """Draw the value map of the run named in `argv`."""
    options: Any = parse(Options, "map", argv, "Draw what a run believes: values and greedy arrows on the grid.")

    from gridrl.figures import value_map_of
    from gridrl.plots.style import save
    from gridrl.run_folder import writing
    from gridrl.training import Run

    run = Run.load(options.run)
    path = options.out or run.folder.figures / "value-map.png"
    with writing(path):
        save(value_map_of(run, run.shown(options.seed)), path)
    print(f"wrote {path}. Next:\n  gridrl watch {options.run}")
    return 0
