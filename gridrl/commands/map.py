"""`gridrl map RUN...`: what runs believe, drawn on the grid."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from gridrl.commands.options import parse
from gridrl.errors import UserError

if TYPE_CHECKING:
    from gridrl.maps.scene import Scene, Shown


@dataclass
class Options:
    """Draw what runs believe: values, actions, errors, visits, distributions, a film."""

    runs: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN...")]
    """The runs' folders; several on one level share a figure and a scale, each with its best seed."""
    show: Literal["value", "q", "difference", "td-error", "visits", "uncertainty", "distribution", "film", "all"] = (
        "value"
    )
    """What is drawn; difference: max Q less V*, or less what the policy earns where a level is too large to solve."""
    seed: int | None = None
    """Draw this seed's run alone; of one RUN all (at most four) if not given."""
    snapshot: int | None = None
    """Step of the training at which to look, one that was kept; the newest if not given."""
    collected: str = ""
    """Items that are gone, such as 3,7-9: numbered from 1, coins in reading order, then poisons."""
    step: int = 0
    """Step of the episode: where the patrollers are."""
    after: int | None = None
    """In place of these two: what the first one's greedy episode has come to after so many steps."""
    cell: str | None = None
    """ROW,COLUMN from 1, for the distributions; where the player stands if not given."""
    out: Path | None = None
    """File to write (.png, .svg, .pdf; a film also .gif, .mp4), a folder for all; by default RUN/figures/."""

    def __post_init__(self) -> None:
        if not self.runs:
            raise UserError("map draws run folders, such as runs/dqn-dense-v0-1; name at least one.")
        if self.after is not None and (self.collected or self.step):
            raise UserError("--after tells what was collected and which step it is; leave out --collected and --step.")
        if self.after is not None and self.after < 0:
            raise UserError(f"--after must be 0 or more, got {self.after}.")
        has_situation = self.after is not None or self.collected or self.step
        for given, option, kind, why in (
            (has_situation, "--collected, --step and --after", "visits", "visits are counted over whole episodes"),
            (self.seed is not None, "--seed", "uncertainty", "uncertainty is over all seeds"),
            (self.snapshot is not None, "--snapshot", "film", "a film shows all snapshots"),
        ):
            if given and self.show == kind:
                raise UserError(f"{why}; leave out {option}.")
        if self.cell is not None and self.show not in ("distribution", "all"):
            raise UserError("--cell is for --show distribution; leave it out, or add that.")


def main(argv: list[str]) -> int:
    """Draw the maps of the runs named in `argv`."""
    options: Any = parse(Options, "map", argv, "Draw what runs believe, on the grid.")

    from gridrl.maps.kinds import KINDS, write
    from gridrl.maps.scene import gather

    shown, faults = gather(options.runs, options.seed, options.snapshot)
    if not shown:
        _tell(faults[:-1])
        raise faults[-1]
    _tell(faults)
    scene = _scene(options, shown)
    folder = shown[0].run.folder.figures
    several = f"-of-{len(scene.runs)}-runs" if len(scene.runs) > 1 else ""
    run = shlex.quote(str(shown[0].run.folder.path))
    if options.show == "all":
        folder = options.out or folder
        written = _draw_all(scene, {name: folder / f"{kind.stem}{several}.png" for name, kind in KINDS.items()})
        print(f"wrote {folder}: {', '.join(path.name for path in written)}. Next:\n  gridrl watch {run}")
        return 0
    path = options.out or folder / f"{KINDS[options.show].stem}{several}.png"
    write(scene, options.show, path)
    more = f"gridrl map {run} --show all" if options.show == "value" else f"gridrl watch {run}"
    print(f"wrote {path}. Next:\n  {more}")
    return 0


def _scene(options: Options, shown: "list[Shown]") -> "Scene":
    from gridrl.maps.scene import Scene
    from gridrl.maps.situations import situation_after, situation_of

    world = shown[0].run.problem.gridworld
    if options.after is not None:
        situation = situation_after(*shown[0], options.after)
    else:
        situation = situation_of(world, _numbers(options.collected), options.step)
    cell = None if options.cell is None else _cell(options.cell, world.level.rows, world.level.columns)
    return Scene.of(shown, situation, cell)


def _draw_all(scene: "Scene", paths: dict[str, Path]) -> list[Path]:
    """Draw every kind that applies, say of each other one why not, and return the files written."""
    from gridrl.errors import user_errors
    from gridrl.maps.kinds import write
    from gridrl.run_folder import writing

    folder = next(iter(paths.values())).parent
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    written, faults = [], []
    for name, path in paths.items():
        try:
            write(scene, name, path)
            written.append(path)
        except user_errors() as error:
            faults.append(UserError(f"no {path.name}: {error}"))
    if not written:
        raise faults[0]
    _tell(faults)
    return written


def _tell(faults: Sequence[Exception]) -> None:
    for fault in faults:
        print(f"gridrl: {fault}", file=sys.stderr)


def _numbers(text: str) -> list[int]:
    """Return the numbers in a text such as "3,7-9"."""
    found: list[int] = []
    for part in text.split(",") if text else ():
        first, dash, last = part.strip().partition("-")
        if not (first.isdigit() and (last.isdigit() or not dash)):
            raise UserError(f"--collected takes the numbers of items, such as 3,7-9; got {text!r}.")
        found += range(int(first), int(last or first) + 1)
    return found


def _cell(text: str, rows: int, columns: int) -> int:
    """Return the flat cell named by a text such as "2,3"."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2 or not all(part.isdigit() for part in parts):
        raise UserError(f"--cell takes ROW,COLUMN, both from 1, such as 2,3; got {text!r}.")
    row, column = map(int, parts)
    if not (1 <= row <= rows and 1 <= column <= columns):
        raise UserError(f"--cell must be within rows 1 to {rows} and columns 1 to {columns}, got {text}.")
    return (row - 1) * columns + column - 1
