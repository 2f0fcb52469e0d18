"""Something that is worked out in a thread of its own while a window is shown."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """The result of `work()`, None until it is there; what it raises is raised by `get`.

    A program that ends waits for it: what is loaded is loaded in some seconds.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._value: T | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="later")
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._work()
        except BaseException as error:
            self._error = error

    def get(self) -> T | None:
        """Return the result, None while it is worked out; raise what went wrong."""
        if self._error is not None:
            raise self._error
        return self._value

    @property
    def is_done(self) -> bool:
        """Whether there is a result, or an error."""
        return self._value is not None or self._error is not None
