"""Draw what there is most to learn from, on a device: proportional priorities."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gridrl_agents.deep.home import saved
from gridrl_agents.deep.on_device.crossing import upload
from gridrl_agents.deep.on_device.importance import DeviceImportanceWeights
from gridrl_agents.deep.on_device.streams import DeviceStreams
from gridrl_agents.deep.on_device.sum_tree import DeviceSumTree, latest
from gridrl_agents.deep.proportional import EPSILON
from gridrl_agents.deep.shapes import check_shape
from gridrl_agents.streams import REPLAY


class DeviceProportional:
    """P(i) = p_i^alpha / sum_k p_k^alpha with p = |td_error| + epsilon; see `Proportional`."""

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
        self._device = device
        self._streams = DeviceStreams(device, seeds, REPLAY)
        self._batch_size = batch_size
        self._exponent = exponent
        self._weights = weights
        self._tree = DeviceSumTree(device, len(seeds), capacity, batch_size)
        self._highest = torch.ones(len(seeds), 1, dtype=torch.float64, device=device)  # priority to the power alpha

    def added(self, place: int) -> None:
        """Give the new transitions at `place` the highest priority so far."""
        self._tree.set(torch.full_like(self._highest, place, dtype=torch.int64), self._highest)

    def draw(self, size: int) -> tuple[Tensor, Tensor]:
        """Return places below `size`, int64 [R, B], one from each of B segments of equal mass, and their weights."""
        place = self._tree.draw(self._streams.uniform(self._batch_size)).clamp_(max=size - 1)
        return place, self._weights(self._tree.mass(place))

    def update(self, place: Tensor, priority: Tensor) -> None:
        """Set the priorities at `place`, both [R, B]."""
        mass = (priority.double() + EPSILON) ** self._exponent
        self._tree.set(place, latest(place, mass))
        self._highest = torch.maximum(self._highest, mass.amax(dim=1, keepdim=True))

    def state_dict(self, size: int) -> dict[str, Any]:
        """Return the masses [R, size], the highest so far, the count of draws and the streams."""
        return {
            "mass": self._tree.masses(size),
            "highest": saved(self._highest),
            "num_draws": self._weights.num_draws,
            "streams": self._streams.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any], size: int) -> None:
        """Become what `state_dict` returned; raises `ValueError` for what does not fit."""
        self._tree.load(check_shape(state["mass"], (len(self._highest), size)))
        self._highest = upload(check_shape(state["highest"], tuple(self._highest.shape)), self._device)
        self._weights.num_draws = int(state["num_draws"])
        self._streams.load_state_dict(state["streams"])
