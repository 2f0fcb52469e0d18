"""Make a run folder for a training that is to begin: everything is checked first, groups are formed."""

import dataclasses
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gridrl.extras import require
from gridrl.grouping import group_sizes
from gridrl.problem import ProblemSettings
from gridrl.run import make_agent, make_problem
from gridrl.run_config import RunConfig
from gridrl.run_folder import RunFolder, writing
from gridrl.training_settings import TrainSettings
from gridrl_agents.registry import settings_class


def make_run_folder(
    agent: str,
    problem: ProblemSettings,
    settings: TrainSettings,
    agent_settings: dict[str, Any],
    *,
    seeds: Sequence[int] | None = None,
    out: Path | None = None,
    command: str | None = None,
    together: bool = False,
) -> RunFolder:
    """Check everything, and return the folder of a run that has not begun.

    Its runs are put into groups for `settings.processes` processes, or all `together` into one, as always on a device.
    Raises `UserError`, `LevelError` or `SettingsError` for what is not right, and then leaves no folder.
    """
    config = make_config(agent, problem, settings, agent_settings, seeds)
    one_run = make_agent(agent, config.agent_settings, make_problem(agent, problem), [0], settings.device)
    together = together or settings.device != "cpu"
    groups = None if together else group_sizes(len(config.seeds), one_run.step_bytes, settings.processes)
    if settings.tensorboard:
        require("tensorboard", "tensorboard", "--tensorboard")
    folder = RunFolder.create(out, config, command or " ".join(sys.argv), groups)
    if settings.tensorboard:
        with writing(folder.path):
            folder.events.mkdir()
    return folder


def make_config(
    agent: str,
    problem: ProblemSettings,
    settings: TrainSettings,
    agent_settings: dict[str, Any],
    seeds: Sequence[int] | None = None,
) -> RunConfig:
    """Return all that decides a run's result; raises `UserError` or `SettingsError` for settings that are not right."""
    return RunConfig(
        agent=agent,
        agent_settings=dataclasses.asdict(settings_class(agent)(**agent_settings)),
        problem=problem,
        seeds=list(seeds) if seeds is not None else list(range(settings.seeds)),
        steps=settings.steps,
        eval_period=settings.eval_period,
        eval_episodes=settings.eval_episodes,
        checkpoint_period=settings.checkpoint_period,
        snapshot_period=settings.snapshot_period or math.ceil(settings.steps / 10),
    )
