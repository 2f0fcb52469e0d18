"""Masses of many places on a device: the tree of `deep.sum_tree`, level by level the same."""

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.home import saved
from gridrl_agents.deep.on_device.crossing import upload
from gridrl_agents.deep.sum_tree import FAN_OUT, MAX_TOP


class DeviceSumTree:
    """Masses, float64 and not negative, of `capacity` places of each run; see `SumTree`."""

    def __init__(self, device: torch.device, runs: int, capacity: int, batch_size: int) -> None:
        """`batch_size` is how many places of each run are drawn at once."""
        widths = [capacity]
        while widths[-1] > MAX_TOP:
            nodes = -(-widths[-1] // FAN_OUT)
            widths[-1] = nodes * FAN_OUT  # what is padded has no mass
            widths.append(nodes)
        self._levels = [torch.zeros(runs, width, dtype=torch.float64, device=device) for width in widths]
        self._segment = torch.arange(batch_size, device=device)
        self._run = torch.arange(runs, device=device)[:, None]

    def mass(self, place: Tensor) -> Tensor:
        """Return the masses at `place`, both [R, B]."""
        return self._levels[0].gather(1, place)

    def set(self, place: Tensor, mass: Tensor) -> None:
        """Set the masses at `place`, both [R, B]; a place that comes twice must come with the same mass."""
        *levels, top = self._levels
        for level in levels:
            level.scatter_(1, place, mass)
            place = place // FAN_OUT
            mass = self._children(level, place).sum(dim=-1)
        top.scatter_(1, place, mass)

    def draw(self, uniform: Tensor) -> Tensor:
        """Return places in proportion to their masses, int64 [R, B]; `uniform` are numbers from [0, 1), [R, B].

        The b-th place comes from the b-th of B segments of equal mass; see `SumTree.draw`.
        """
        *levels, top = self._levels
        running = top.cumsum(dim=1)
        target = (uniform + self._segment) * (running[:, -1:] / len(self._segment))
        place = torch.searchsorted(running, target, right=True).clamp_(max=running.shape[1] - 1)
        passed = (running - top).gather(1, place)
        for level in reversed(levels):
            target = target - passed  # what the node's elder siblings hold is passed over
            masses = self._children(level, place)
            running = masses.cumsum(dim=2)
            child = (running[..., :-1] <= target[..., None]).sum(dim=2, keepdim=True)
            passed = (running - masses).gather(2, child)[..., 0]
            place = place * FAN_OUT + child[..., 0]
        return place

    def masses(self, size: int) -> np.ndarray:
        """Return the masses of the first `size` places, [R, size]."""
        return saved(self._levels[0][:, :size])

    def load(self, mass: np.ndarray | Tensor) -> None:
        """Give the first places these masses, [R, size], and the others none."""
        values = upload(mass, self._segment.device) if isinstance(mass, np.ndarray) else mass
        for level in self._levels:
            level[:, : values.shape[1]] = values
            level[:, values.shape[1] :] = 0.0
            if level is not self._levels[-1]:
                values = level.unflatten(1, (-1, FAN_OUT)).sum(dim=2)

    def _children(self, level: Tensor, node: Tensor) -> Tensor:
        """Return what the children hold of the nodes [R, B] above a level, [R, B, 32]."""
        return level.unflatten(1, (-1, FAN_OUT))[self._run, node]


def latest(place: Tensor, value: Tensor) -> Tensor:
    """Return `value` [R, B], with the last one of each place of `place` [R, B] for all of the same place.

    On a device, none of those that write to one place comes last for certain.
    """
    sorted_place, order = place.sort(dim=1, stable=True)
    last = torch.searchsorted(sorted_place, place, right=True) - 1
    return value.gather(1, order.gather(1, last))
