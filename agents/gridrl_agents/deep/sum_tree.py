"""Masses of many places, from which places are drawn in proportion to their mass: a tree of sums (Schaul et al. 2016).

The paper's tree is binary. Here a node has 32 children: a million places are three levels deep, and the children of a
node, which lie side by side, are added up or searched in one call for all the nodes of all runs.
"""

import numpy as np
import torch

FAN_OUT = 32  # children of a node
MAX_TOP = 1024  # sums in the topmost level, which is added up anew for each draw


class SumTree:
    """Masses, float64 and not negative, of `capacity` places of each run: a tree for each run, all walked at once.

    A node's sum is formed from its children, always in the same order, and never by adding differences: the tree is a
    function of the masses alone, whatever came before and whichever runs stand beside.
    """

    def __init__(self, runs: int, capacity: int, batch_size: int) -> None:
        """`batch_size` is how many places of each run are drawn at once."""
        widths = [capacity]
        while widths[-1] > MAX_TOP:
            nodes = -(-widths[-1] // FAN_OUT)
            widths[-1] = nodes * FAN_OUT  # what is padded has no mass
            widths.append(nodes)
        self._levels = [_Level(runs, width) for width in widths[:-1]]  # the masses, sums of 32, sums of 32 sums, ...
        self._top = _Level(runs, widths[-1])
        self._top_tensor = torch.from_numpy(self._top.values)  # the same memory
        self._segment = np.arange(batch_size)
        self._first_child = np.arange(runs * batch_size).reshape(runs, batch_size) * FAN_OUT  # of each node in a draw

    def mass(self, place: np.ndarray) -> np.ndarray:
        """Return the masses at `place`, both [R, B]."""
        lowest = self._lowest
        return lowest.values.take(place + lowest.begin)

    def set(self, place: np.ndarray, mass: np.ndarray) -> None:
        """Set the masses at `place`, both [R, B]; of a place that comes twice, the last one counts."""
        for level in self._levels:
            level.values.put(place + level.begin, mass)
            place = place // FAN_OUT
            mass = _total(level.nodes.take(place + level.first_node, axis=0))
        self._top.values.put(place + self._top.begin, mass)

    def draw(self, uniform: np.ndarray) -> np.ndarray:
        """Return places in proportion to their masses, int64 [R, B]; `uniform` are numbers from [0, 1), [R, B].

        The b-th place comes from the b-th of B segments of equal mass (stratified sampling, section 3.3 of the paper).
        Where rounding leads past the last place that has mass, a place without mass behind it is returned.
        """
        values, running = self._top.values, torch.cumsum(self._top_tensor, 1)  # torch: a fifth of numpy's time
        sums = running.numpy()
        target = (uniform + self._segment) * (sums[:, -1:] / self._segment.size)
        place = child = torch.searchsorted(running, torch.from_numpy(target), right=True).numpy()
        np.minimum(child, sums.shape[1] - 1, out=child)
        first_child = self._top.begin
        for level in reversed(self._levels):
            at = first_child + child
            target = target - (sums.take(at) - values.take(at))  # what the node's elder siblings hold is passed over
            values = level.nodes.take(place + level.first_node, axis=0)
            sums = torch.cumsum(torch.from_numpy(values), 2).numpy()
            passed = sums <= target[..., None]
            passed[..., -1] = False
            child, first_child = passed.argmin(axis=-1), self._first_child
            place = place * FAN_OUT + child
        return place

    def masses(self, size: int) -> np.ndarray:
        """Return the masses of the first `size` places, [R, size]: a view."""
        return self._lowest.values[:, :size]

    def load(self, mass: np.ndarray) -> None:
        """Give the first places these masses, [R, size], and the others none."""
        for level in self._levels:
            level.fill(mass)
            mass = _total(level.nodes).reshape(len(mass), -1)
        self._top.fill(mass)

    @property
    def _lowest(self) -> "_Level":
        return self._levels[0] if self._levels else self._top


class _Level:
    """One level of all trees: `values` [R, width], the same as `nodes` [R * width / 32, 32]."""

    def __init__(self, runs: int, width: int) -> None:
        self.values = np.zeros((runs, width))
        self.begin = np.arange(runs)[:, None] * width  # of each run, among all values
        if width % FAN_OUT == 0:
            self.nodes = self.values.reshape(-1, FAN_OUT)
            self.first_node = self.begin // FAN_OUT

    def fill(self, values: np.ndarray) -> None:
        self.values[:, : values.shape[1]] = values
        self.values[:, values.shape[1] :] = 0.0


def _total(children: np.ndarray) -> np.ndarray:
    return np.einsum("...i->...", children)
