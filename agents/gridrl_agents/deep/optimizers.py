"""What moves a network's parameters against their gradient."""

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

from gridrl_agents.deep.adam import Adam
from gridrl_agents.deep.rmsprop import RMSprop
from gridrl_agents.deep.settings import DQNSettings


class Optimizer(Protocol):
    """Keeps a matrix of parameters [R, P] and moves it, each row for itself."""

    def step(self, gradient: Tensor) -> None:
        """Move the parameters against `gradient` [R, P]."""

    def state_dict(self) -> dict[str, Any]:
        """Return what it remembers."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned."""


def make_optimizer(parameters: Tensor, settings: DQNSettings) -> Optimizer:
    """Return the optimizer that `settings` name, for `parameters` [R, P]."""
    if settings.optimizer == "rmsprop":
        return RMSprop(
            parameters,
            learning_rate=settings.learning_rate,
            decay=settings.rmsprop_decay,
            epsilon=settings.rmsprop_epsilon,
        )
    return Adam(
        parameters,
        learning_rate=settings.learning_rate,
        beta1=settings.adam_beta1,
        beta2=settings.adam_beta2,
        epsilon=settings.adam_epsilon,
    )
