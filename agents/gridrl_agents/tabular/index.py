"""Which row of a table stands for which observation."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from gridrl_agents.base import Translation

if TYPE_CHECKING:
    from gymnasium import Space
    from gymnasium.spaces import Discrete


class Index(Protocol):
    """Turns observations into rows of a table."""

    @property
    def rows_needed(self) -> int:
        """The rows that the table must have by now."""

    def lookup(self, obs: np.ndarray) -> np.ndarray:
        """Return the rows of `obs` [R, N, ...], int64 [R, N]; what was never met has the first row that is free."""

    def add(self, obs: np.ndarray) -> np.ndarray:
        """Return the rows of `obs` [R, ...], int64 [R]; what was never met gets a row."""

    def observation(self, run: int, row: int) -> np.ndarray:
        """Return the observation that has this row in this run."""

    def metrics(self, row_bytes: int) -> dict[str, np.ndarray]:
        """Return what is worth watching, each [R]; a row of the table takes `row_bytes`."""

    def inherit(
        self, other: Self, translation: Translation, run: int, learned: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Add to a run's observations those of another world that mean something in this one.

        `learned` tells for the rows there, bool [S], whether something was learned of them. Returns rows there [M] and
        here [M] that mean the same; here no row comes twice.
        """

    def state_dict(self) -> dict[str, Any]:
        """Return all that the index holds."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned."""


class DirectIndex:
    """The number of a Discrete observation is its row."""

    def __init__(self, space: "Discrete") -> None:
        self._start = int(space.start)
        self.rows_needed = int(space.n)

    def lookup(self, obs: np.ndarray) -> np.ndarray:
        """Return the rows of `obs` [R, N], int64 [R, N]."""
        rows = np.asarray(obs, dtype=np.int64)
        return rows - self._start if self._start else rows

    add = lookup

    def observation(self, run: int, row: int) -> np.ndarray:
        """Return the number that has this row."""
        return np.asarray(row + self._start)

    def metrics(self, row_bytes: int) -> dict[str, np.ndarray]:
        """Return nothing: the table's size is fixed."""
        return {}

    def inherit(
        self, other: Self, translation: Translation, run: int, learned: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows there and here that mean the same; of several, the first of which something was learned."""
        there, settled = translation.entries.copy(), np.zeros(translation.entries.shape, dtype=bool)
        for choice in (translation.entries, *translation.stand_ins):
            better = ~settled & (choice >= 0) & learned[choice]
            there[better] = choice[better]
            settled |= better
        here = np.flatnonzero(there >= 0)
        return there[here], here

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: there is nothing to remember."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Remember nothing."""


class GrowingIndex:
    """Each run gives each observation that it meets the next free row, found again by the observation's bytes."""

    def __init__(self, space: "Space", num_runs: int) -> None:
        self._dtype = np.dtype(space.dtype)
        self._shape = space.shape or ()
        self._key_bytes = self._dtype.itemsize * int(np.prod(self._shape, dtype=np.int64))
        self._rows: list[dict[bytes, int]] = [{} for _ in range(num_runs)]

    @property
    def rows_needed(self) -> int:
        """One row for each observation met, of the run that met most, and a free one."""
        return max(map(len, self._rows)) + 1

    def lookup(self, obs: np.ndarray) -> np.ndarray:
        """Return the rows of `obs` [R, N, ...], int64 [R, N]; what was never met has the first row that is free."""
        return np.array(
            [
                [rows.get(key, len(rows)) for key in self._keys(each)]
                for rows, each in zip(self._rows, np.asarray(obs), strict=True)
            ],
            dtype=np.int64,
        ).reshape(np.shape(obs)[:2])

    def add(self, obs: np.ndarray) -> np.ndarray:
        """Return the rows of `obs` [R, ...], int64 [R]; what was never met gets a row."""
        found = [
            rows.setdefault(key, len(rows)) for rows, key in zip(self._rows, self._keys(np.asarray(obs)), strict=True)
        ]
        return np.array(found, dtype=np.int64)

    def observation(self, run: int, row: int) -> np.ndarray:
        """Return the observation that has this row in this run."""
        return np.frombuffer(list(self._rows[run])[row], dtype=self._dtype).reshape(self._shape)

    def metrics(self, row_bytes: int) -> dict[str, np.ndarray]:
        """Return `states`, how many were met, and `memory`, the bytes of their rows and keys."""
        states = np.array([len(rows) for rows in self._rows], dtype=np.float64)
        return {"states": states, "memory": states * (row_bytes + self._key_bytes)}

    def inherit(
        self, other: Self, translation: Translation, run: int, learned: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Meet what the other world's index has met, as it looks in this world; what was met first counts."""
        keys, rows = b"".join(other._rows[run]), self._rows[run]
        obs = np.frombuffer(keys, dtype=other._dtype).reshape(len(other._rows[run]), *other._shape)
        which, looks = translation.observations(obs)
        pairs = []
        for there, key in zip(which.tolist(), self._keys(looks), strict=True):
            if key not in rows:
                pairs.append((there, len(rows)))
                rows[key] = len(rows)
        there_here = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return there_here[:, 0], there_here[:, 1]

    def state_dict(self) -> dict[str, Any]:
        """Return the keys of each run, uint8 [rows, bytes], in the order of their rows."""
        return {
            str(run): np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), self._key_bytes).copy()
            for run, rows in enumerate(self._rows)
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned."""
        self._rows = [{key.tobytes(): row for row, key in enumerate(state[str(run)])} for run in range(len(self._rows))]

    def _keys(self, obs: np.ndarray) -> list[bytes]:
        return [each.tobytes() for each in obs.astype(self._dtype, copy=False)]


def make_index(space: "Space", num_runs: int) -> Index:
    """Return the index that fits a space of observations; raises `SettingsError` for one that is no array."""
    from gymnasium.spaces import Discrete

    from gridrl_agents.spaces import check_array_space

    check_array_space(space)
    return DirectIndex(space) if isinstance(space, Discrete) else GrowingIndex(space, num_runs)
