"""`gridrl solve LEVEL`: the exact optimal values of a level."""

import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from gridrl.commands.options import parse

if TYPE_CHECKING:
    import numpy as np

    from gridrl.truth.optimal_play import Plays
    from gridrl.truth.solution import Solution

ACTIONS = ("up", "down", "left", "right")


@dataclass
class Options:
    """Find the optimal value of every state and action of a level from its rules."""

    level: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="LEVEL")]
    """A built-in level's name, one of our ids (dense-small-v0), or a level file (TOML or plain map)."""
    gamma: float = 0.99
    """Discount per step, from 0 to 1."""
    coins: int | None = None
    """Keep only this many coins, and at most as many poisons: those nearest to the start."""
    slip: float | None = None
    """Probability that a perpendicular action is taken instead; the level's own if not given."""
    max_steps: int | None = None
    """Steps after which an episode is cut; values leave it aside, the episodes that are played do not."""
    out: Path | None = None
    """Folder to write; by default the next free one under solutions/."""


def main(argv: list[str]) -> int:
    """Solve the level named in `argv`, print what was found and write it into a folder."""
    options: Any = parse(Options, "solve", argv, "The exact optimal values of a level, its optimal policy and return.")

    from rich.console import Console

    from gridrl.problem import LEVEL_COPY
    from gridrl.truth.solution import solve
    from gridrl.truth.solution_folder import VALUES, level_named, new_folder, play_from_starts, write_solution

    level = level_named(options.level, options.coins, options.slip, options.max_steps)
    begun = time.perf_counter()
    solution = solve(level, options.gamma)
    seconds = time.perf_counter() - begun
    plays = play_from_starts(solution)
    _print_table(Console(highlight=False), solution, plays)
    for remark in _remarks(solution, plays):
        print(remark)

    folder = new_folder(options.out, level)
    written = write_solution(solution, plays, folder)
    print(
        f"solved in {seconds:.2f} s, with {solution.num_sweeps} sweeps of value iteration at the most\n"
        f"wrote {folder}: {', '.join(path.name for path in written)}\n"
        f"V* [S] and Q* [S, A] are read with safetensors.numpy.load_file({str(folder / VALUES)!r});\n"
        "gridrl_envs.observations.StateIndex tells the number of a state. Next:\n"
        f"  gridrl train q-learning --level {shlex.quote(str(folder / LEVEL_COPY))} --gamma {options.gamma:g}\n"
        "  gridrl bias RUN      (the folder that train names: what is believed there, beside what is so)"
    )
    return 0


def _print_table(console: Any, solution: "Solution", plays: "list[Plays]") -> None:
    """Print a row for each start."""
    from rich.markup import escape
    from rich.table import Table

    from gridrl.truth.solution import optimal

    level, index = solution.level, solution.state_index
    sizes = {"coin": len(level.coins), "poison": len(level.poisons), "state": index.num_states}
    size = ", ".join(f"{number} {name}{'s' * (number != 1)}" for name, number in sizes.items())
    table = Table(title=f"{escape(level.name)}: {size}, gamma {solution.gamma:g}")
    for name in ("start\nrow, column", "V*", "optimal\nactions", "discounted\nreturn", "return", "steps", "episode"):
        table.add_column(name, justify="left" if name[:3] in ("sta", "opt", "epi") else "right")
    for cell, number, played in zip(level.starts, index.start_states, plays, strict=True):
        row, column = divmod(cell, level.columns)
        best = optimal(solution.q_values[number])
        table.add_row(
            f"{row + 1}, {column + 1}",
            f"{solution.values[number]:.6g}",
            ", ".join(name for name, is_best in zip(ACTIONS, best, strict=True) if is_best),
            _mean(played.returns(solution.gamma)),
            _mean(played.returns(1.0)),
            f"{played.episode.size / played.terminated.size:.4g}",
            _ending(played),
        )
    console.print(table)


def _mean(returns: "np.ndarray") -> str:
    error = f" \N{PLUS-MINUS SIGN} {returns.std(ddof=1) / len(returns) ** 0.5:.2g}" if len(returns) > 1 else ""
    return f"{returns.mean():.6g}{error}"


def _ending(plays: "Plays") -> str:
    """Say how the episodes from one start end."""
    num, ended, cut = plays.terminated.size, int(plays.terminated.sum()), int(plays.truncated.sum())
    if num > 1:
        return f"{ended} of {num} end" + (f", {cut} are cut" if cut else "")
    return "ends" if ended else "cut" if cut else "goes on, earning nothing"


def _remarks(solution: "Solution", plays: "list[Plays]") -> list[str]:
    """Say what the numbers leave aside."""
    level = solution.level
    remarks = [f"V* is without the step limit; episodes are played within it (max_steps = {level.max_steps})."]
    if any(played.truncated.any() for played in plays):
        remarks.append("It cuts episodes here, so that they may earn less than V* promises.")
    if level.slip > 0:
        remarks.append(f"Actions slip: returns are means of {plays[0].terminated.size} episodes, with standard errors.")
    if level.reward_noise > 0:
        remarks.append(f"Rewards have noise (deviation {level.reward_noise:g}): V* is that of the mean reward.")
    return remarks
