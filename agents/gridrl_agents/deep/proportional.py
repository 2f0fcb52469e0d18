"""Draw what there is most to learn from: proportional priorities (Schaul et al. 2016, section 3.3, variant 1)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from gridrl_agents.deep.importance import ImportanceWeights
from gridrl_agents.deep.shapes import check_shape
from gridrl_agents.deep.sum_tree import SumTree
from gridrl_agents.streams import REPLAY, Streams

EPSILON = 1e-6  # added to each priority, so that nothing is never drawn again


class Proportional:
    """P(i) = p_i^alpha / sum_k p_k^alpha with p = |td_error| + epsilon (equation 1); alpha is `exponent`.

    A new transition enters at the highest priority so far of its run, at least 1, as nothing is known of it (algorithm
    1, line 6). Where a batch holds a transition twice, the priority of the later one counts.
    """

    def __init__(
        self, seeds: Sequence[int], capacity: int, batch_size: int, *, exponent: float, weights: ImportanceWeights
    ) -> None:
        self._streams = Streams(seeds, REPLAY)
        self._batch_size = batch_size
        self._exponent = exponent
        self._weights = weights
        self._tree = SumTree(len(seeds), capacity, batch_size)
        self._highest = np.ones((len(seeds), 1))  # priority to the power alpha

    def added(self, place: int) -> None:
        """Give the new transitions at `place` the highest priority so far."""
        self._tree.set(np.full_like(self._highest, place, dtype=np.int64), self._highest)

    def draw(self, size: int) -> tuple[np.ndarray, Tensor]:
        """Return places below `size`, int64 [R, B], one from each of B segments of equal mass, and their weights."""
        place = self._tree.draw(self._streams.uniform(self._batch_size))
        np.minimum(place, size - 1, out=place)
        return place, self._weights(self._tree.mass(place))

    def update(self, place: np.ndarray, priority: np.ndarray) -> None:
        """Set the priorities at `place`, both [R, B]."""
        mass = (np.asarray(priority, dtype=np.float64) + EPSILON) ** self._exponent
        self._tree.set(place, mass)
        np.maximum(self._highest, np.maximum.reduce(mass, axis=1, keepdims=True), out=self._highest)

    def state_dict(self, size: int) -> dict[str, Any]:
        """Return the masses [R, size], the highest so far, the count of draws and the streams."""
        return {
            "mass": self._tree.masses(size).copy(),
            "highest": self._highest.copy(),
            "num_draws": self._weights.num_draws,
            "streams": self._streams.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any], size: int) -> None:
        """Become what `state_dict` returned; raises `ValueError` for what does not fit."""
        self._tree.load(check_shape(state["mass"], (len(self._highest), size)))
        self._highest[:] = check_shape(state["highest"], self._highest.shape)
        self._weights.num_draws = int(state["num_draws"])
        self._streams.load_state_dict(state["streams"])
