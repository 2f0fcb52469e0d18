"""The sandbox in Python: what the commands do, for notebooks and scripts."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridrl.errors import unknown
from gridrl.make_run import make_run_folder
from gridrl.parallel import jobs_of, train_all
from gridrl.problem import ProblemSettings
from gridrl.run import Run
from gridrl.training import Training
from gridrl.training_settings import TrainSettings
from gridrl.truth import solution
from gridrl_agents.registry import settings_class
from gridrl_envs.level import Level

if TYPE_CHECKING:
    from gridrl.maps.situations import Situation


def train(
    agent: str = "dqn",
    *,
    seeds: int | Sequence[int] = 1,
    out: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> Run:
    """Train `agent` into a run folder and return the run.

    `seeds` is how many runs learn side by side, or their seeds. `settings` are the options of `gridrl train`, with
    underscores: those of the problem (`env`, `level`, `coins`, ...), of the training (`steps`, `eval_period`, ...) and
    of the agent (`learning_rate`, ...). All runs learn in this process or, with `processes` above 1, in so many others;
    a script that asks for these begins its work below `if __name__ == "__main__":`. Raises `UserError`, `LevelError` or
    `SettingsError` for what is not right.
    """
    known = {"problem": ProblemSettings, "run": TrainSettings, "agent": settings_class(agent)}
    sorted_out: dict[str, dict[str, Any]] = {owner: {} for owner in known}
    for name, value in settings.items():
        owner = next((owner for owner, fields in known.items() if name in _names(fields)), None)
        if owner is None:
            raise unknown("setting", name, {field for fields in known.values() for field in _names(fields)})
        sorted_out[owner][name] = value
    chosen = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    run_settings = TrainSettings(seeds=len(chosen), **sorted_out["run"])
    problem = ProblemSettings(**sorted_out["problem"])
    path = None if out is None else Path(out)
    folder = make_run_folder(
        agent,
        problem,
        run_settings,
        sorted_out["agent"],
        seeds=chosen,
        out=path,
        command="gridrl.train(...)",
        together=run_settings.processes in (None, 1),
    )
    if len(folder.groups) == 1:
        training = Training.resume(folder.path)
        training.run()
        return training
    for _ in train_all(jobs_of(agent, folder), run_settings.processes):
        pass
    folder.gather()
    return Run.load(folder.path)


def load(folder: str | os.PathLike[str]) -> Run:
    """Return the run in `folder`, as its newest checkpoint has it."""
    return Run.load(folder)


def solve(level: Level | str | os.PathLike[str], gamma: float) -> solution.Solution:
    """Return the exact optimal values of a level (built-in name, file or map); `LevelError` if it is too large."""
    return solution.solve(Level.load(level), gamma)


def value_map(
    run: Run | Sequence[Run],
    path: str | os.PathLike[str],
    seed: int | None = None,
    *,
    show: str = "value",
    situation: "Situation | None" = None,
    cell: int | None = None,
) -> Path:
    """Draw what a run believes (of one seed, or of up to four), or several runs on one level, and return `path`.

    `show` is a kind of `gridrl map --show`. `situation` (`gridrl.situations`) is which items are left and where the
    patrollers are; `cell`, flat, the one whose return distributions are drawn.
    """
    from gridrl.maps.kinds import KINDS, write
    from gridrl.maps.scene import Scene, Shown

    if show not in KINDS:
        raise unknown("kind of map", show, KINDS)
    runs = [run] if isinstance(run, Run) else list(run)
    shown = [
        Shown(each, index)
        for each in runs
        for index in ([each.best] if seed is None and len(runs) > 1 else each.shown(seed))
    ]
    write(Scene.of(shown, situation, cell), show, Path(path))
    return Path(path)


def _names(fields: Any) -> set[str]:
    return {field.name for field in dataclasses.fields(fields)}
