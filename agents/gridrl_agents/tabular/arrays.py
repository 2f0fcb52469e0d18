"""Named arrays of all runs that grow together and are saved together."""

from collections.abc import Mapping
from typing import Any

import numpy as np


class Arrays:
    """Arrays [R, L, ...], each with what a fresh place holds; L doubles when there is need.

    Reading a name gives the array itself, to be written into; it is another array after `make_room`. The places of run
    k begin at `first[k]` when runs and places are counted as one, [R * L, ...].
    """

    def __init__(self, num_runs: int, length: int) -> None:
        self._num_runs = num_runs
        self._set_length(length)
        self._arrays: dict[str, np.ndarray] = {}
        self._fill: dict[str, Any] = {}
        self.row_bytes = 0  # of one place of one run, in all arrays

    def add(self, name: str, *shape: int, fill: float = 0.0, dtype: Any = np.float64) -> None:
        """Add an array [R, L, *shape] that is full of `fill`."""
        self._arrays[name] = np.full((self._num_runs, self.length, *shape), fill, dtype=dtype)
        self._fill[name] = fill
        self.row_bytes += self._arrays[name][:1, :1].nbytes

    def __getitem__(self, name: str) -> np.ndarray:
        """Return an array [R, L, ...]."""
        return self._arrays[name]

    @property
    def names(self) -> list[str]:
        """The arrays' names."""
        return list(self._arrays)

    def reset(self, run: int) -> None:
        """Make all places of one run fresh."""
        for name, array in self._arrays.items():
            array[run] = self._fill[name]

    def make_room(self, length: int) -> None:
        """Double what has become shorter than `length`."""
        if length > self.length:
            self._resize(max(2 * self.length, length))

    def state_dict(self, length: int | None = None) -> dict[str, np.ndarray]:
        """Return copies of the first `length` places, or of all."""
        return {name: array[:, :length].copy() for name, array in self._arrays.items()}

    def check(self, state: Mapping[str, Any]) -> None:
        """Raise `KeyError` or `ValueError` for a state that is not that of such arrays, of whatever length."""
        lengths = {state[name].shape[1] for name in self._arrays}
        if len(lengths) > 1:
            raise ValueError(f"its arrays have different lengths, {sorted(lengths)}")
        for name, array in self._arrays.items():
            expected = self._num_runs, *lengths, *array.shape[2:]
            check_array(name, state[name], expected, array.dtype)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned."""
        for name in self._arrays:
            self._arrays[name] = state[name].copy()
            self._set_length(state[name].shape[1])

    def _resize(self, length: int) -> None:
        for name, old in self._arrays.items():
            array = np.full((self._num_runs, length, *old.shape[2:]), self._fill[name], dtype=old.dtype)
            array[:, : old.shape[1]] = old
            self._arrays[name] = array
        self._set_length(length)

    def _set_length(self, length: int) -> None:
        self.length = length
        self.first = np.arange(self._num_runs) * length


def check_array(name: str, array: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Raise `ValueError` unless a saved array has the shape and dtype that are expected."""
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"its {name} is {array.dtype} {list(array.shape)}, expected {dtype} {list(shape)}")
