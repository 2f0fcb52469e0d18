"""Fully connected layers of all runs, with rectifiers between them.

The chain rule is written out: it is four lines a layer, puts each gradient where it is kept, and takes half of the time
of a recorded graph at the sizes that are used here.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.encoder import pad
from gridrl_agents.deep.part import Draw, Layer

_threshold_backward = torch.ops.aten.threshold_backward.grad_input  # looked up once: that takes a fifth of a call


class Layers:
    """Linear layers of the given widths, a rectifier after each but the last, and after the last where `rectified`.

    Where only some of `num_inputs` can ever be other than zero, `live` says which: the layers are given those alone,
    and start as the same network, with the same bound, as if they read all.
    """

    def __init__(
        self,
        widths: Sequence[int],
        *,
        rectified: bool = False,
        num_inputs: int | None = None,
        live: np.ndarray | None = None,
    ) -> None:
        self.widths = tuple(widths)
        self.num_outputs = self.widths[-1]
        self._rectified = rectified
        self._num_inputs = self.widths[0] if num_inputs is None else num_inputs
        self._live = np.arange(self._num_inputs) if live is None else live
        self._shapes = list(pairwise(map(pad, widths)))
        self.num_parameters = sum((fan_in + 1) * fan_out for fan_in, fan_out in self._shapes)

    def views(self, matrix: Tensor) -> list[Layer]:
        """Return the layers' places in a matrix [R, num_parameters]."""
        layers, begin, runs = [], 0, matrix.shape[0]
        for fan_in, fan_out in self._shapes:
            middle, end = begin + fan_in * fan_out, begin + (fan_in + 1) * fan_out
            weight = matrix[:, begin:middle].view(runs, fan_in, fan_out)
            layers.append(Layer(weight, matrix[:, middle:end].view(runs, 1, fan_out)))
            begin = end
        return layers

    def linear_layers(self, views: list[Layer]) -> list[Layer]:
        """Return all of them."""
        return views

    def readers(self, views: list[Layer]) -> list[Tensor]:
        """Return the first layer's weight, [R, in, out]."""
        return [views[0].weight]

    def initialise(self, views: list[Layer], run: int, draw: Draw) -> None:
        """Fill one run's layers; the first is drawn for all inputs and keeps the rows of those that are live."""
        widths = (self._num_inputs, *self.widths[1:])
        for number, (fan_in, fan_out) in enumerate(pairwise(widths)):
            bound = 1.0 / np.sqrt(fan_in)
            weight, bias = draw(bound, (fan_in, fan_out)), draw(bound, (fan_out,))
            weight = weight[self._live] if number == 0 else weight
            views[number].weight[run, : weight.shape[0], :fan_out] = torch.from_numpy(weight)
            views[number].bias[run, 0, :fan_out] = torch.from_numpy(bias)

    def activations(self, views: list[Layer], inputs: Tensor) -> list[Tensor]:
        """Return what enters each layer, and last what leaves; each [R, B, width]."""
        entering = [inputs]
        for layer in views:
            entering.append(torch.baddbmm(layer.bias, entering[-1], layer.weight))
            if self._rectified or len(entering) <= len(views):
                entering[-1].relu_()
        return entering

    def rectified(self, activations: list[Tensor]) -> list[Tensor]:
        """Return what leaves the layers that have a rectifier."""
        leaving = activations[1:] if self._rectified else activations[1:-1]
        return [units[..., :width] for units, width in zip(leaving, self.widths[1:], strict=False)]

    def backward(
        self,
        views: list[Layer],
        activations: list[Tensor],
        output_gradient: Tensor,
        gradient: list[Layer],
        wants_inputs: bool,
    ) -> Tensor | None:
        """Write the gradient of all layers; see `Part`."""
        flowing = output_gradient
        if self._rectified:
            flowing = halted_(flowing, activations[-1])
        for number in range(len(views) - 1, -1, -1):
            entered = activations[number]
            torch.bmm(entered.mT, flowing, out=gradient[number].weight)
            torch.sum(flowing, dim=1, keepdim=True, out=gradient[number].bias)
            if number > 0:
                flowing = halted_(torch.bmm(flowing, views[number].weight.mT), entered)
        return torch.bmm(flowing, views[0].weight.mT) if wants_inputs else None


def halted_(flowing: Tensor, rectified: Tensor) -> Tensor:
    """Return `flowing`, a gradient, set to zero where a rectifier let nothing through; torch's own kernel for it."""
    return _threshold_backward(flowing, rectified, 0, grad_input=flowing)
