"""Draw what ranks highest in what there is to learn from it: rank-based priorities (Schaul et al. 2016, variant 2)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.importance import ImportanceWeights
from gridrl_agents.deep.shapes import check_shape
from gridrl_agents.deep.sum_tree import SumTree
from gridrl_agents.streams import REPLAY, Streams

SORT_SHARE = 0.25  # sorted again once so many priorities have changed, as a share of all


class RankBased:
    """P(i) = rank(i)^-alpha / sum_k rank(k)^-alpha; rank 1 has the highest priority; alpha is `exponent`.

    As in the paper, the ranks are those of an array that is sorted only now and then. There, a heap keeps the order
    roughly in between. Here, a transition whose priority changes stays in its slot of the array but gets at once the
    mass of the rank that its new priority would have had when the array was sorted last; the k-th new transition since
    then gets the mass of rank k, as new ones have the highest priority. Segments of equal mass are segments of this
    array, so that each batch has its share of high, middle and low ranks.
    """

    def __init__(
        self, seeds: Sequence[int], capacity: int, batch_size: int, *, exponent: float, weights: ImportanceWeights
    ) -> None:
        runs = len(seeds)
        self._streams = Streams(seeds, REPLAY)
        self._batch_size = batch_size
        self._weights = weights
        self._run = np.arange(runs)[:, None]
        self._mass_of_rank = np.arange(1.0, capacity + 1) ** -exponent
        self._priority = np.zeros((runs, capacity), np.float32)  # of each place; as exact as td_errors are
        self._highest = np.ones((runs, 1), np.float32)
        self._place_in = np.tile(np.arange(capacity), (runs, 1))  # of each slot: a permutation, and
        self._slot_of = self._place_in.copy()  # its inverse
        self._tree = SumTree(runs, capacity, batch_size)  # the mass of each slot
        self._sorted = np.zeros((runs, 0), np.float32)  # minus the priorities, when last sorted
        self._num_new = 0  # transitions since then
        self._num_changes = 0  # priorities of a run that changed since then

    def added(self, place: int) -> None:
        """Give the new transitions at `place` the highest priority so far, and the next of the ranks for new ones."""
        self._priority[:, place] = self._highest[:, 0]
        slot = self._slot_of[:, place, None]
        rank = min(self._num_new, len(self._mass_of_rank) - 1)
        self._tree.set(slot, np.full(slot.shape, self._mass_of_rank[rank]))
        self._num_new += 1
        self._num_changes += 1

    def draw(self, size: int) -> tuple[np.ndarray, Tensor]:
        """Return places below `size`, int64 [R, B], one from each of B segments of equal mass, and their weights."""
        if self._num_changes >= SORT_SHARE * size:
            self._sort(size)
        slot = self._tree.draw(self._streams.uniform(self._batch_size))
        np.minimum(slot, size - 1, out=slot)
        place = self._place_in.take(slot + self._run * self._place_in.shape[1])
        return place, self._weights(self._tree.mass(slot))

    def update(self, place: np.ndarray, priority: np.ndarray) -> None:
        """Set the priorities at `place`, both [R, B]."""
        priority = np.asarray(priority, dtype=np.float32)
        index = place + self._run * self._priority.shape[1]
        self._priority.put(index, priority)
        rank = torch.searchsorted(torch.from_numpy(self._sorted), torch.from_numpy(-priority)).numpy()
        self._tree.set(self._slot_of.take(index), self._mass_of_rank.take(rank, mode="clip"))
        np.maximum(self._highest, priority.max(axis=1, keepdims=True), out=self._highest)
        self._num_changes += place.shape[1]

    def _sort(self, size: int) -> None:
        """Give each transition the slot and the mass of its rank; of equals, the lower place comes first."""
        # The bits of floats that are not negative order as the floats do. Priority and place in one whole number are
        # sorted in a third of the time that a stable `argsort` takes.
        bits = self._priority[:, :size].view(np.int32).astype(np.int64)
        order = np.sort((~bits << 32) | np.arange(size), axis=1) & 0xFFFFFFFF
        self._place_in[:, :size] = order
        np.put_along_axis(self._slot_of, order, np.arange(size)[None], axis=1)
        self._sorted = -np.take_along_axis(self._priority, order, axis=1)
        self._tree.load(np.broadcast_to(self._mass_of_rank[:size], order.shape))
        self._num_new = self._num_changes = 0

    def state_dict(self, size: int) -> dict[str, Any]:
        """Return priorities, slots and masses, [R, size] each, and all else that later draws depend on."""
        return {
            "priority": self._priority[:, :size].copy(),
            "place_in": self._place_in[:, :size].copy(),
            "mass": self._tree.masses(size).copy(),
            "sorted": self._sorted.copy(),
            "highest": self._highest.copy(),
            "num_new": self._num_new,
            "num_changes": self._num_changes,
            "num_draws": self._weights.num_draws,
            "streams": self._streams.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any], size: int) -> None:
        """Become what `state_dict` returned; raises `ValueError` for what does not fit."""
        runs, capacity = self._priority.shape
        self._priority[:, :size] = check_shape(state["priority"], (runs, size))
        self._place_in[:] = np.arange(capacity)
        self._place_in[:, :size] = check_shape(state["place_in"], (runs, size))
        np.put_along_axis(self._slot_of, self._place_in, np.arange(capacity)[None], axis=1)
        self._tree.load(check_shape(state["mass"], (runs, size)))
        self._sorted = state["sorted"].copy()
        self._highest[:] = check_shape(state["highest"], (runs, 1))
        self._num_new, self._num_changes = int(state["num_new"]), int(state["num_changes"])
        self._weights.num_draws = int(state["num_draws"])
        self._streams.load_state_dict(state["streams"])
