"""Every kept transition is as likely as any other, on a device."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gridrl_agents.deep.on_device.streams import DeviceStreams
from gridrl_agents.streams import REPLAY


class DeviceUniform:
    """Draws places of a replay evenly and with replacement; all weights are one."""

    def __init__(self, device: torch.device, seeds: Sequence[int], batch_size: int) -> None:
        self._streams = DeviceStreams(device, seeds, REPLAY)
        self._batch_size = batch_size
        self._weight = torch.ones(len(seeds), batch_size, device=device)

    def added(self, place: int) -> None:
        """Nothing changes: a new transition is as likely as an old one."""

    def draw(self, size: int) -> tuple[Tensor, Tensor]:
        """Return places below `size`, int64 [R, B], and the weights, ones [R, B]."""
        return (self._streams.uniform(self._batch_size) * size).long(), self._weight

    def update(self, place: Tensor, priority: Tensor) -> None:
        """Nothing changes: errors do not matter."""

    def state_dict(self, size: int) -> dict[str, Any]:
        """Return the streams."""
        return {"streams": self._streams.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any], size: int) -> None:
        """Become what `state_dict` returned."""
        self._streams.load_state_dict(state["streams"])
