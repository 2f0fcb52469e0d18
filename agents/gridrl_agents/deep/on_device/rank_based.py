"""Draw what ranks highest in what there is to learn from it, on a device: rank-based priorities."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.home import saved
from gridrl_agents.deep.on_device.crossing import upload
from gridrl_agents.deep.on_device.importance import DeviceImportanceWeights
from gridrl_agents.deep.on_device.streams import DeviceStreams
from gridrl_agents.deep.on_device.sum_tree import DeviceSumTree, latest
from gridrl_agents.deep.rank_based import SORT_SHARE
from gridrl_agents.deep.shapes import check_shape
from gridrl_agents.streams import REPLAY


class DeviceRankBased:
    """P(i) = rank(i)^-alpha / sum_k rank(k)^-alpha, with the ranks of an array sorted now and then; see `RankBased`."""

    def __init__(
        self,
        device: torch.device,
        seeds: Sequence[int],
        capacity: int,
        batch_size: int,
        *,
        exponent: float,
        weights: DeviceImportanceWeights,
    ) -> None:
        runs = len(seeds)
        self._device = device
        self._streams = DeviceStreams(device, seeds, REPLAY)
        self._batch_size = batch_size
        self._weights = weights
        self._mass_of_rank = upload(np.arange(1.0, capacity + 1) ** -exponent, device)
        self._priority = torch.zeros(runs, capacity, device=device)  # of each place
        self._highest = torch.ones(runs, 1, device=device)
        self._place_in = torch.arange(capacity, device=device).repeat(runs, 1)  # of each slot: a permutation, and
        self._slot_of = self._place_in.clone()  # its inverse
        self._tree = DeviceSumTree(device, runs, capacity, batch_size)  # the mass of each slot
        self._sorted = torch.zeros(runs, 0, device=device)  # minus the priorities, when last sorted
        self._num_new = 0  # transitions since then
        self._num_changes = 0  # priorities of a run that changed since then

    def added(self, place: int) -> None:
        """Give the new transitions at `place` the highest priority so far, and the next of the ranks for new ones."""
        self._priority[:, place] = self._highest[:, 0]
        slot = self._slot_of[:, place, None]
        rank = min(self._num_new, len(self._mass_of_rank) - 1)
        self._tree.set(slot, self._mass_of_rank[rank].expand(slot.shape))
        self._num_new += 1
        self._num_changes += 1

    def draw(self, size: int) -> tuple[Tensor, Tensor]:
        """Return places below `size`, int64 [R, B], one from each of B segments of equal mass, and their weights."""
        if self._num_changes >= SORT_SHARE * size:
            self._sort(size)
        slot = self._tree.draw(self._streams.uniform(self._batch_size)).clamp_(max=size - 1)
        return self._place_in.gather(1, slot), self._weights(self._tree.mass(slot))

    def update(self, place: Tensor, priority: Tensor) -> None:
        """Set the priorities at `place`, both [R, B]."""
        kept = latest(place, priority)
        self._priority.scatter_(1, place, kept)
        rank = torch.searchsorted(self._sorted, -kept).clamp_(max=len(self._mass_of_rank) - 1)
        self._tree.set(self._slot_of.gather(1, place), self._mass_of_rank[rank])
        self._highest = torch.maximum(self._highest, priority.amax(dim=1, keepdim=True))
        self._num_changes += place.shape[1]

    def _sort(self, size: int) -> None:
        """Give each transition the slot and the mass of its rank; of equals, the lower place comes first."""
        priority, order = self._priority[:, :size].sort(dim=1, descending=True, stable=True)
        self._place_in[:, :size] = order
        self._slot_of.scatter_(1, order, torch.arange(size, device=self._device).expand_as(order))
        self._sorted = -priority
        self._tree.load(self._mass_of_rank[:size].expand_as(order))
        self._num_new = self._num_changes = 0

    def state_dict(self, size: int) -> dict[str, Any]:
        """Return priorities, slots and masses, [R, size] each, and all else that later draws depend on."""
        return {
            "priority": saved(self._priority[:, :size]),
            "place_in": saved(self._place_in[:, :size]),
            "mass": self._tree.masses(size),
            "sorted": saved(self._sorted),
            "highest": saved(self._highest),
            "num_new": self._num_new,
            "num_changes": self._num_changes,
            "num_draws": self._weights.num_draws,
            "streams": self._streams.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any], size: int) -> None:
        """Become what `state_dict` returned; raises `ValueError` for what does not fit."""
        runs, capacity = self._priority.shape
        slots = torch.arange(capacity, device=self._device).expand(runs, capacity)
        self._priority[:, :size] = upload(check_shape(state["priority"], (runs, size)), self._device)
        self._place_in[:] = slots
        self._place_in[:, :size] = upload(check_shape(state["place_in"], (runs, size)), self._device)
        self._slot_of.scatter_(1, self._place_in, slots)
        self._tree.load(check_shape(state["mass"], (runs, size)))
        self._sorted = upload(state["sorted"], self._device)
        self._highest = upload(check_shape(state["highest"], (runs, 1)), self._device)
        self._num_new, self._num_changes = int(state["num_new"]), int(state["num_changes"])
        self._weights.num_draws = int(state["num_draws"])
        self._streams.load_state_dict(state["streams"])
