"""A step that is always the same operations is recorded once and then replayed: the device need not wait for Python."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

WARM_UP = 3  # calls before the recording, in which torch's libraries make themselves ready

Record = Callable[[Callable[[], Any]], tuple[Callable[[], None], Any]]


class Repeated:
    """A step from a named tuple of tensors, of fixed shapes, to a result; what it returns is good until the next call.

    Whatever else the step reads or writes must stay where it is, and no number of Python's may change between calls.
    """

    def __init__(self, step: Callable[[Any], Any], record: Record) -> None:
        """`record` takes a function, and returns what repeats its operations in place, and its result."""
        self._step = step
        self._record = record
        self._num_calls = 0
        self._given: Any = None  # what the recording reads
        self._result: Any = None  # and what it writes

    def __call__(self, given: Any) -> Any:
        """Return the step's result for `given`."""
        self._num_calls += 1
        if self._num_calls <= WARM_UP:
            return self._step(given)
        if self._given is None:
            self._given = given._make(field.clone() for field in given)
            self._replay, self._result = self._record(lambda: self._step(self._given))
        for kept, new in zip(self._given, given, strict=True):
            kept.copy_(new)
        self._replay()
        return self._result


def record_graph(device: torch.device, function: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
    """Record what `function` does on a CUDA device, without doing it, as a CUDA graph."""
    graph = torch.cuda.CUDAGraph()
    with _no_garbage(), torch.cuda.device(device), torch.cuda.graph(graph, capture_error_mode="thread_local"):
        result = function()
    return graph.replay, result


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Collect Python's garbage before and not meanwhile: the end of an old agent's graph would spoil a recording."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
