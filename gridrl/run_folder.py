"""A run's folder on disk: how to repeat it (config.toml), what was measured (metrics.csv), checkpoints and figures."""

import contextlib
import dataclasses
import json
import os
import platform
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from gridrl import checkpoint
from gridrl.errors import UserError
from gridrl.problem import LEVEL_COPY, ProblemSettings, freeze_level

if TYPE_CHECKING:
    import pandas

FORMAT = 2  # raised whenever a run folder of an older version can no longer be read
METRICS_HEADER = "run,update,step,metric,value\n"
TIMING_HEADER = "step,seconds\n"
KEPT_CHECKPOINTS = 2  # the newest, and one to fall back on


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


class RunFolder:
    """One training run on disk. Reading is free for all; whoever writes holds the lock.

    Raises `UserError` for a folder that is missing, half-written, from another version, locked or full.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.figures = self.path / "figures"
        self._metrics = self.path / "metrics.csv"
        self._timing = self.path / "timing.csv"
        self._checkpoints = self.path / "checkpoints"
        self._snapshots = self.path / "snapshots"

    @classmethod
    def create(cls, path: Path | None, config: RunConfig, command: str) -> "RunFolder":
        """Make the folder (by default the next free one under runs/) and write its config, last of all and whole."""
        names = (config.agent.rpartition(":")[2], config.problem.env.rpartition(":")[2])
        path = path or _next_free(Path("runs"), "-".join(names))
        folder = cls(path)
        with writing(path):
            if path.exists() and any(path.iterdir()):
                raise UserError(f"{path} exists and is not empty; choose another folder with --out, or resume it.")
            for part in (path, folder._checkpoints, folder._snapshots, folder.figures):
                part.mkdir(parents=True, exist_ok=True)
            folder._metrics.write_text(METRICS_HEADER, encoding="utf-8")
            folder._timing.write_text(TIMING_HEADER, encoding="utf-8")
            config = dataclasses.replace(config, problem=freeze_level(config.problem, path))
            checkpoint.write_atomically(path / "config.toml", _to_toml(config, command).encode())
        return folder

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "RunFolder":
        """Return the folder of an existing run."""
        folder = cls(path)
        if not folder.path.is_dir():
            raise UserError(f"{folder.path} is no folder; expected a run folder such as runs/dqn-dense-v0-1.")
        if not (folder.path / "config.toml").is_file():
            raise UserError(
                f"{folder.path} has no config.toml, so it is no run folder or was never finished being made; "
                "train again into a new folder."
            )
        return folder

    @property
    def config(self) -> RunConfig:
        """The run's settings as they were written."""
        path = self.path / "config.toml"
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
            if data["format"] != FORMAT:
                raise UserError(
                    f"{path} has run format {data['format']}, this gridrl reads format {FORMAT}; "
                    f"it was written by gridrl {data['versions']['gridrl']}: use that version, or train again."
                )
            problem = ProblemSettings(**data["problem"])
            if problem.level == LEVEL_COPY:
                problem = dataclasses.replace(problem, level=str(self.path / LEVEL_COPY))
            return RunConfig(data["agent"]["name"], data["agent"]["settings"], problem, **data["run"])
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise UserError(f"{path} cannot be read ({error!r}); it was changed or damaged: train again.") from None

    def extend(self, steps: int) -> None:
        """Set a new, larger number of steps; raises `UserError` for a smaller one."""
        config = self.config
        if steps < config.steps:
            raise UserError(f"{self.path} is set to {config.steps} steps; --steps must be larger, got {steps}.")
        path = self.path / "config.toml"
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        data["run"]["steps"] = steps
        with self.lock(), writing(self.path):
            checkpoint.write_atomically(path, tomli_w.dumps(data).encode())

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for writing; a second holder is refused and told who the first one is."""
        from filelock import FileLock, Timeout

        lock, owner = FileLock(self.path / ".lock"), self.path / ".lock-owner"
        with writing(self.path):
            try:
                lock.acquire(timeout=0)
            except Timeout:
                who = owner.read_text(encoding="utf-8") if owner.is_file() else "another process"
                raise UserError(
                    f"{self.path} is being written by {who}; wait for it, stop it, or use another folder."
                ) from None
        try:
            with writing(self.path):
                owner.write_text(f"process {os.getpid()} on {platform.node()}", encoding="utf-8")
            yield
        finally:
            with contextlib.suppress(OSError):
                owner.unlink(missing_ok=True)
            lock.release()

    def append_metrics(self, rows: list[tuple[int, int, int, str, float]]) -> None:
        """Append rows (run's seed, update, step, metric, value); values are written so that they read back exactly."""
        with writing(self.path), open(self._metrics, "a", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{run},{update},{step},{metric},{value!r}\n" for run, update, step, metric, value in rows)

    def append_timing(self, step: int, seconds: float) -> None:
        """Append how long the training has taken, in seconds, to come to `step`."""
        with writing(self.path), open(self._timing, "a", encoding="utf-8", newline="\n") as file:
            file.write(f"{step},{seconds:.3f}\n")

    def cut(self, step: int) -> None:
        """Drop what was measured and kept after `step`, and last lines that were cut short."""
        with writing(self.path):
            for path, header, column in ((self._metrics, METRICS_HEADER, 2), (self._timing, TIMING_HEADER, 0)):
                lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
                kept = [line for line in lines[1:] if line.endswith("\n") and int(line.split(",")[column]) <= step]
                checkpoint.write_atomically(path, "".join([header, *kept]).encode())
            for path in self._steps_in(self._snapshots).values():
                if _step_of(path) > step:
                    path.unlink()

    @property
    def metrics(self) -> "pandas.DataFrame":
        """All that was measured: columns run (its seed), update, step, metric, value."""
        return self._table(self._metrics, "value")

    @property
    def timing(self) -> "pandas.DataFrame":
        """The time that the training has taken: columns step and seconds, learning and evaluations included."""
        return self._table(self._timing, "seconds")

    def _table(self, path: Path, column: str) -> "pandas.DataFrame":
        import pandas

        if not path.is_file():
            raise UserError(f"{path} is missing; the folder was changed: train again.")
        return pandas.read_csv(path, converters={column: float})  # Python reads back just what was written

    def save_checkpoint(self, step: int, state: dict[str, Any]) -> Path:
        """Write a checkpoint whole or not at all, and remove the oldest beyond those kept."""
        path = self._checkpoints / _file_of(step)
        with writing(self.path):
            checkpoint.save(path, state)
            for old in self.checkpoints()[:-KEPT_CHECKPOINTS]:
                old.unlink()
        return path

    def checkpoints(self) -> list[Path]:
        """Return the checkpoints' files, oldest first."""
        return list(self._steps_in(self._checkpoints).values())

    @property
    def step(self) -> int:
        """The step of the newest checkpoint; 0 where there is none yet."""
        return max(self._steps_in(self._checkpoints), default=0)

    def save_snapshot(self, step: int, values: dict[str, Any]) -> None:
        """Keep what the agent believes at `step`, whole or not at all."""
        with writing(self.path):
            self._snapshots.mkdir(exist_ok=True)
            checkpoint.save(self._snapshots / _file_of(step), values)

    def snapshots(self) -> dict[int, Path]:
        """Return the snapshots' files by their steps, oldest first."""
        return self._steps_in(self._snapshots)

    @staticmethod
    def _steps_in(folder: Path) -> dict[int, Path]:
        paths = sorted(path for path in folder.glob("step-*.safetensors") if re.search(r"\d{10}", path.name))
        return {_step_of(path): path for path in paths}


def _file_of(step: int) -> str:
    return f"step-{step:010d}.safetensors"


def _step_of(path: Path) -> int:
    return int(path.stem.removeprefix("step-"))


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say in one sentence why something under `path` could not be written."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"cannot write {error.filename or path}: {error.strerror or error}; free space or choose another folder "
            "with --out. What was saved before is untouched."
        ) from error


def _next_free(parent: Path, stem: str) -> Path:
    number = 1
    while (parent / f"{stem}-{number}").exists():
        number += 1
    return parent / f"{stem}-{number}"


def _to_toml(config: RunConfig, command: str) -> str:
    problem = {name: value for name, value in dataclasses.asdict(config.problem).items() if value is not None}
    names = ("seeds", "steps", "eval_period", "eval_episodes", "checkpoint_period", "snapshot_period")
    run = {name: getattr(config, name) for name in names}
    settings = json.loads(json.dumps(config.agent_settings))  # tuples become lists
    return tomli_w.dumps(
        {
            "format": FORMAT,
            "command": command,
            "run": run,
            "problem": problem,
            "agent": {"name": config.agent, "settings": {k: v for k, v in settings.items() if v is not None}},
            "versions": versions(),
        }
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a result depends on."""
    from importlib.metadata import version

    packages = ("gridrl", "numpy", "scipy", "gymnasium", "torch")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
