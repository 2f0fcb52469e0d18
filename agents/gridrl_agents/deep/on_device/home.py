"""A device as the home of an agent's numbers."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import inf
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.home import Home, saved
from gridrl_agents.deep.on_device.clipping import clip_norms_
from gridrl_agents.deep.on_device.crossing import Crossing, upload
from gridrl_agents.deep.on_device.make_replay import make_replay
from gridrl_agents.deep.on_device.repeated import Repeated, record_graph
from gridrl_agents.deep.on_device.replay import DeviceReplay
from gridrl_agents.deep.on_device.streams import DeviceNormalStreams, DeviceStreams


class Device(Home):
    """A device of torch's, as the home of one agent."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.name = str(device)
        self._crossing = Crossing(device)

    def memory(self) -> float:
        """Return how many bytes of memory the device has; inf where it is not known."""
        return torch.cuda.get_device_properties(self.device).total_memory if self.device.type == "cuda" else inf

    def make_replay(self, *args: Any, **settings: Any) -> DeviceReplay:
        """Return an empty replay on the device."""
        return make_replay(self, *args, **settings)

    def streams(self, seeds: Sequence[int], purpose: int) -> DeviceStreams:
        """Return the host's streams, whose numbers are sent to the device."""
        return DeviceStreams(self.device, seeds, purpose)

    def normal_streams(self, seeds: Sequence[int], purpose: int, key: int, block: int) -> DeviceNormalStreams:
        """Return the host's streams, whose numbers are sent to the device."""
        return DeviceNormalStreams(self.device, seeds, purpose, key, block=block)

    def clip_norms_(self, gradient: Tensor, max_norm: float) -> Tensor:
        """Clip without asking whether there is a need."""
        return clip_norms_(gradient, max_norm)

    def tensor(self, array: np.ndarray) -> Tensor:
        """Send `array` to the device."""
        return upload(array, self.device)

    def rows(self, rows: np.ndarray) -> Tensor:
        """Send the rows, unless they are there already."""
        return self._crossing.rows(rows)

    def together(self, numbers: np.ndarray, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Send both at once."""
        return self._crossing.together(numbers, rows)

    def array(self, tensor: Tensor) -> np.ndarray:
        """Fetch a tensor, and wait until it has been computed."""
        return saved(tensor)

    def arrays(self, tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
        """Fetch tensors at once, and wait until they have been computed."""
        return dict(zip(tensors, saved(torch.stack(list(tensors.values()))), strict=True))

    def repeated(self, step: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return what replays the step from a CUDA graph; other devices have no such thing."""
        return Repeated(step, partial(record_graph, self.device)) if self.device.type == "cuda" else step

    def for_replay(self, tensor: Tensor) -> Tensor:
        """Return the tensor itself."""
        return tensor
