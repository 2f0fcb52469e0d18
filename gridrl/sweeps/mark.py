"""A file in a sweep's folder, by which a worker finds out that it sees the same folder as the driver does."""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from gridrl.run_folder import writing

PREFIX = ".seen-"


@contextlib.contextmanager
def marked(folder: Path) -> Iterator[Path]:
    """Put a mark into `folder` and yield its path; take it away in the end, and those of drivers that were killed.

    A driver holds its mark locked as long as it lives. Raises `UserError` where the folder cannot be written.
    """
    lock = FileLock(folder / f"{PREFIX}{secrets.token_hex(8)}")
    with writing(folder):
        for left in folder.glob(f"{PREFIX}*"):
            with contextlib.suppress(Timeout):
                _remove(FileLock(left))
        lock.acquire()
    try:
        yield Path(lock.lock_file)
    finally:
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)


def _remove(lock: FileLock) -> None:
    """Remove a file that nobody holds locked; raises `Timeout` where somebody does."""
    lock.acquire(timeout=0)
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)
