"""What a stretch of a network is to the rest: its numbers lie elsewhere, and it knows its own chain rule."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from torch import Tensor

Draw = Callable[[float, tuple[int, ...]], np.ndarray]  # (1 / sqrt(fan_in), shape) -> numbers of that shape


class Layer(NamedTuple):
    """A linear layer's place in a matrix of parameters, or of their gradient, or of their noise."""

    weight: Tensor  # [R, in, out]
    bias: Tensor  # [R, 1, out]


class Part(Protocol):
    """A torso, a stack of layers, a head. It holds no numbers: `views` finds them in a matrix that it is given.

    So the same part reads online weights, target weights and weights with noise, and writes a gradient of the same
    layout. Widths are padded (see `pad`); what is padded is zero, and gets no gradient.
    """

    num_parameters: int  # floats of one run, a multiple of 16
    num_outputs: int  # width of what leaves it, before padding

    def views(self, matrix: Tensor) -> Any:
        """Return the part's places in `matrix` [R, num_parameters], whose rows may lie apart."""

    def linear_layers(self, views: Any) -> list[Layer]:
        """Return those of `views` that are linear layers: what a noisy network puts its noise on."""

    def readers(self, views: Any) -> list[Tensor]:
        """Return those of `views` that are the weights of the inputs, [R, inputs or channels, ...] each."""

    def initialise(self, views: Any, run: int, draw: Draw) -> None:
        """Fill one run's parameters: each layer from draw(1 / sqrt(fan_in), shape), weight first, then bias."""

    def activations(self, views: Any, inputs: Tensor) -> list[Any]:
        """Return what `backward` wants to know, and last what leaves the part, [R, B, width]."""

    def rectified(self, activations: list[Any]) -> list[Tensor]:
        """Return what the part's rectifiers let through, [R, any number, units] each, without padding."""

    def backward(
        self, views: Any, activations: list[Any], output_gradient: Tensor, gradient: Any, wants_inputs: bool
    ) -> Tensor | None:
        """Write the parameters' gradient into `gradient`, views of another matrix, given the output's [R, B, width].

        Returns the gradient of the inputs where it is wanted, and None otherwise. May write over `output_gradient`.
        """


class Chain:
    """Parts one after the other, as one part."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = list(parts)
        self.num_parameters = sum(part.num_parameters for part in parts)
        self.num_outputs = self._parts[-1].num_outputs

    def views(self, matrix: Tensor) -> list[Any]:
        """Return each part's views."""
        return [part.views(own) for part, own in zip(self._parts, columns(matrix, self._parts), strict=True)]

    def linear_layers(self, views: list[Any]) -> list[Layer]:
        """Return all parts' linear layers."""
        return [layer for part, own in zip(self._parts, views, strict=True) for layer in part.linear_layers(own)]

    def readers(self, views: list[Any]) -> list[Tensor]:
        """Return those of the first part."""
        return self._parts[0].readers(views[0])

    def initialise(self, views: list[Any], run: int, draw: Draw) -> None:
        """Fill the parts in their order."""
        for part, own in zip(self._parts, views, strict=True):
            part.initialise(own, run, draw)

    def activations(self, views: list[Any], inputs: Tensor) -> list[Any]:
        """Return each part's activations, and last what leaves the last part."""
        passed: list[Any] = []
        for part, own in zip(self._parts, views, strict=True):
            passed.append(part.activations(own, inputs))
            inputs = passed[-1][-1]
        return [*passed, inputs]

    def rectified(self, activations: list[Any]) -> list[Tensor]:
        """Return all parts' rectified units."""
        return [units for part, own in zip(self._parts, activations[:-1], strict=True) for units in part.rectified(own)]

    def backward(
        self, views: list[Any], activations: list[Any], output_gradient: Tensor, gradient: list[Any], wants_inputs: bool
    ) -> Tensor | None:
        """Go back through the parts, last to first."""
        flowing: Tensor | None = output_gradient
        for number in range(len(self._parts) - 1, -1, -1):
            assert flowing is not None
            flowing = self._parts[number].backward(
                views[number], activations[number], flowing, gradient[number], wants_inputs or number > 0
            )
        return flowing


def columns(matrix: Tensor, parts: Sequence[Part]) -> tuple[Tensor, ...]:
    """Return the columns of `matrix` [R, P] that belong to each of `parts`."""
    return matrix.split([part.num_parameters for part in parts], dim=1)
