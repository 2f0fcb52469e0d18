"""The last transitions of every run, and the batches drawn from them (Lin 1992)."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.n_step import Windows
from gridrl_agents.deep.shapes import check_shape


class Batch(NamedTuple):
    """B windows of each run, of one step or of n: tensors, but for `place`."""

    obs: Tensor  # [R, B, width], before the first step
    action: Tensor  # int64 [R, B], of the first step
    reward: Tensor  # [R, B], sum_i gamma^i r_i over the k <= n steps
    discount: Tensor  # [R, B], gamma^k, or 0 where the episode terminated
    next_obs: Tensor  # [R, B, width], after the last step
    weight: Tensor  # [R, B], of each window's loss
    place: np.ndarray  # int64 [R, B], for `update_priorities`


class Sampler(Protocol):
    """Chooses the places that a batch is drawn from. Places are 0 to size - 1; all runs share the place of writing."""

    def added(self, place: int) -> None:
        """Take note of a new transition of every run at `place`."""

    def draw(self, size: int) -> tuple[np.ndarray, Tensor]:
        """Return places, int64 [R, B], and the weights of their losses, float32 [R, B]."""

    def update(self, place: np.ndarray, priority: np.ndarray) -> None:
        """Take note of how much there is to learn at `place`, both [R, B]."""

    def state_dict(self, size: int) -> dict[str, Any]:
        """Return everything that later draws depend on."""

    def load_state_dict(self, state: Mapping[str, Any], size: int) -> None:
        """Become what `state_dict` returned."""


class Replay:
    """A ring of `capacity` transitions for each run, [capacity, R, ...]; all runs share the place of writing.

    The one place that turns gamma and `terminated` into a discount. Truncation ends a window of n steps, but it is no
    end: what follows is still counted upon, with gamma^k.
    """

    num_bytes = 0  # of memory that it takes once it is full, as far as its maker knows

    def __init__(
        self,
        capacity: int,
        width: int,
        dtype: torch.dtype,
        sampler: Sampler,
        runs: int,
        *,
        gamma: float,
        n_step: int = 1,
    ) -> None:
        self.size = 0  # transitions kept of each run
        self._position = 0
        self._capacity = capacity
        self._gamma = gamma
        self._n_step = n_step
        self._sampler = sampler
        self._run = np.arange(runs)[:, None]
        self._dtype = dtype
        numpy_dtype = torch.empty(0, dtype=dtype).numpy().dtype
        self._fields = {  # of numpy, which takes no memory for what was never written to
            "obs": np.zeros((capacity, runs, width), numpy_dtype),
            "action": np.zeros((capacity, runs), np.int64),
            "reward": np.zeros((capacity, runs), np.float32),
            "discount": np.zeros((capacity, runs), np.float32),
            "next_obs": np.zeros((capacity, runs, width), numpy_dtype),
            "ended": np.zeros((capacity, runs), np.bool_),  # terminated or truncated
        }
        self._flat = {name: field.reshape(-1, *field.shape[2:]) for name, field in self._fields.items()}  # views
        self._windows = Windows(self._fields["ended"], self._fields["reward"], n_step, gamma)

    def add(
        self,
        obs: np.ndarray,
        action: np.ndarray,
        reward: np.ndarray,
        terminated: np.ndarray,
        truncated: np.ndarray,
        next_obs: np.ndarray,
    ) -> None:
        """Keep one transition of each run: `obs` and `next_obs` are [R, width], the others [R]."""
        at, fields = self._position, self._fields
        fields["obs"][at] = obs
        fields["action"][at] = action
        fields["reward"][at] = reward
        fields["discount"][at] = self._gamma * (1.0 - np.asarray(terminated, dtype=np.float64))
        fields["next_obs"][at] = next_obs
        fields["ended"][at] = np.logical_or(terminated, truncated)
        self._position = (at + 1) % self._capacity
        self.size = min(self.size + 1, self._capacity)
        self._sampler.added(at)

    def sample(self) -> Batch:
        """Return a batch of each run's own transitions, with replacement."""
        place, weight = self._sampler.draw(self.size)
        first = self._index(place)
        if self._n_step == 1:
            last, reward, discount = first, self._numbers("reward", first), self._numbers("discount", first)
        else:
            last_place, total, factor = self._windows.gather(place, (self._position - 1) % self._capacity)
            last = self._index(last_place)
            reward = torch.from_numpy(total.astype(np.float32))
            discount = torch.from_numpy((factor * self._flat["discount"].take(last)).astype(np.float32))
        return Batch(
            obs=self._rows("obs", first),
            action=self._numbers("action", first),
            reward=reward,
            discount=discount,
            next_obs=self._rows("next_obs", last),
            weight=weight,
            place=place,
        )

    def look(self, count: int) -> Tensor:
        """Return at most `count` observations of each run, evenly from all that are kept, [R, some, width]."""
        place = np.unique(np.linspace(0, self.size - 1, min(count, self.size)).astype(np.int64))
        return self._rows("obs", self._index(np.tile(place, (len(self._run), 1))))

    def update_priorities(self, place: np.ndarray, priority: np.ndarray) -> None:
        """Tell how much there was to learn at a batch's `place`: `priority` [R, B], not negative, as |td_error|."""
        self._sampler.update(place, priority)

    def _index(self, place: np.ndarray) -> np.ndarray:
        """Return where in the flat fields the places [R, B] are."""
        return place * len(self._run) + self._run

    def _numbers(self, name: str, index: np.ndarray) -> Tensor:
        return torch.from_numpy(self._flat[name].take(index))

    def _rows(self, name: str, index: np.ndarray) -> Tensor:
        field = self._flat[name]
        rows = torch.empty(*index.shape, field.shape[1], dtype=self._dtype)  # aligned, as networks like it
        field.take(index, axis=0, out=rows.numpy(), mode="clip")  # "clip" writes straight into `out`
        return rows

    def state_dict(self) -> dict[str, Any]:
        """Return what is kept, [size, R, ...] each, the place of writing and how the next batches are drawn."""
        kept = {name: field[: self.size].copy() for name, field in self._fields.items()}
        sampler = self._sampler.state_dict(self.size)
        return {"kept": kept, "position": self._position, "size": self.size, "sampler": sampler}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned; raises `ValueError` for what does not fit."""
        size, position = int(state["size"]), int(state["position"])
        if not 0 <= size <= self._capacity or not 0 <= position < self._capacity:
            raise ValueError(f"its replay holds {size} transitions, expected at most {self._capacity}")
        for name, field in self._fields.items():
            field[:size] = check_shape(state["kept"][name], (size, *field.shape[1:]))
        self.size, self._position = size, position
        self._sampler.load_state_dict(state["sampler"], size)
