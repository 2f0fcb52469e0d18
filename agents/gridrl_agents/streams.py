"""Random numbers: every run owns one stream for each purpose, all derived from the run's seed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

INITIAL_WEIGHTS, EXPLORATION, REPLAY, ENVIRONMENT, EVALUATION, NOISE = range(6)
BLOCK = 4096  # numbers drawn at once per run, so that the cost of a step does not grow with Python calls


def seed_sequence(seed: int, purpose: int, *key: int) -> np.random.SeedSequence:
    """Return the seed of a run's stream for a purpose; `key` (a step, say) tells apart many of one purpose."""
    return np.random.SeedSequence(int(seed), spawn_key=(purpose, *map(int, key)))


class _Blocks:
    """Numbers of all runs, drawn in blocks; run k's depend on its seed and on no other run.

    All runs share one position in their blocks: whoever draws, draws the same count for each run.
    """

    _dtype: type[np.floating]

    def __init__(self, seeds: Sequence[int], purpose: int, *key: int, block: int = BLOCK) -> None:
        self._generators = [np.random.default_rng(seed_sequence(seed, purpose, *key)) for seed in seeds]
        self._block_size = block
        self._position = 0
        self._draw_block(0)

    def state_dict(self) -> dict[str, Any]:
        """Return where the streams stand: the generators at the beginning of the block, and the place in it."""
        return {
            "generators": self._generators_at_block,
            "block_size": self._numbers.shape[1],
            "position": self._position,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        for generator, saved in zip(self._generators, state["generators"], strict=True):
            generator.bit_generator.state = saved
        self._draw_block(state["block_size"])
        self._position = state["position"]

    def _next(self, count: int) -> np.ndarray:
        if self._position + count > self._numbers.shape[1]:
            self._draw_block(max(self._block_size, count))
        begin = self._position
        self._position = begin + count
        return self._numbers[:, begin : self._position]

    def _draw_block(self, size: int) -> None:
        self._generators_at_block = [generator.bit_generator.state for generator in self._generators]
        self._numbers: np.ndarray = np.empty((len(self._generators), size), dtype=self._dtype)
        for generator, row in zip(self._generators, self._numbers, strict=True):
            self._fill(generator, row)
        self._position = 0

    def _fill(self, generator: np.random.Generator, row: np.ndarray) -> None:
        raise NotImplementedError


class Streams(_Blocks):
    """Uniform numbers in [0, 1), float64; see `_Blocks`."""

    _dtype = np.float64

    def uniform(self, count: int) -> np.ndarray:
        """Return the next `count` numbers of each run, float64 [R, count]: a view, good until the next call.

        What a block has left is passed over where it is fewer than `count`.
        """
        return self._next(count)

    def _fill(self, generator: np.random.Generator, row: np.ndarray) -> None:
        generator.random(out=row)


class NormalStreams(_Blocks):
    """Numbers of mean 0 and variance 1, normally distributed, float32; see `_Blocks`."""

    _dtype = np.float32

    def normal(self, count: int) -> np.ndarray:
        """Return the next `count` numbers of each run, float32 [R, count], as `Streams.uniform` does."""
        return self._next(count)

    def _fill(self, generator: np.random.Generator, row: np.ndarray) -> None:
        generator.standard_normal(out=row, dtype=np.float32)
