"""Convolutions over pictures, each run's for itself.

A grouped convolution would do for all runs at once, but nothing says that its numbers do not depend on how many there
are. One call a run cannot, and is faster than a batched matrix product over the patches that the filters see.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.part import Draw, Layer


class Filters(NamedTuple):
    """One convolution: `number` filters of `size` x `size`, `stride` apart, with `border` zeros around the inputs."""

    number: int  # a multiple of 16, so that nothing needs padding
    size: int
    stride: int
    border: int


NATURE = (Filters(32, 8, 4, 0), Filters(64, 4, 2, 0), Filters(64, 3, 1, 0))  # Mnih et al. (2015), for 84 x 84 x 4
SMALL = (Filters(16, 3, 1, 1), Filters(32, 3, 2, 1))  # for the planes of a grid: each cell, then every second one


class Convolutions:
    """Convolutions one after the other, a rectifier after each, over pictures [rows, columns, channels].

    What leaves is flat: rows, then columns, then filters. A layer's weight is [R, filters, channels, size, size], its
    bias [R, filters]. Raises `ValueError` for a picture that is too small.
    """

    def __init__(self, picture: tuple[int, int, int], layers: Sequence[Filters]) -> None:
        self._picture = picture
        self._filters = tuple(layers)
        self._shapes: list[tuple[int, int, int, int]] = []  # of one run's weights
        rows, columns, channels = picture
        for filters in layers:
            self._shapes.append((filters.number, channels, filters.size, filters.size))
            rows, columns = (
                (side + 2 * filters.border - filters.size) // filters.stride + 1 for side in (rows, columns)
            )
            if rows < 1 or columns < 1:
                raise ValueError(f"a picture of {picture[0]} x {picture[1]} is too small")
            channels = filters.number
        self.num_inputs = int(np.prod(picture))
        self.num_outputs = rows * columns * channels
        self._outputs = rows, columns, channels
        self.num_parameters = sum(int(np.prod(shape)) + shape[0] for shape in self._shapes)

    def views(self, matrix: Tensor) -> list[Layer]:
        """Return the filters' places in a matrix [R, num_parameters]."""
        layers, begin = [], 0
        for shape in self._shapes:
            middle = begin + int(np.prod(shape))
            end = middle + shape[0]
            layers.append(Layer(matrix[:, begin:middle].unflatten(1, shape), matrix[:, middle:end]))
            begin = end
        return layers

    def linear_layers(self, views: list[Layer]) -> list[Layer]:
        """Return none: the noise of a noisy network is on fully connected layers alone."""
        return []

    def readers(self, views: list[Layer]) -> list[Tensor]:
        """Return the first layer's filters, channels first, [R, channels, filters, size, size]."""
        return [views[0].weight.transpose(1, 2)]

    def initialise(self, views: list[Layer], run: int, draw: Draw) -> None:
        """Fill one run's filters; the fan-in is what one filter reads at one position."""
        for shape, layer in zip(self._shapes, views, strict=True):
            bound = 1.0 / np.sqrt(np.prod(shape[1:]))
            layer.weight[run] = torch.from_numpy(draw(bound, shape))
            layer.bias[run] = torch.from_numpy(draw(bound, shape[:1]))

    def activations(self, views: list[Layer], inputs: Tensor) -> list[Any]:
        """Return each run's pictures, as they enter each layer and leave the last, and last all, [R, B, num_outputs].

        `inputs` is [R, B, num_inputs or more]; what is more is padding.
        """
        runs, batch = inputs.shape[:2]
        pictures = inputs[..., : self.num_inputs].unflatten(2, self._picture).permute(0, 1, 4, 2, 3)
        output = inputs.new_empty(runs, batch, *self._outputs)
        passed: list[Any] = []
        for run in range(runs):
            entering = [pictures[run]]
            for filters, layer in zip(self._filters, views, strict=True):
                entering.append(
                    torch.conv2d(
                        entering[-1], layer.weight[run], layer.bias[run], stride=filters.stride, padding=filters.border
                    ).relu_()
                )
            output[run] = entering[-1].permute(0, 2, 3, 1)
            passed.append(entering)
        return [*passed, output.flatten(2)]

    def rectified(self, activations: list[Any]) -> list[Tensor]:
        """Return each layer's filters, as units that are shown every place of every picture."""
        layers = zip(*(entering[1:] for entering in activations[:-1]), strict=True)  # each of R tensors [B, C, H, W]
        return [torch.stack([each.permute(0, 2, 3, 1).flatten(0, 2) for each in layer]) for layer in layers]

    def backward(
        self,
        views: list[Layer],
        activations: list[Any],
        output_gradient: Tensor,
        gradient: list[Layer],
        wants_inputs: bool,
    ) -> Tensor | None:
        """Write the filters' gradient; see `Part`."""
        runs, batch = output_gradient.shape[:2]
        leaving = output_gradient.reshape(runs, batch, *self._outputs).permute(0, 1, 4, 2, 3)
        input_gradient = leaving.new_empty(runs, batch, *self._picture) if wants_inputs else None
        for run in range(runs):
            entered, flowing = activations[run], leaving[run]
            for at in range(len(views) - 1, -1, -1):
                filters, layer = self._filters[at], views[at]
                flowing, weight, bias = torch.ops.aten.convolution_backward(
                    flowing * (entered[at + 1] > 0),
                    entered[at],
                    layer.weight[run],
                    [filters.number],
                    [filters.stride] * 2,
                    [filters.border] * 2,
                    [1, 1],
                    False,
                    [0, 0],
                    1,
                    [wants_inputs or at > 0, True, True],
                )
                gradient[at].weight[run] = weight
                gradient[at].bias[run] = bias
            if input_gradient is not None:
                input_gradient[run] = flowing.permute(0, 2, 3, 1)
        return None if input_gradient is None else input_gradient.flatten(2)
