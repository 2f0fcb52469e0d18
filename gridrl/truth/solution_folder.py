"""A solved level on disk: its values, their map, the level itself and the optimal plan."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gridrl.checkpoint import write_atomically
from gridrl.errors import UserError
from gridrl.problem import LEVEL_COPY, level_toml
from gridrl.run_folder import writing
from gridrl.truth.optimal_play import Plays, play
from gridrl.truth.solution import Solution
from gridrl_envs.level import Level, builtin_levels
from gridrl_envs.options import configure

VALUES, MAP, PLAN = "values.safetensors", "value-map.png", "plan.txt"
NUM_PLAYS = 400  # from each start, where actions can slip


def level_named(name: str, coins: int | None, slip: float | None, max_steps: int | None) -> Level:
    """Return the level that `name` means (a built-in one, one of our ids, a file), with the settings that are given."""
    stem = name.removesuffix("-v0")
    return configure(stem if stem in builtin_levels() else name, coins, slip=slip, max_steps=max_steps)


def play_from_starts(solution: Solution) -> list[Plays]:
    """Return the optimal episodes from each start of the level: one, or `NUM_PLAYS` where actions can slip."""
    index = solution.state_index
    num_plays = 1 if solution.level.slip == 0 else NUM_PLAYS
    generators = np.random.default_rng(0).spawn(index.start_states.size)
    return [
        play(solution, index.decode(start.repeat(num_plays)), generator)
        for start, generator in zip(index.start_states[:, None], generators, strict=True)
    ]


def plan(plays: Plays) -> str:
    """Return the actions of an episode as digits, 0 up, 1 down, 2 left, 3 right."""
    return "".join(map(str, plays.action))


def new_folder(path: Path | None, level: Level) -> Path:
    """Make an empty folder (by default the next free one under solutions/) and return it.

    Raises `UserError` if it cannot be made or is not empty.
    """
    number = 1
    while path is None:
        free = Path("solutions", re.sub(r"[^\w.-]+", "-", f"{level.name}-{number}"))
        path, number = (None if free.exists() else free), number + 1
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise UserError(f"{path} exists and is not empty; choose another folder with --out.")
    return path


def write_solution(solution: Solution, plays: Sequence[Plays], folder: Path) -> list[Path]:
    """Write values, map and level into `folder`, and the plans (a line for each start) where nothing slips.

    Returns the files written.
    """
    from safetensors.numpy import save as encode

    from gridrl.maps.figures import solution_map
    from gridrl.plots.style import save

    level = solution.level
    arrays = {
        "values": solution.values,
        "q_values": solution.q_values,
        "start_states": solution.state_index.start_states,
    }
    with writing(folder):
        write_atomically(
            folder / VALUES, encode(arrays, metadata={"level": level.name, "gamma": f"{solution.gamma!r}"})
        )
        (folder / LEVEL_COPY).write_text(level_toml(level), encoding="utf-8")
        save(solution_map(solution), folder / MAP)
        if level.slip == 0:
            (folder / PLAN).write_text("".join(f"{plan(each)}\n" for each in plays), encoding="utf-8")
    return sorted(folder.iterdir())
