"""The last transitions of every run on a device, and the batches drawn from them there."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.home import Home, saved
from gridrl_agents.deep.on_device.crossing import upload
from gridrl_agents.deep.on_device.n_step import DeviceWindows
from gridrl_agents.deep.replay import Batch
from gridrl_agents.deep.shapes import check_shape


class DeviceSampler(Protocol):
    """Chooses the places that a batch is drawn from, as `Sampler` does, by tensors."""

    def added(self, place: int) -> None:
        """Take note of a new transition of every run at `place`."""

    def draw(self, size: int) -> tuple[Tensor, Tensor]:
        """Return places, int64 [R, B], and the weights of their losses, float32 [R, B]."""

    def update(self, place: Tensor, priority: Tensor) -> None:
        """Take note of how much there is to learn at `place`, both [R, B]."""

    def state_dict(self, size: int) -> dict[str, Any]:
        """Return everything that later draws depend on, the same as on the host."""

    def load_state_dict(self, state: Mapping[str, Any], size: int) -> None:
        """Become what `state_dict` returned."""


class DeviceReplay:
    """A ring of `capacity` transitions for each run, [capacity, R, ...]; see `Replay`, which has the same state.

    `add` takes arrays, which cross to the device as one; everything else stays there.
    """

    num_bytes = 0  # of the device's memory that it takes

    def __init__(
        self,
        home: Home,
        capacity: int,
        width: int,
        dtype: torch.dtype,
        sampler: DeviceSampler,
        runs: int,
        *,
        gamma: float,
        n_step: int = 1,
    ) -> None:
        self.size = 0  # transitions kept of each run
        self._position = 0
        self._home = home
        self._device = device = home.device
        self._capacity = capacity
        self._gamma = gamma
        self._n_step = n_step
        self._sampler = sampler
        self._run = torch.arange(runs, device=device)[:, None]
        self._fields = {
            "obs": torch.zeros(capacity, runs, width, dtype=dtype, device=device),
            "action": torch.zeros(capacity, runs, dtype=torch.int64, device=device),
            "reward": torch.zeros(capacity, runs, device=device),
            "discount": torch.zeros(capacity, runs, device=device),
            "next_obs": torch.zeros(capacity, runs, width, dtype=dtype, device=device),
            "ended": torch.zeros(capacity, runs, dtype=torch.bool, device=device),  # terminated or truncated
        }
        self._flat = {name: field.flatten(0, 1) for name, field in self._fields.items()}  # views
        self._windows = DeviceWindows(self._fields["ended"], self._fields["reward"], n_step, gamma)

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
        at = self._position
        discount = self._gamma * (1.0 - np.asarray(terminated, dtype=np.float64))
        ended = np.logical_or(terminated, truncated)
        numbers = np.array([action, reward, discount, ended], dtype=np.float32)
        self._fields["obs"][at] = self._home.rows(obs)
        sent, self._fields["next_obs"][at] = self._home.together(numbers, next_obs)
        for name, number in zip(("action", "reward", "discount", "ended"), sent, strict=True):
            self._fields[name][at] = number
        self._position = (at + 1) % self._capacity
        self.size = min(self.size + 1, self._capacity)
        self._sampler.added(at)

    def sample(self) -> Batch:
        """Return a batch of each run's own transitions, with replacement."""
        place, weight = self._sampler.draw(self.size)
        first = self._index(place)
        if self._n_step == 1:
            last, reward, discount = first, self._drawn("reward", first), self._drawn("discount", first)
        else:
            last_place, total, factor = self._windows.gather(place, (self._position - 1) % self._capacity)
            last = self._index(last_place)
            reward, discount = total.float(), (factor * self._drawn("discount", last)).float()
        where: Any = place  # of the same kind as what `update_priorities` takes
        return Batch(
            obs=self._drawn("obs", first),
            action=self._drawn("action", first),
            reward=reward,
            discount=discount,
            next_obs=self._drawn("next_obs", last),
            weight=weight,
            place=where,
        )

    def look(self, count: int) -> Tensor:
        """Return at most `count` observations of each run, evenly from all that are kept, [R, some, width]."""
        place = np.unique(np.linspace(0, self.size - 1, min(count, self.size)).astype(np.int64))
        return self._fields["obs"].index_select(0, upload(place, self._device)).transpose(0, 1).contiguous()

    def update_priorities(self, place: Tensor, priority: Tensor) -> None:
        """Tell how much there was to learn at a batch's `place`: `priority` [R, B], not negative, as |td_error|."""
        self._sampler.update(place, priority)

    def _index(self, place: Tensor) -> Tensor:
        """Return where in the flat fields the places [R, B] are."""
        return place * len(self._run) + self._run

    def _drawn(self, name: str, index: Tensor) -> Tensor:
        return self._flat[name].index_select(0, index.view(-1)).view(*index.shape, *self._flat[name].shape[1:])

    def state_dict(self) -> dict[str, Any]:
        """Return what is kept, [size, R, ...] each, the place of writing and how the next batches are drawn."""
        kept = {name: saved(field[: self.size]) for name, field in self._fields.items()}
        sampler = self._sampler.state_dict(self.size)
        return {"kept": kept, "position": self._position, "size": self.size, "sampler": sampler}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned; raises `ValueError` for what does not fit."""
        size, position = int(state["size"]), int(state["position"])
        if not 0 <= size <= self._capacity or not 0 <= position < self._capacity:
            raise ValueError(f"its replay holds {size} transitions, expected at most {self._capacity}")
        for name, field in self._fields.items():
            field[:size] = upload(check_shape(state["kept"][name], (size, *field.shape[1:])), self._device)
        self.size, self._position = size, position
        self._sampler.load_state_dict(state["sampler"], size)
