"""The last transitions of every run, drawn from uniformly (Lin 1992)."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.adam import load_tensor
from gridrl_agents.streams import REPLAY, Streams


class Batch(NamedTuple):
    """B transitions of each run, as tensors."""

    obs: Tensor  # [R, B, width]
    action: Tensor  # int64 [R, B]
    reward: Tensor  # [R, B]
    discount: Tensor  # [R, B], gamma, or 0 where the episode terminated
    next_obs: Tensor  # [R, B, width]
    weight: Tensor  # [R, B], of each transition's loss; ones


class UniformReplay:
    """A ring of `capacity` transitions for each run, [capacity, R, ...]; all runs share the place of writing.

    The one place that turns gamma and `terminated` into a discount. Truncation is not kept: a step limit is no end.
    """

    def __init__(
        self, capacity: int, width: int, dtype: torch.dtype, seeds: Sequence[int], *, gamma: float, batch_size: int
    ) -> None:
        runs = len(seeds)
        self.size = 0  # transitions kept of each run
        self._position = 0
        self._capacity = capacity
        self._gamma = gamma
        self._streams = Streams(seeds, REPLAY)
        self._runs = np.arange(runs)[:, None]
        self._weight = torch.ones(runs, batch_size)
        self._fields = {
            "obs": torch.zeros(capacity, runs, width, dtype=dtype),
            "action": torch.zeros(capacity, runs, dtype=torch.int64),
            "reward": torch.zeros(capacity, runs),
            "discount": torch.zeros(capacity, runs),
            "next_obs": torch.zeros(capacity, runs, width, dtype=dtype),
        }
        self._writable = {name: field.numpy() for name, field in self._fields.items()}  # the same memory
        self._flat = {name: field.flatten(0, 1) for name, field in self._fields.items()}  # the same memory

    def add(
        self, obs: np.ndarray, action: np.ndarray, reward: np.ndarray, next_obs: np.ndarray, terminated: np.ndarray
    ) -> None:
        """Keep one transition of each run: `obs` and `next_obs` are [R, width], the others [R]."""
        at, fields = self._position, self._writable
        fields["obs"][at] = obs
        fields["action"][at] = action
        fields["reward"][at] = reward
        fields["discount"][at] = self._gamma * (1.0 - np.asarray(terminated, dtype=np.float64))
        fields["next_obs"][at] = next_obs
        self._position = (at + 1) % self._capacity
        self.size = min(self.size + 1, self._capacity)

    def sample(self) -> Batch:
        """Return a batch of each run's own transitions, drawn evenly and with replacement."""
        runs, batch_size = self._weight.shape
        place = (self._streams.uniform(batch_size) * self.size).astype(np.int64)
        index = torch.from_numpy((place * runs + self._runs).ravel())

        def drawn(name: str, *shape: int) -> Tensor:
            return self._flat[name].index_select(0, index).view(runs, batch_size, *shape)

        return Batch(
            obs=drawn("obs", -1),
            action=drawn("action"),
            reward=drawn("reward"),
            discount=drawn("discount"),
            next_obs=drawn("next_obs", -1),
            weight=self._weight,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return what is kept, [size, R, ...] each, the place of writing and the streams."""
        kept = {name: field[: self.size].copy() for name, field in self._writable.items()}
        return {"kept": kept, "position": self._position, "size": self.size, "streams": self._streams.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned; raises `ValueError` for what does not fit."""
        size, position = int(state["size"]), int(state["position"])
        if not 0 <= size <= self._capacity or not 0 <= position < self._capacity:
            raise ValueError(f"its replay holds {size} transitions, expected at most {self._capacity}")
        for name, field in self._fields.items():
            load_tensor(field[:size], state["kept"][name])
        self.size, self._position = size, position
        self._streams.load_state_dict(state["streams"])
