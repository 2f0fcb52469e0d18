"""Every kept transition is as likely as any other (Lin 1992)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.streams import REPLAY, Streams


class Uniform:
    """Draws places of a replay evenly and with replacement; all weights are one."""

    def __init__(self, seeds: Sequence[int], batch_size: int) -> None:
        self._streams = Streams(seeds, REPLAY)
        self._batch_size = batch_size
        self._weight = torch.ones(len(seeds), batch_size)

    def added(self, place: int) -> None:
        """Nothing changes: a new transition is as likely as an old one."""

    def draw(self, size: int) -> tuple[np.ndarray, Tensor]:
        """Return places below `size`, int64 [R, B], and the weights, ones [R, B]."""
        return (self._streams.uniform(self._batch_size) * size).astype(np.int64), self._weight

    def update(self, place: np.ndarray, priority: np.ndarray) -> None:
        """Nothing changes: errors do not matter."""

    def state_dict(self, size: int) -> dict[str, Any]:
        """Return the streams."""
        return {"streams": self._streams.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any], size: int) -> None:
        """Become what `state_dict` returned."""
        self._streams.load_state_dict(state["streams"])
