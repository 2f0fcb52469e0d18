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
        depth, top = 0, capacity
        while top > MAX_TOP:
            depth, top = depth + 1, -(-top // FAN_OUT)
        top += 1  # the last one stays empty, and what comes before it is all
        # Masses, sums of 32, sums of 32 sums, ...: [R, top * 32^height] each; what is padded has no mass. Numbered
        # through all runs, the children of number i of a level are 32 i, 32 i + 1, ... of the level below it.
        self._levels = [np.zeros((runs, top * FAN_OUT**height)) for height in range(depth, -1, -1)]
        self._flat = [level.reshape(-1) for level in self._levels]
        self._nodes = [level.reshape(-1, FAN_OUT) for level in self._levels[:-1]]
        self._before = np.zeros((runs, top))  # of each of the topmost sums: all before it
        self._total = self._before[:, -1:]
        run = np.arange(runs)[:, None]
        self._begin, self._top_begin = run * self._levels[0].shape[1], run * top  # of each run, among all
        self._segment = np.arange(float(batch_size))
        self._running = np.zeros((runs, batch_size, FAN_OUT))  # sums over the children of the nodes in a draw
        self._first_child = np.arange(runs * batch_size).reshape(runs, batch_size) * FAN_OUT  # of each node in it
        # The same memory for torch, which adds up in a fifth of numpy's time.
        self._sums_tensor = torch.from_numpy(self._levels[-1])[:, :-1]
        self._before_tensor = torch.from_numpy(self._before)[:, 1:]
        self._running_tensor = torch.from_numpy(self._running)

    def mass(self, place: np.ndarray) -> np.ndarray:
        """Return the masses at `place`, both [R, B]."""
        return self._flat[0].take(place + self._begin)

    def set(self, place: np.ndarray, mass: np.ndarray) -> None:
        """Set the masses at `place`, both [R, B]; of a place that comes twice, the last one counts."""
        at = place + self._begin
        for values, nodes in zip(self._flat, self._nodes, strict=False):
            values[at] = mass
            at = at // FAN_OUT
            mass = _total(nodes.take(at, axis=0))
        self._flat[-1][at] = mass

    def draw(self, uniform: np.ndarray) -> np.ndarray:
        """Return places in proportion to their masses, int64 [R, B]; `uniform` are numbers from [0, 1), [R, B].

        The b-th place comes from the b-th of B segments of equal mass (stratified sampling, section 3.3 of the paper).
        Where rounding leads past the last place that has mass, a place without mass behind it is returned.
        """
        torch.cumsum(self._sums_tensor, 1, out=self._before_tensor)
        target = (uniform + self._segment) * (self._total / self._segment.size)
        # A call of numpy for each run: half of the time of one of torch for all at one run, nine tenths at eight.
        rows = zip(self._before[:, 1:-1], target, strict=True)
        at = np.array([before.searchsorted(one, "right") for before, one in rows]) + self._top_begin
        target -= self._before.take(at)
        for height in range(len(self._nodes) - 1, -1, -1):
            self._nodes[height].take(at, axis=0, out=self._running, mode="clip")  # "clip" writes straight into `out`
            self._running_tensor.cumsum_(2)
            passed = self._running <= target[..., None]
            passed[..., -1] = False
            child = passed.argmin(axis=-1)
            at = at * FAN_OUT + child
            if height > 0:
                target -= self._running.take(self._first_child + child) - self._flat[height].take(at)
        return at - self._begin

    def masses(self, size: int) -> np.ndarray:
        """Return the masses of the first `size` places, [R, size]: a view."""
        return self._levels[0][:, :size]

    def load(self, mass: np.ndarray) -> None:
        """Give the first places these masses, [R, size], and the others none."""
        self._levels[0][:, : mass.shape[1]] = mass
        self._levels[0][:, mass.shape[1] :] = 0.0
        for nodes, above in zip(self._nodes, self._flat[1:], strict=True):
            above[:] = _total(nodes)


def _total(children: np.ndarray) -> np.ndarray:
    return np.einsum("...i->...", children)
