"""The random numbers of environments: per environment three streams, drawn in blocks.

An environment's generator is seeded as Gymnasium seeds it; its children are, in this order, the stream of starts, of
slips (both uniform) and of the rewards' noise (standard normal). How many numbers one stream has given does not
change another. A block holds the very numbers that single draws would give.
"""

from collections.abc import Sequence

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

BLOCK = 2048
_LOW = 2**64 - 1


def children(seed_sequence: SeedSequence) -> tuple[SeedSequence, SeedSequence, SeedSequence]:
    """Return the seeds of the streams of starts, slips and noise of the environment with this seed."""
    key = seed_sequence.spawn_key
    start, slip, noise = (SeedSequence(seed_sequence.entropy, spawn_key=(*key, child)) for child in range(3))
    return start, slip, noise


class Streams:
    """One stream for each of `N` environments: `next(rows)` gives the next number of some of them, `next()` of all.

    `normal` streams are standard normal, the others uniform from 0 to 1.
    """

    def __init__(self, seeds: Sequence[SeedSequence], normal: bool = False) -> None:
        self._normal = normal
        self._generators = [Generator(PCG64(seed)) for seed in seeds]
        self._block = np.empty((len(seeds), BLOCK))
        self._row = np.arange(len(seeds)) * BLOCK  # where each block begins, all in one
        self._place = self._row.copy()  # of the next number of each
        self._left = BLOCK  # every block has at least so many numbers left
        self._block_states = np.zeros((len(seeds), 6), np.uint64)  # each generator before its block was drawn
        self._refill(range(len(seeds)))

    def seed(self, row: int, seed: SeedSequence) -> None:
        """Begin one environment's stream anew."""
        self._generators[row] = Generator(PCG64(seed))
        self._refill([row])

    def next(self, rows: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """Return the next number [M] of the streams of M different rows, or [N] of all."""
        if rows is None:
            numbers = self._block.take(self._place)
            self._place += 1
        else:
            place = self._place[rows]
            numbers = self._block.take(place)
            self._place[rows] = place + 1
        self._left -= 1
        if not self._left:
            self._refill(np.flatnonzero(self._position == BLOCK).tolist())
            self._left = BLOCK - int(self._position.max())
        return numbers

    @property
    def _position(self) -> NDArray[np.intp]:
        return self._place - self._row

    def state(self) -> NDArray[np.uint64]:
        """Return where all streams stand: uint64 [N, 7]."""
        return np.concatenate([self._block_states, self._position[:, None].astype(np.uint64)], axis=1)

    def set_state(self, state: NDArray[np.uint64]) -> None:
        """Go on where `state()` was taken."""
        for row, saved in enumerate(np.asarray(state, np.uint64)[:, :6].tolist()):
            high, low, inc_high, inc_low, has_uint32, uinteger = saved
            self._generators[row].bit_generator.state = {
                "bit_generator": "PCG64",
                "state": {"state": high << 64 | low, "inc": inc_high << 64 | inc_low},
                "has_uint32": has_uint32,
                "uinteger": uinteger,
            }
        self._refill(range(len(self._generators)))
        self._place[:] = self._row + state[:, 6].astype(np.intp)
        self._left = BLOCK - int(self._position.max())

    def _refill(self, rows: Sequence[int]) -> None:
        for row in rows:
            generator = self._generators[row]
            state = generator.bit_generator.state
            big = state["state"]
            self._block_states[row] = (
                *(big["state"] >> 64, big["state"] & _LOW, big["inc"] >> 64, big["inc"] & _LOW),
                *(state["has_uint32"], state["uinteger"]),
            )
            self._block[row] = generator.standard_normal(BLOCK) if self._normal else generator.random(BLOCK)
            self._place[row] = self._row[row]
