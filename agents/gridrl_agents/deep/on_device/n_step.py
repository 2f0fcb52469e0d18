"""The n steps from a transition on, as one, put together on a device when it is drawn."""

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.on_device.crossing import upload


class DeviceWindows:
    """Windows of at most n steps in a ring [capacity, R]; see `Windows`."""

    def __init__(self, ended: Tensor, reward: Tensor, n_step: int, gamma: float) -> None:
        """`ended`, bool [capacity, R]: whether a step was its episode's last; `reward` [capacity, R]; both are read."""
        self._capacity, self._num_runs = ended.shape
        self._ended = ended.view(-1)
        self._reward = reward.view(-1)
        self._ahead = torch.arange(n_step, device=ended.device)
        self._run = torch.arange(self._num_runs, device=ended.device)[:, None, None]
        self._discount = upload(np.asarray([gamma**i for i in range(n_step)]), ended.device)

    def gather(self, place: Tensor, newest: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the windows that begin at `place` [R, B], as three tensors [R, B]; see `Windows.gather`."""
        steps = (place[..., None] + self._ahead) % self._capacity * self._num_runs + self._run  # [R, B, n]
        ended = self._ended[steps].to(torch.uint8)
        ended[..., -1] = 1
        last = torch.minimum(ended.argmax(dim=-1), (newest - place) % self._capacity)
        returns = (self._reward[steps] * self._discount).cumsum(dim=-1)
        total = returns.gather(-1, last[..., None])[..., 0]
        return (place + last) % self._capacity, total, self._discount[last]
