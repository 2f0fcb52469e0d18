"""Ctrl-C that finishes the step first."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class StopRequest:
    """Whether somebody asked for the end: false until the first signal."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None


@contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Turn the first Ctrl-C (or SIGTERM, or a closed terminal) into a request; the second acts at once, as always.

    In a thread other than the main one signals cannot be caught, and the request stays false.
    """
    request = StopRequest()
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before: dict[int, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def catch(number: int, _frame: FrameType | None) -> None:
        request.signal = number
        restore()

    try:
        for name in names:
            number = getattr(signal, name)
            before[number] = signal.signal(number, catch)
    except ValueError:
        before.clear()
    try:
        yield request
    finally:
        restore()
