"""The folder of a sweep: results of shards that are done, and work on those that are not."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from gridrl.checkpoint import write_atomically
from gridrl.errors import UserError
from gridrl.failures import Failure, failures_in
from gridrl.run_folder import FAILURES, writing
from gridrl.sweeps.shard import Shard

if TYPE_CHECKING:
    import pandas

PATIENCE = 60.0  # seconds for another process that is at the same shard, and maybe on its way out


class Claimed(UserError):
    """Another process holds the shard."""


class Results:
    """`results/KEY.csv`, a shard's metrics, written whole or not at all; `work/KEY`, its run folder until then.

    `failures/KEY` holds what runs of a shard broke on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._results = folder / "results"
        self._work = folder / "work"
        self._failures = folder / FAILURES

    def create(self) -> None:
        """Make the folders where they are missing."""
        with writing(self.folder):
            self._results.mkdir(parents=True, exist_ok=True)
            self._work.mkdir(exist_ok=True)

    def path(self, shard: Shard) -> Path:
        """Return where a shard's result is, or will be."""
        return self._results / f"{shard.key}.csv"

    def has(self, shard: Shard) -> bool:
        """Say whether a shard is done."""
        return self.path(shard).is_file()

    def keep(self, shard: Shard, metrics: bytes) -> None:
        """Keep a shard's result, and drop the work on it; a second answer, which is the same, changes nothing."""
        with writing(self.folder):
            if not self.has(shard):
                self._keep_failures(shard)
                write_atomically(self.path(shard), metrics)
            shutil.rmtree(self.work(shard), ignore_errors=True)

    def _keep_failures(self, shard: Shard) -> None:
        work, kept = self.work(shard) / FAILURES, self._failures / shard.key
        if work.is_dir():
            self._failures.mkdir(exist_ok=True)
            shutil.rmtree(kept, ignore_errors=True)  # of one that was killed before it kept its result
            work.rename(kept)

    def failures(self, shard: Shard) -> list[Failure]:
        """Return the runs of a shard that broke."""
        return failures_in(self.read(shard), self._failures / shard.key)

    def work(self, shard: Shard) -> Path:
        """Return the run folder of a shard that is not done."""
        return self._work / shard.key

    @contextlib.contextmanager
    def claim(self, shard: Shard, patience: float = PATIENCE) -> Iterator[None]:
        """Hold a shard, so that no other process that sees this folder works on it.

        Raises `Claimed` where another one holds it, and goes on to for `patience` seconds.
        """
        lock = FileLock(self._work / f"{shard.key}.lock")
        with writing(self.folder):
            try:
                lock.acquire(timeout=patience)
            except Timeout:
                raise Claimed(
                    f"another process is at shard {shard.key} in {self.folder}; wait for it, or stop it."
                ) from None
        try:
            yield
        finally:
            lock.release()

    def read(self, shard: Shard) -> "pandas.DataFrame":
        """Return what a shard measured: columns run (its seed), update, step, metric, value."""
        import pandas

        return pandas.read_csv(self.path(shard), converters={"value": float})
