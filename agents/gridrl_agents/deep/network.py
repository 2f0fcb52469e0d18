"""Networks of all runs, in one matrix of parameters; the gradient goes to another of the same layout."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.part import Part
from gridrl_agents.streams import INITIAL_WEIGHTS, seed_sequence


class Network(Protocol):
    """What a learner knows of a network.

    Its output is [R, B, W]: the first num_actions * num_atoms of W are [A, K] in reading order, the rest is padding.
    """

    parameters: Tensor  # [R, P], a row per run, P a multiple of 16; all else are views
    is_certain: bool  # whether `activations` is the same operations each time, with nothing drawn

    def views(self, matrix: Tensor) -> Any:
        """Return the places of the parts in another matrix [R, P], a gradient's."""

    def readers(self, matrix: Tensor) -> list[Tensor]:
        """Return where in another matrix [R, P] the weights of the inputs are; see `Part.readers`."""

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return the output for inputs [R, B, F] without any noise, as it is shown and judged."""

    def activations(self, inputs: Tensor) -> list[Any]:
        """Return, for learning and exploring, what `backward` wants to know, and last the output; noise is fresh."""

    def rectified(self, inputs: Tensor) -> list[Tensor]:
        """Return what its rectifiers let through for inputs [R, B, F], without any noise; see `Part.rectified`."""

    def backward(self, activations: list[Any], output_gradient: Tensor, gradient: Any) -> None:
        """Write the parameters' gradient into `gradient`, from `views`, given the output's, [R, B, W].

        It goes back through the latest `activations`, and may write over `output_gradient`.
        """

    def initialise(self, seeds: Sequence[int]) -> None:
        """Draw the parameters, each run's from its own stream."""

    def state_dict(self) -> dict[str, Any]:
        """Return what the network keeps beside its parameters."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned."""


class PlainNetwork:
    """A part and its numbers: what goes in comes out without chance."""

    is_certain = True

    def __init__(self, num_runs: int, part: Part, device: torch.device | None = None) -> None:
        self._part = part
        self.parameters = torch.zeros(num_runs, part.num_parameters, device=device)
        self._views = part.views(self.parameters)

    def views(self, matrix: Tensor) -> Any:
        """Return the part's places in another matrix [R, P]."""
        return self._part.views(matrix)

    def readers(self, matrix: Tensor) -> list[Tensor]:
        """Return the part's readers."""
        return self._part.readers(self._part.views(matrix))

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return the output [R, B, W]."""
        return self._part.activations(self._views, inputs)[-1]

    def activations(self, inputs: Tensor) -> list[Any]:
        """Return the part's activations."""
        return self._part.activations(self._views, inputs)

    def rectified(self, inputs: Tensor) -> list[Tensor]:
        """Return the part's rectified units."""
        return self._part.rectified(self.activations(inputs))

    def backward(self, activations: list[Any], output_gradient: Tensor, gradient: Any) -> None:
        """Write the part's gradient."""
        self._part.backward(self._views, activations, output_gradient, gradient, wants_inputs=False)

    def initialise(self, seeds: Sequence[int]) -> None:
        """Draw weights and biases from U(-1/sqrt(fan_in), 1/sqrt(fan_in))."""
        initialise(self._part, self.parameters, seeds)

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: the parameters are all."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Do nothing."""


def by_action(output: Tensor, num_actions: int, num_atoms: int) -> Tensor:
    """Return an output [R, B, W] as [R, B, A, K], a view without the padding; cheaper than to slice and reshape it."""
    return output.as_strided((*output.shape[:2], num_actions, num_atoms), (*output.stride()[:2], num_atoms, 1))


def initialise(part: Part, parameters: Tensor, seeds: Sequence[int]) -> None:
    """Draw a part's parameters from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), each run's from its own stream.

    `parameters` is [R, num_parameters]; they are put together on the host, and get to a device in one copy.
    """
    drawn = torch.zeros(parameters.shape)
    views = part.views(drawn)
    for run, seed in enumerate(seeds):
        uniform = np.random.default_rng(seed_sequence(seed, INITIAL_WEIGHTS)).uniform

        def draw(bound: float, shape: tuple[int, ...], uniform: Callable[..., np.ndarray] = uniform) -> np.ndarray:
            return uniform(-bound, bound, shape)

        part.initialise(views, run, draw)
    parameters.copy_(drawn)
