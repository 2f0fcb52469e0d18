"""Where an agent's numbers live: in the host's memory, beside NumPy's, or on a device that arrays must travel to.

A home hands out all that depends on it, so that no learner asks where it is.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.clipping import clip_norms_
from gridrl_agents.deep.make_replay import make_replay, physical_memory
from gridrl_agents.streams import NormalStreams, Streams


class Home:
    """The host's memory, where a tensor is an array by another name and nothing is copied; `Device` is another home."""

    device = torch.device("cpu")
    name = "this machine"

    def memory(self) -> float:
        """Return how many bytes of memory there are; inf where it is not known."""
        return physical_memory()

    def make_replay(self, *args: Any, **settings: Any) -> Any:
        """Return an empty replay, or what is like one; see `make_replay.make_replay`."""
        return make_replay(*args, **settings)

    def streams(self, seeds: Sequence[int], purpose: int) -> Any:
        """Return `Streams`, or what is like them and draws tensors that live here."""
        return Streams(seeds, purpose)

    def normal_streams(self, seeds: Sequence[int], purpose: int, key: int, block: int) -> Any:
        """Return `NormalStreams`, or what is like them and draws tensors that live here."""
        return NormalStreams(seeds, purpose, key, block=block)

    def clip_norms_(self, gradient: Tensor, max_norm: float) -> Tensor:
        """Scale rows of `gradient` [R, P] that are longer than `max_norm` down to it; return the norms before, [R]."""
        return clip_norms_(gradient, max_norm)

    def tensor(self, array: np.ndarray) -> Tensor:
        """Return `array` as a tensor that lives here."""
        return torch.from_numpy(array)

    def rows(self, rows: np.ndarray) -> Tensor:
        """Return the rows of the present observations, [R, width], as `tensor` does."""
        return torch.from_numpy(rows)

    def together(self, numbers: np.ndarray, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return what a step brought, float32 `numbers` [any, R] and the next rows [R, width], as `tensor` does."""
        return torch.from_numpy(numbers), torch.from_numpy(rows)

    def array(self, tensor: Tensor) -> np.ndarray:
        """Return a tensor that lives here as an array."""
        return tensor.numpy()

    def arrays(self, tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
        """Return tensors of one shape and type as arrays."""
        return {name: tensor.numpy() for name, tensor in tensors.items()}

    def repeated(self, step: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return `step`, which does the same operations on any named tuple of tensors, or what does them faster."""
        return step

    def for_replay(self, tensor: Tensor) -> Any:
        """Return a tensor as the replay takes it: an array on the host, the tensor itself on a device."""
        return tensor.numpy()


HOST = Home()


def saved(tensor: Tensor) -> np.ndarray:
    """Return a copy of `tensor`, wherever it lives, as an array to be kept."""
    return tensor.to("cpu", copy=True).numpy()
