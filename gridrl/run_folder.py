"""A run's folder on disk: how to repeat it (config.toml), what was measured (metrics.csv), checkpoints and figures."""

import contextlib
import dataclasses
import errno
import os
import platform
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridrl import checkpoint
from gridrl.checkpoint import TEMPORARY
from gridrl.errors import UserError
from gridrl.failures import Failure, failures_in
from gridrl.problem import freeze_level
from gridrl.run_config import RunConfig, set_steps
from gridrl.tidy_table import TidyTable, in_order_of_steps

if TYPE_CHECKING:
    import pandas

GROUPS = "groups"  # the folder of the groups' folders
FAILURES = "failures"  # the folder of what runs broke on
KEPT_CHECKPOINTS = 2  # the newest, and one to fall back on


class RunFolder:
    """One training run on disk. Reading is free for all; whoever writes holds the lock.

    Runs that learned in several groups have a folder each group under groups/, in the order of their seeds; what was
    measured is read as if all had learned together.

    Raises `UserError` for a folder that is missing, half-written, from another version, locked or full.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.figures = self.path / "figures"
        self._metrics = TidyTable(self.path / "metrics.csv", ("run", "update", "step", "metric", "value"))
        self._timing = TidyTable(self.path / "timing.csv", ("step", "seconds"))
        self._checkpoints = self.path / "checkpoints"
        self._snapshots = self.path / "snapshots"
        whole = self.path.parent.parent if self.path.parent.name == GROUPS else self.path
        self.events = (whole if (whole / "config.toml").is_file() else self.path) / "tensorboard"  # for those who asked

    @classmethod
    def create(
        cls, path: Path | None, config: RunConfig, command: str, groups: Sequence[int] | None = None
    ) -> "RunFolder":
        """Make the folder (by default the next free one under runs/) and write its config, last of all and whole.

        `groups`: how many of the runs learn together in each group; None, or one group: all in this folder itself.
        """
        names = (config.agent.rpartition(":")[2], config.problem.env.rpartition(":")[2])
        path = path or _next_free(Path("runs"), "-".join(names))
        folder = cls(path)
        with writing(path):
            if path.exists() and any(path.iterdir()):
                raise UserError(f"{path} exists and is not empty; choose another folder with --out, or resume it.")
            for part in (path, folder._checkpoints, folder._snapshots, folder.figures):
                part.mkdir(parents=True, exist_ok=True)
            folder._metrics.create()
            folder._timing.create()
            if groups is not None and len(groups) > 1:
                seeds = iter(config.seeds)
                for number, size in enumerate(groups):
                    own = dataclasses.replace(config, seeds=list(islice(seeds, size)))
                    cls.create(path / GROUPS / str(number), own, command)
            config = dataclasses.replace(config, problem=freeze_level(config.problem, path))
            config.write(path / "config.toml", command)
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
        return RunConfig.read(self.path / "config.toml")

    @property
    def groups(self) -> "list[RunFolder]":
        """The folders of the groups, each with runs that learn together; this one alone where all do."""
        groups = [RunFolder(file.parent) for file in (self.path / GROUPS).glob("*/config.toml")]
        return sorted(groups, key=lambda group: int(group.path.name)) or [self]

    @property
    def _is_grouped(self) -> bool:
        return (self.path / GROUPS).is_dir()

    def extend(self, steps: int) -> None:
        """Set a new, larger number of steps; raises `UserError` for a smaller one."""
        config = self.config
        if steps < config.steps:
            raise UserError(f"{self.path} is set to {config.steps} steps; --steps must be larger, got {steps}.")
        if self._is_grouped:
            for group in self.groups:
                group.extend(steps)
        with self.lock(), writing(self.path):
            set_steps(self.path / "config.toml", steps)

    @contextlib.contextmanager
    def lock(self, patience: float = 0.0) -> Iterator[None]:
        """Hold the folder for writing; a second holder is refused, after `patience` seconds, and told who has it."""
        from filelock import FileLock, Timeout

        lock, owner = FileLock(self.path / ".lock"), self.path / ".lock-owner"
        with writing(self.path):
            try:
                lock.acquire(timeout=patience)
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
        with writing(self.path):
            self._metrics.append(
                f"{run},{update},{step},{metric},{value!r}\n" for run, update, step, metric, value in rows
            )

    def append_timing(self, step: int, seconds: float) -> None:
        """Append how long the training has taken, in seconds, to come to `step`."""
        with writing(self.path):
            self._timing.append([f"{step},{seconds:.3f}\n"])

    def cut(self, step: int) -> None:
        """Drop what was measured and kept after `step`, and what a process that was killed left half-written."""
        with writing(self.path):
            for folder in (self.path, self._checkpoints, self._snapshots):
                for leftover in folder.glob(TEMPORARY):
                    leftover.unlink()
            self._metrics.cut(step)
            self._timing.cut(step)
            for path in self.snapshots().values():
                if _step_of(path) > step:
                    path.unlink()

    def gather(self) -> None:
        """Write what the groups measured into this folder's own tables, for whoever opens them; one group has."""
        if self._is_grouped:
            with self.lock(), writing(self.path):
                self._metrics.replace(in_order_of_steps(group._metrics for group in self.groups))
                self._timing.replace(f"{step},{seconds:.3f}\n" for step, seconds in self.timing.itertuples(index=False))

    @property
    def metrics(self) -> "pandas.DataFrame":
        """All that was measured: columns run (its seed), update, step, metric, value."""
        import pandas

        tables = [group._metrics.read() for group in self.groups]
        return pandas.concat(tables).sort_values("step", kind="stable", ignore_index=True)

    @property
    def timing(self) -> "pandas.DataFrame":
        """The time that the training has taken: columns step and seconds, learning and evaluations included.

        Of several groups these are the seconds of all processes together, at the steps that all have reached.
        """
        import pandas

        tables = [group._timing.read() for group in self.groups]
        by_step = pandas.concat(tables).groupby("step", as_index=False)["seconds"].agg(["sum", "count"])
        return by_step[by_step["count"] == len(tables)].rename(columns={"sum": "seconds"})[["step", "seconds"]]

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
        """The step of the newest checkpoint, of several groups the earliest such; 0 where there is none yet."""
        return min(max(self._steps_in(group._checkpoints), default=0) for group in self.groups)

    def save_snapshot(self, step: int, values: dict[str, Any]) -> None:
        """Keep what the agent believes at `step`, whole or not at all."""
        with writing(self.path):
            self._snapshots.mkdir(exist_ok=True)
            checkpoint.save(self._snapshots / _file_of(step), values)

    def snapshots(self) -> dict[int, Path]:
        """Return the snapshots' files by their steps, oldest first."""
        return self._steps_in(self._snapshots)

    @property
    def failures(self) -> list[Failure]:
        """The runs that broke, of all groups."""
        groups = [(group._metrics.read(), group.path / FAILURES) for group in self.groups]
        return [failure for metrics, folder in groups for failure in failures_in(metrics, folder)]

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
        if error.errno == errno.ENOENT and not path.exists():
            raise UserError(
                f"{path} was removed or moved while it was written; what was saved is where it went, and gridrl resume "
                "goes on there."
            ) from error
        raise UserError(
            f"cannot write {error.filename or path}: {error.strerror or error}; free space or choose another folder "
            "with --out. What was saved before is untouched."
        ) from error


def _next_free(parent: Path, stem: str) -> Path:
    number = 1
    while (parent / f"{stem}-{number}").exists():
        number += 1
    return parent / f"{stem}-{number}"
