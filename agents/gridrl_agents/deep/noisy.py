"""Weights with learned noise, which explores (Fortunato et al. 2018, section 3, factorised Gaussian noise).

A weight is mu + sigma * noise, and both mu and sigma are learned. The noise of a layer is the product of one number for
each input and one for each output: noise_ij = f(e_i) f(e_j), f(x) = sign(x) sqrt(|x|), of a bias f(e_j) alone.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.home import HOST, Home
from gridrl_agents.deep.network import initialise
from gridrl_agents.deep.part import Part
from gridrl_agents.streams import NOISE


class NoisyViews(NamedTuple):
    """Where a gradient of a noisy network goes."""

    mean: Any  # the part's views of the first half of the columns
    halves: tuple[Tensor, Tensor]  # [R, P / 2] each, of mu and of sigma


class NoisyNetwork:
    """A network whose linear layers are noisy: `parameters` are [mu, sigma], [R, 2 p] for a part of p parameters.

    `activations` draws noise anew; calling the network leaves it out. With weights w = mu + sigma * noise, the gradient
    of mu is that of w, and the gradient of sigma is that times the noise.
    """

    is_certain = False

    def __init__(
        self, num_runs: int, part: Part, sigma: float, seeds: Sequence[int], key: int, home: Home = HOST
    ) -> None:
        """`sigma` is the noise's initial scale, over sqrt(fan_in); `key` tells apart the networks of a seed."""
        self._part = part
        self._sigma = sigma
        self.parameters = torch.zeros(num_runs, 2 * part.num_parameters, device=home.device)
        self._mean, self._scale = self._halves(self.parameters)
        self._mean_views = part.views(self._mean)
        self._noise = torch.zeros(num_runs, part.num_parameters, device=home.device)
        self._noise_layers = part.linear_layers(part.views(self._noise))
        self._noisy = torch.zeros_like(self._noise)
        self._noisy_views = part.views(self._noisy)
        self._sizes = list(chain.from_iterable(layer.weight.shape[1:] for layer in self._noise_layers))
        self._streams = home.normal_streams(seeds, NOISE, key, block=16 * sum(self._sizes))

    def views(self, matrix: Tensor) -> NoisyViews:
        """Return the places of mu's and sigma's gradient in `matrix` [R, 2 p]."""
        mean, scale = self._halves(matrix)
        return NoisyViews(self._part.views(mean), (mean, scale))

    def readers(self, matrix: Tensor) -> list[Tensor]:
        """Return the part's readers of mu, then of sigma."""
        return [reader for half in self._halves(matrix) for reader in self._part.readers(self._part.views(half))]

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return the output [R, B, W] without noise: with the mean weights."""
        return self._part.activations(self._mean_views, inputs)[-1]

    def activations(self, inputs: Tensor) -> list[Any]:
        """Return the part's activations with new noise, one draw for all B."""
        self._draw_noise()
        return self._part.activations(self._noisy_views, inputs)

    def rectified(self, inputs: Tensor) -> list[Tensor]:
        """Return the part's rectified units, with the mean weights."""
        return self._part.rectified(self._part.activations(self._mean_views, inputs))

    def backward(self, activations: list[Any], output_gradient: Tensor, gradient: NoisyViews) -> None:
        """Write mu's gradient and sigma's; the noise is that of the latest `activations`."""
        self._part.backward(self._noisy_views, activations, output_gradient, gradient.mean, wants_inputs=False)
        mean, scale = gradient.halves
        torch.mul(mean, self._noise, out=scale)

    def initialise(self, seeds: Sequence[int]) -> None:
        """Draw mu as a plain network's weights, U(-1/sqrt(fan_in), 1/sqrt(fan_in)); sigma is sigma / sqrt(fan_in)."""
        initialise(self._part, self._mean, seeds)
        scale = torch.zeros(self._scale.shape)
        views = self._part.views(scale)
        for run in range(len(seeds)):
            self._part.initialise(views, run, lambda bound, shape: np.full(shape, self._sigma * bound))
        self._scale.copy_(scale)

    def state_dict(self) -> dict[str, Any]:
        """Return where the noise's streams stand."""
        return self._streams.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned."""
        self._streams.load_state_dict(state)

    def _halves(self, matrix: Tensor) -> tuple[Tensor, Tensor]:
        mean, scale = matrix.split(self._part.num_parameters, dim=1)
        return mean, scale

    def _draw_noise(self) -> None:
        drawn = torch.as_tensor(self._streams.normal(sum(self._sizes)))  # the same memory, whatever it is
        factors = (drawn.sign() * drawn.abs().sqrt_()).split(self._sizes, dim=1)
        for layer, per_input, per_output in zip(self._noise_layers, factors[::2], factors[1::2], strict=True):
            torch.mul(per_input[:, :, None], per_output[:, None, :], out=layer.weight)
            layer.bias.copy_(per_output[:, None, :])
        torch.mul(self._scale, self._noise, out=self._noisy).add_(self._mean)
