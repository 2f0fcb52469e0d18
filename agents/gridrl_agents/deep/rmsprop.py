"""RMSprop as Mnih et al. (2015) used it, on one matrix of parameters."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gridrl_agents.deep.adam import load_tensor


class RMSprop:
    """m <- decay m + (1 - decay) g, v <- decay v + (1 - decay) g^2, and
    parameters <- parameters - learning_rate * g / sqrt(v - m^2 + epsilon).

    v - m^2 is the variance of the gradient: the "centred" form (Graves 2013, equations 38 to 45, without momentum).
    Every operation is one rounding, so that a run's numbers do not depend on its company.
    """

    def __init__(self, parameters: Tensor, *, learning_rate: float, decay: float, epsilon: float) -> None:
        self._parameters = parameters
        self._mean = torch.zeros_like(parameters)
        self._square = torch.zeros_like(parameters)
        self._learning_rate = learning_rate
        self._decay = decay
        self._epsilon = epsilon

    def step(self, gradient: Tensor) -> None:
        """Move the parameters [R, P] against `gradient` [R, P]."""
        fresh = 1.0 - self._decay
        self._mean.mul_(self._decay).add_(gradient * fresh)
        self._square.mul_(self._decay).add_(gradient.square().mul_(fresh))
        variance = (self._square - self._mean.square()).clamp_(min=0.0)  # rounding can take it below
        root = variance.add_(self._epsilon).sqrt_()
        self._parameters.sub_((gradient * self._learning_rate).div_(root))

    def state_dict(self) -> dict[str, Any]:
        """Return both moments, [R, P] each."""
        return {"mean": self._mean.cpu().numpy().copy(), "square": self._square.cpu().numpy().copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned."""
        load_tensor(self._mean, state["mean"])
        load_tensor(self._square, state["square"])
