"""Fully connected networks of all runs, in one matrix of parameters; the gradient goes to another of the same layout.

The chain rule is written out: it is four lines a layer, puts each gradient where it is kept, and takes half of the time
of a recorded graph at the sizes that are used here.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.encoder import pad
from gridrl_agents.streams import INITIAL_WEIGHTS, seed_sequence


class Layer(NamedTuple):
    """Views into a matrix of parameters, or of their gradient."""

    weight: Tensor  # [R, in, out]
    bias: Tensor  # [R, 1, out]


class Network:
    """Linear layers with rectifiers between them, one stack for each run.

    `parameters` is [R, P], a row per run; all else are views. Every width is padded (see `pad`): padded units are zero,
    get no gradient, and so stay zero.
    """

    def __init__(self, num_runs: int, widths: Sequence[int]) -> None:
        self.widths = tuple(widths)
        padded = [pad(width) for width in widths]
        self._shapes = list(pairwise(padded))
        self.parameters = torch.zeros(num_runs, sum((fan_in + 1) * fan_out for fan_in, fan_out in self._shapes))
        self.layers = self.views(self.parameters)

    def views(self, matrix: Tensor) -> list[Layer]:
        """Return the layers' places in a matrix [R, P]."""
        layers, begin, runs = [], 0, matrix.shape[0]
        for fan_in, fan_out in self._shapes:
            middle, end = begin + fan_in * fan_out, begin + (fan_in + 1) * fan_out
            weight = matrix[:, begin:middle].view(runs, fan_in, fan_out)
            layers.append(Layer(weight, matrix[:, middle:end].view(runs, 1, fan_out)))
            begin = end
        return layers

    def activations(self, inputs: Tensor) -> list[Tensor]:
        """Return what enters each layer, and last what leaves the network; each [R, B, width]."""
        entering = [inputs]
        for layer in self.layers[:-1]:
            entering.append(torch.baddbmm(layer.bias, entering[-1], layer.weight).relu_())
        entering.append(torch.baddbmm(self.layers[-1].bias, entering[-1], self.layers[-1].weight))
        return entering

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return the output [R, B, pad(last width)] for inputs [R, B, pad(first width)]."""
        return self.activations(inputs)[-1]

    def backward(self, activations: list[Tensor], output_gradient: Tensor, gradient: list[Layer]) -> None:
        """Write the parameters' gradient into `gradient`, views of a matrix [R, P], given the output's [R, B, ...]."""
        flowing = output_gradient
        for number in range(len(self.layers) - 1, -1, -1):
            entered = activations[number]
            torch.bmm(entered.transpose(1, 2), flowing, out=gradient[number].weight)
            torch.sum(flowing, dim=1, keepdim=True, out=gradient[number].bias)
            if number > 0:
                flowing = torch.bmm(flowing, self.layers[number].weight.transpose(1, 2)).mul_(entered > 0)


def initialise(network: Network, seeds: Sequence[int], num_inputs: int, live: np.ndarray) -> None:
    """Draw weights and biases from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), each run from its own stream.

    The first layer is drawn for all `num_inputs` and keeps the rows of those that are `live`: the same network, and the
    same bound, as one that reads them all.
    """
    widths = (num_inputs, *network.widths[1:])
    for run, seed in enumerate(seeds):
        generator = np.random.default_rng(seed_sequence(seed, INITIAL_WEIGHTS))
        for number, (fan_in, fan_out) in enumerate(pairwise(widths)):
            bound = 1.0 / np.sqrt(fan_in)
            weight = generator.uniform(-bound, bound, (fan_in, fan_out))
            bias = generator.uniform(-bound, bound, fan_out)
            weight = weight[live] if number == 0 else weight
            layer = network.layers[number]
            layer.weight[run, : weight.shape[0], :fan_out] = torch.from_numpy(weight)
            layer.bias[run, 0, :fan_out] = torch.from_numpy(bias)
