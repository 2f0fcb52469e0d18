"""Files written while a training goes on."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any


class Writer:
    """Does one piece of writing at a time, in a thread of its own; a context that is left when all is written.

    What goes wrong is raised by the next `begin`, or at the end. Most of the time to write a checkpoint is checksum and
    disk, during which Python's lock is free, and the training goes on.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._begun: Future[Any] | None = None

    def begin(self, write: Callable[..., Any], *arguments: Any) -> None:
        """Begin to `write(*arguments)`, once what was begun before is done; the arguments must not change any more.

        Raises what the writing before raised, and then writes nothing.
        """
        self.wait()
        self._begun = self._thread.submit(write, *arguments)

    def wait(self) -> None:
        """Return when all that was begun is written; raise what went wrong."""
        begun, self._begun = self._begun, None
        if begun is not None:
            begun.result()

    def __enter__(self) -> "Writer":
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for what was begun. What went wrong with it is raised, unless something else went wrong already."""
        self._thread.shutdown(wait=True)
        if error is None:
            self.wait()
