"""The random numbers of the host's streams, sent to a device a block at a time and drawn from there."""

from collections.abc import Sequence

import torch
from torch import Tensor

from gridrl_agents.deep.on_device.crossing import upload
from gridrl_agents.streams import BLOCK, NormalStreams, Streams, _Blocks


class _Sent(_Blocks):
    """Numbers of all runs, drawn in blocks; each block lies on the device, too."""

    def __init__(self, device: torch.device, seeds: Sequence[int], purpose: int, *key: int, block: int = BLOCK) -> None:
        self._device = device
        super().__init__(seeds, purpose, *key, block=block)

    def _draw_block(self, size: int) -> None:
        super()._draw_block(size)
        self._sent = upload(self._numbers, self._device)

    def _next_sent(self, count: int) -> Tensor:
        self._next(count)
        return self._sent[:, self._position - count : self._position]


class DeviceStreams(_Sent, Streams):
    """`Streams`: the same numbers and the same state, as tensors on a device."""

    def uniform(self, count: int) -> Tensor:  # type: ignore[override]
        """Return the next `count` numbers of each run, float64 [R, count]."""
        return self._next_sent(count)


class DeviceNormalStreams(_Sent, NormalStreams):
    """`NormalStreams`: the same numbers and the same state, as tensors on a device."""

    def normal(self, count: int) -> Tensor:  # type: ignore[override]
        """Return the next `count` numbers of each run, float32 [R, count]."""
        return self._next_sent(count)
