"""config.toml: everything that decides a run's result, the command that made it and the versions it was made with."""

import dataclasses
import json
import platform
import tomllib
from pathlib import Path
from typing import Any

import tomli_w

from gridrl import checkpoint
from gridrl.errors import UserError
from gridrl.problem import LEVEL_COPY, ProblemSettings

FORMAT = 2  # raised whenever a run folder of an older version can no longer be read


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run's result."""

    agent: str
    agent_settings: dict[str, Any]
    problem: ProblemSettings
    seeds: list[int]
    steps: int
    eval_period: int
    eval_episodes: int
    checkpoint_period: int
    snapshot_period: int

    @classmethod
    def read(cls, path: Path) -> "RunConfig":
        """Return what `write` wrote; raises `UserError` for a file that is damaged or of another version."""
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
            if data["format"] != FORMAT:
                raise UserError(
                    f"{path} has run format {data['format']}, this gridrl reads format {FORMAT}; "
                    f"it was written by gridrl {data['versions']['gridrl']}: use that version, or train again."
                )
            problem = ProblemSettings(**data["problem"])
            if problem.level == LEVEL_COPY:
                problem = dataclasses.replace(problem, level=str(path.parent / LEVEL_COPY))
            return cls(data["agent"]["name"], data["agent"]["settings"], problem, **data["run"])
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise UserError(f"{path} cannot be read ({error!r}); it was changed or damaged: train again.") from None

    def write(self, path: Path, command: str) -> None:
        """Write the file, whole or not at all; `command` is the line that makes this run."""
        problem = {name: value for name, value in dataclasses.asdict(self.problem).items() if value is not None}
        names = ("seeds", "steps", "eval_period", "eval_episodes", "checkpoint_period", "snapshot_period")
        settings = json.loads(json.dumps(self.agent_settings))  # tuples become lists
        data = {
            "format": FORMAT,
            "command": command,
            "run": {name: getattr(self, name) for name in names},
            "problem": problem,
            "agent": {"name": self.agent, "settings": {k: v for k, v in settings.items() if v is not None}},
            "versions": versions(),
        }
        checkpoint.write_atomically(path, tomli_w.dumps(data).encode())


def set_steps(path: Path, steps: int) -> None:
    """Write another number of steps into the file."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    data["run"]["steps"] = steps
    checkpoint.write_atomically(path, tomli_w.dumps(data).encode())


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a result depends on."""
    from importlib.metadata import version

    packages = ("gridrl", "numpy", "scipy", "gymnasium", "torch")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
