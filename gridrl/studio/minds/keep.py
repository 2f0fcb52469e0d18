"""What a mind has learned as an ordinary run folder, which every other command reads."""

import csv
import dataclasses
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gridrl.problem import LEVEL_COPY, level_toml
from gridrl.recorder import Recorder
from gridrl.run import make_agent
from gridrl.run_config import RunConfig
from gridrl.run_folder import RunFolder, writing
from gridrl.studio.minds.worlds import is_same_view
from gridrl.training_settings import TrainSettings

if TYPE_CHECKING:
    from gridrl.studio.minds.mind import Mind
    from gridrl.studio.minds.moments import Moment

PERIODS = TrainSettings()
TOUCHES = "touches.csv"  # the step, and what was changed by hand


def keep(mind: "Mind", out: Path | None, command: str, moments: "Sequence[Moment]") -> Path:
    """Write the folder of a training that was stopped at the present step, and return its path; see `Mind.keep`."""
    mind.finish_measuring()
    recorder = Recorder(mind.seeds)  # the mind's own goes on as if nothing had been measured now
    recorder.load_state_dict(mind.recorder.state_dict())
    rows = list(mind.rows)
    if mind.step % mind.eval_period:
        rows += mind.measured(recorder)
    folder = _create(mind, out, command)
    with folder.lock():
        folder.append_metrics(rows)
        folder.append_timing(mind.step, mind.seconds)
        for moment in moments:
            if mind.line.passed(moment.line, moment.step) and is_same_view(moment.problem.level, mind.level):
                agent = make_agent(mind.name, moment.settings, moment.problem, mind.seeds)
                agent.load_state_dict(moment.agent)
                folder.save_snapshot(moment.step, agent.values_dict())
        folder.save_snapshot(mind.step, mind.agent.values_dict())
        state = mind.moment()
        folder.save_checkpoint(
            mind.step,
            {
                "step": mind.step,
                "agent": state.agent,
                "recorder": recorder.state_dict(),
                "broken": [mind.seeds[run] for run in state.broken],
                "env": state.env,
            },
        )
        if mind.touches:
            with writing(folder.path), open(folder.path / TOUCHES, "w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([("step", "change"), *mind.touches])
    return folder.path


def _create(mind: "Mind", out: Path | None, command: str) -> RunFolder:
    """Make the folder; a level that hands have changed goes into it."""
    with tempfile.TemporaryDirectory() as temporary:
        problem = mind.problem.settings
        if mind.problem.has_own_level:
            level = Path(temporary) / LEVEL_COPY
            level.write_text(level_toml(mind.level), encoding="utf-8")
            problem = dataclasses.replace(problem, level=str(level))
        config = RunConfig(
            agent=mind.name,
            agent_settings=mind.settings,
            problem=problem,
            seeds=mind.seeds,
            steps=max(mind.step, 1),
            eval_period=mind.eval_period,
            eval_episodes=mind.eval_episodes,
            checkpoint_period=PERIODS.checkpoint_period,
            snapshot_period=max(math.ceil(mind.step / 10), 1),
        )
        return RunFolder.create(out, config, command)
