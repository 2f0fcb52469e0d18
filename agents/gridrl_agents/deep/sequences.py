"""The last steps of every run, drawn from as sequences."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.adam import load_tensor
from gridrl_agents.deep.home import HOST, Home, saved
from gridrl_agents.streams import REPLAY


class Sequences(NamedTuple):
    """B sequences of T successive steps of each run, as tensors; episodes may end and begin on the way."""

    obs: Tensor  # [R, T, B, width]
    action: Tensor  # int64 [R, T, B]
    reward: Tensor  # [R, T, B]
    discount: Tensor  # [R, T, B], gamma, or 0 where the episode terminated
    next_obs: Tensor  # [R, T, B, width], the true one, also at an episode's end
    keep: Tensor  # [R, T, B, 1], 0 where an episode began with this step of the sequence, else 1
    state: Tensor  # [R, B, state width], what was remembered when the first step was met


def num_bytes(capacity: int, width: int, dtype: torch.dtype, state_width: int, runs: int) -> int:
    """Return the memory that a replay with these settings takes once it is full, in bytes."""
    row = width * torch.empty(0, dtype=dtype).element_size()
    return capacity * runs * (2 * row + 8 + 3 * 4 + 4 * state_width)  # observations, action, three floats, state


class SequenceReplay:
    """A ring of `capacity` steps for each run, [capacity, R, ...]; all runs share the place of writing.

    A sequence begins at any step that has enough behind it, each as likely as any other, and never runs over the place
    of writing. The first steps of the ring stand at the end of fewer sequences than the others.
    """

    num_bytes = 0  # of memory that it takes once it is full, as far as its maker knows

    def __init__(
        self,
        capacity: int,
        width: int,
        dtype: torch.dtype,
        state_width: int,
        seeds: Sequence[int],
        *,
        gamma: float,
        batch_size: int,
        length: int,
        home: Home = HOST,
    ) -> None:
        runs = len(seeds)
        self.size = 0  # steps kept of each run
        self._position = 0
        self._capacity, self._gamma, self._batch_size, self._length = capacity, gamma, batch_size, length
        self._home, device = home, home.device
        self._streams = home.streams(seeds, REPLAY)
        self._runs = torch.arange(runs, device=device)[:, None, None]
        self._ahead = torch.arange(length, device=device)[:, None]
        self._fields = {
            "obs": torch.zeros(capacity, runs, width, dtype=dtype, device=device),
            "action": torch.zeros(capacity, runs, dtype=torch.int64, device=device),
            "reward": torch.zeros(capacity, runs, device=device),
            "discount": torch.zeros(capacity, runs, device=device),
            "next_obs": torch.zeros(capacity, runs, width, dtype=dtype, device=device),
            "goes_on": torch.zeros(capacity, runs, device=device),
            "state": torch.zeros(capacity, runs, state_width, device=device),
        }
        self._flat = {name: field.flatten(0, 1) for name, field in self._fields.items()}  # the same memory

    def add(
        self,
        obs: np.ndarray,
        action: np.ndarray,
        reward: np.ndarray,
        terminated: np.ndarray,
        truncated: np.ndarray,
        next_obs: np.ndarray,
        state: Tensor,
    ) -> None:
        """Keep one step of each run: `obs` and `next_obs` are [R, width], `state` [R, state width], the others [R].

        `state` is what was remembered before `obs` was seen.
        """
        at, fields = self._position, self._fields
        discount = np.where(terminated, 0.0, self._gamma)
        goes_on = ~np.logical_or(terminated, truncated)
        numbers = np.array([action, reward, discount, goes_on], dtype=np.float32)
        fields["obs"][at] = self._home.rows(obs)
        sent, fields["next_obs"][at] = self._home.together(numbers, next_obs)
        for name, number in zip(("action", "reward", "discount", "goes_on"), sent, strict=True):
            fields[name][at] = number
        fields["state"][at] = torch.as_tensor(state)
        self._position = (at + 1) % self._capacity
        self.size = min(self.size + 1, self._capacity)

    def sample(self) -> Sequences:
        """Return a batch of each run's own sequences, drawn evenly and with replacement."""
        runs, batch, length = len(self._runs), self._batch_size, self._length
        oldest = self._position if self.size == self._capacity else 0
        begin = oldest + (torch.as_tensor(self._streams.uniform(batch)) * (self.size - length + 1)).long()
        place = (begin[:, None] + self._ahead) % self._capacity  # [R, T, B]
        index = place * runs + self._runs

        def drawn(name: str, *shape: int) -> Tensor:
            return self._flat[name].index_select(0, index.flatten()).view(runs, length, batch, *shape)

        keep = torch.ones(runs, length, batch, 1, device=index.device)
        keep[:, 1:, :, 0] = drawn("goes_on")[:, :-1]
        first = index[:, 0].flatten()
        return Sequences(
            obs=drawn("obs", -1),
            action=drawn("action"),
            reward=drawn("reward"),
            discount=drawn("discount"),
            next_obs=drawn("next_obs", -1),
            keep=keep,
            state=self._flat["state"].index_select(0, first).view(runs, batch, -1),
        )

    def look(self, count: int) -> Tensor:
        """Return at most `count` observations of each run, evenly from all that are kept, [R, some, width]."""
        place = np.unique(np.linspace(0, self.size - 1, min(count, self.size)).astype(np.int64))
        return self._fields["obs"][self._home.tensor(place)].transpose(0, 1)

    def state_dict(self) -> dict[str, Any]:
        """Return what is kept, [size, R, ...] each, the place of writing and the streams."""
        kept = {name: saved(field[: self.size]) for name, field in self._fields.items()}
        return {"kept": kept, "position": self._position, "size": self.size, "streams": self._streams.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned; raises `ValueError` for what does not fit."""
        size, position = int(state["size"]), int(state["position"])
        if not 0 <= size <= self._capacity or not 0 <= position < self._capacity:
            raise ValueError(f"its replay holds {size} steps, expected at most {self._capacity}")
        for name, field in self._fields.items():
            load_tensor(field[:size], state["kept"][name])
        self.size, self._position = size, position
        self._streams.load_state_dict(state["streams"])
