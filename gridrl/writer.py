"""Files written while a training goes on."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any


class Writer:
    """Does one piece of writing at a time, in a thread of its own; a context that is left when all is written.

    What goes wrong is raised by the next `begin`, or at the end. Most of the time to write a checkpoint is checksum and
    disk, during which Python's lock is free, and the training goes on. Ctrl-C waits for no disk: what is not written by
    then may never be, and is not there in part.
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def begin(self, write: Callable[..., Any], *arguments: Any) -> None:
        """Begin to `write(*arguments)`, once what was begun before is done; the arguments must not change any more.

        Raises what the writing before raised, and then writes nothing.
        """
        self.wait()
        # A daemon, which the interpreter does not wait for at its end.
        self._thread = threading.Thread(target=self._write, args=(write, arguments), name="writer", daemon=True)
        self._thread.start()

    def _write(self, write: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        try:
            write(*arguments)
        except BaseException as error:
            self._error = error

    def wait(self) -> None:
        """Return when all that was begun is written; raise what went wrong."""
        if self._thread is not None:
            self._thread.join()
        error, self._thread, self._error = self._error, None, None
        if error is not None:
            raise error

    def __enter__(self) -> "Writer":
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for what was begun. What went wrong with it is raised, unless something else went wrong already."""
        if error is None:
            self.wait()
        elif isinstance(error, Exception) and self._thread is not None:
            self._thread.join()
