"""The sandbox in Python: what the commands do, for notebooks and scripts."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridrl.errors import unknown
from gridrl.flat_settings import sort_out
from gridrl.make_run import make_run_folder
from gridrl.parallel import jobs_of, train_all
from gridrl.run import Run
from gridrl.training import Training
from gridrl.truth import solution
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
    a script that asks for these begins its work below `if __name__ == "__main__":`. Warns of runs that broke. Raises
    `UserError`, `LevelError` or `SettingsError` for what is not right.
    """
    chosen = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    problem, training_settings, agent_settings = sort_out(agent, settings | {"seeds": len(chosen)})
    folder = make_run_folder(
        agent,
        problem,
        training_settings,
        agent_settings,
        seeds=chosen,
        out=None if out is None else Path(out),
        command="gridrl.train(...)",
        together=training_settings.processes in (None, 1),
    )
    if len(folder.groups) == 1:
        training = Training.resume(folder.path, training_settings.device)
        training.run()
        run: Run = training
    else:
        for _ in train_all(jobs_of(agent, folder), training_settings.processes):
            pass
        folder.gather()
        run = Run.load(folder.path)
    for failure in run.failures:
        warnings.warn(failure.sentence, stacklevel=2)
    return run


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
