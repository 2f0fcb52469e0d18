"""Observation -> what the replay keeps -> what the network reads."""

from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.errors import SettingsError

if TYPE_CHECKING:
    from gymnasium import Space
    from gymnasium.spaces import Box, Discrete

MULTIPLE = 16  # floats in 64 bytes; see `pad`


def pad(size: int) -> int:
    """Return `size` rounded up to a multiple of 16.

    Rows of such a size all begin at the same place of a cache line and have no scalar tail, so that a run's numbers
    come out the same, to the last bit, whatever stands beside it. What is padded is zero and stays zero.
    """
    return -(-size // MULTIPLE) * MULTIPLE


class Encoder(Protocol):
    """Turns observations into rows that the replay keeps, and these into a network's inputs."""

    num_inputs: int  # of one observation, before any is left out: the initial weights are scaled by it
    live: np.ndarray  # which of them the network reads, int [F]
    stored_width: int
    stored_dtype: torch.dtype

    def encode(self, obs: np.ndarray) -> np.ndarray:
        """Return `obs` [R, N, ...] as rows [R, N, stored_width]."""

    def decode(self, row: np.ndarray) -> np.ndarray:
        """Return the observation that became this row [stored_width]; entries that were left out are zero."""

    def decode_all(self, rows: np.ndarray) -> np.ndarray:
        """Return the observations [M, ...] that became these rows [M, stored_width], as `decode` does."""

    def inputs(self, stored: Tensor) -> Tensor:
        """Return rows [R, B, stored_width] as a network's inputs, float32 [R, B, pad(F)]."""


class BoxEncoder:
    """A Box, flattened; entries outside the support are left out. uint8 stays uint8 until the network reads it.

    uint8 inputs are divided by the highest value of their space, so that pixels are between 0 and 1.
    """

    def __init__(self, space: "Box", support: np.ndarray | None = None) -> None:
        self._shape = space.shape
        self.num_inputs = int(np.prod(space.shape))
        if support is not None and np.shape(support) != space.shape:
            raise SettingsError(
                f"observation_support must have the observation's shape {space.shape}, not {np.shape(support)}; "
                "leave it out to read every entry."
            )
        self.live = np.arange(self.num_inputs) if support is None else np.flatnonzero(support)
        if not self.live.size:
            raise SettingsError("the observation has no entry that the network could read; choose another observation.")
        self.stored_width = pad(self.live.size)
        self._is_uint8 = space.dtype == np.uint8
        self.stored_dtype = torch.uint8 if self._is_uint8 else torch.float32
        self._dtype = np.dtype(np.uint8 if self._is_uint8 else np.float32)
        self._divisor = float(space.high.max()) if self._is_uint8 and space.high.max() > 0 else 1.0
        self._reads_all = self.live.size == self.num_inputs

    def encode(self, obs: np.ndarray) -> np.ndarray:
        """Return `obs` [R, N, ...] as rows [R, N, stored_width]."""
        runs, count = obs.shape[:2]
        rows = np.zeros((runs, count, self.stored_width), dtype=self._dtype)
        flat = obs.reshape(runs, count, self.num_inputs)
        rows[..., : self.live.size] = flat if self._reads_all else flat.take(self.live, axis=-1)
        return rows

    def decode(self, row: np.ndarray) -> np.ndarray:
        """Return the observation that became this row [stored_width]; entries that were left out are zero."""
        return self.decode_all(row[None])[0]

    def decode_all(self, rows: np.ndarray) -> np.ndarray:
        """Return the observations [M, ...] that became these rows [M, stored_width].

        An entry of all observations lies in one stretch of memory: those that are always zero are never written.
        """
        obs = np.zeros((self.num_inputs, len(rows)), dtype=self._dtype)
        obs[self.live] = rows.T[: self.live.size]
        return obs.T.reshape(len(rows), *self._shape)

    def inputs(self, stored: Tensor) -> Tensor:
        """Return rows [R, B, stored_width] as a network's inputs, float32 [R, B, pad(F)]."""
        inputs = stored.to(torch.float32)
        return inputs if self._divisor == 1.0 else inputs / self._divisor


class DiscreteEncoder:
    """A Discrete observation: kept as a number, read as a one-hot vector."""

    stored_width = 1
    stored_dtype = torch.int64

    def __init__(self, space: "Discrete") -> None:
        self.num_inputs = int(space.n)
        self.live = np.arange(self.num_inputs)
        self._start = int(space.start)

    def encode(self, obs: np.ndarray) -> np.ndarray:
        """Return `obs` [R, N] as rows [R, N, 1]."""
        return obs[..., None].astype(np.int64) - self._start

    def decode(self, row: np.ndarray) -> np.ndarray:
        """Return the number that became this row [1]."""
        return np.asarray(row[0] + self._start)

    def decode_all(self, rows: np.ndarray) -> np.ndarray:
        """Return the numbers [M] that became these rows [M, 1]."""
        return rows[:, 0] + self._start

    def inputs(self, stored: Tensor) -> Tensor:
        """Return rows [R, B, 1] as one-hot vectors, float32 [R, B, pad(n)]."""
        one_hot = torch.zeros(*stored.shape[:2], pad(self.num_inputs), device=stored.device)
        return one_hot.scatter_(2, stored, 1.0)


def make_encoder(space: "Space", support: np.ndarray | None = None) -> Encoder:
    """Return the encoder for a space of observations; raises `SettingsError` unless it is a Box or Discrete."""
    from gymnasium.spaces import Box, Discrete

    if isinstance(space, Discrete):
        return DiscreteEncoder(space)
    if isinstance(space, Box):
        return BoxEncoder(space, support)
    raise SettingsError(
        f"a network reads observations that are Box or Discrete, not {type(space).__name__}; "
        "wrap the environment in gymnasium.wrappers.FlattenObservation."
    )
