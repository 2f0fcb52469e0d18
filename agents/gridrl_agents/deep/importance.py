"""Weights that make up for drawing some transitions more often than others (Schaul et al. 2016, section 3.4)."""

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.schedules import LinearSchedule


class ImportanceWeights:
    """w = (1 / (N P))^beta / (the batch's largest w), with beta rising in a straight line to 1 over `steps` draws.

    P is a transition's mass over the mass of all. N and that total are the same for the whole batch and cancel:
    w = (least mass of the batch / mass)^beta.
    """

    def __init__(self, exponent: float, steps: int) -> None:
        self._schedule = LinearSchedule(exponent, 1.0, steps)
        self.num_draws = 0

    @property
    def beta(self) -> float:
        """The exponent of the next batch's weights."""
        return self._schedule(self.num_draws)

    def __call__(self, mass: np.ndarray) -> Tensor:
        """Return the weights of one batch, float32 [R, B], from the masses with which it was drawn, [R, B]."""
        weight = (np.minimum.reduce(mass, axis=1, keepdims=True) / mass) ** self.beta
        self.num_draws += 1
        return torch.from_numpy(weight.astype(np.float32))
