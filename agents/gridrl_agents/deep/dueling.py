"""A state's value and its actions' advantages, each with a stream of its own (Wang et al. 2016, equation 9).

Q(s, a) = V(s) + A(s, a) - mean over a' of A(s, a'), the mean of the same row s. Every transition teaches V, whichever
action it was; the mean makes the split unique.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.layers import Layers
from gridrl_agents.deep.network import by_action
from gridrl_agents.deep.part import Draw, Layer, columns


class Streams(NamedTuple):
    """The two streams' views."""

    value: list[Layer]
    advantage: list[Layer]


class Dueling:
    """A part: two stacks of layers over the same inputs, and their sum. With atoms, it is taken atom by atom."""

    def __init__(
        self,
        widths: Sequence[int],
        num_actions: int,
        num_atoms: int,
        *,
        num_inputs: int | None = None,
        live: np.ndarray | None = None,
    ) -> None:
        """`widths` are those of the inputs and of the hidden layers, whose units are shared out evenly to the streams.

        So the network has as many weights as one without streams: the paper's control, too, is of equal size (section
        4.2). `num_inputs` and `live` are as in `Layers`.
        """
        widths = widths[0], *(-(-width // 2) for width in widths[1:])
        self._shape = num_actions, num_atoms
        self.num_outputs = num_actions * num_atoms
        self._value = Layers((*widths, num_atoms), num_inputs=num_inputs, live=live)
        self._advantage = Layers((*widths, self.num_outputs), num_inputs=num_inputs, live=live)
        self._parts = self._value, self._advantage
        self.num_parameters = self._value.num_parameters + self._advantage.num_parameters

    def views(self, matrix: Tensor) -> Streams:
        """Return both streams' layers."""
        value, advantage = columns(matrix, self._parts)
        return Streams(self._value.views(value), self._advantage.views(advantage))

    def linear_layers(self, views: Streams) -> list[Layer]:
        """Return both streams' layers in a row."""
        return [*views.value, *views.advantage]

    def readers(self, views: Streams) -> list[Tensor]:
        """Return the first weight of each stream."""
        return self._value.readers(views.value) + self._advantage.readers(views.advantage)

    def initialise(self, views: Streams, run: int, draw: Draw) -> None:
        """Fill the value stream, then the advantage stream."""
        self._value.initialise(views.value, run, draw)
        self._advantage.initialise(views.advantage, run, draw)

    def activations(self, views: Streams, inputs: Tensor) -> list[Any]:
        """Return both streams' activations, and last the sum, [R, B, A * K]."""
        value = self._value.activations(views.value, inputs)
        advantage = self._advantage.activations(views.advantage, inputs)
        per_action = by_action(advantage[-1], *self._shape)
        per_state = by_action(value[-1], 1, self._shape[1])
        output = per_action + per_state.sub(per_action.sum(dim=2, keepdim=True), alpha=1.0 / self._shape[0])
        return [value, advantage, output.flatten(2)]

    def rectified(self, activations: list[Any]) -> list[Tensor]:
        """Return both streams' rectified units."""
        value, advantage, _ = activations
        return self._value.rectified(value) + self._advantage.rectified(advantage)

    def backward(
        self, views: Streams, activations: list[Any], output_gradient: Tensor, gradient: Streams, wants_inputs: bool
    ) -> Tensor | None:
        """Write both streams' gradient; that of the inputs is the sum of what both send back."""
        value, advantage, _ = activations
        per_action = by_action(output_gradient, *self._shape)
        to_value, to_advantage = torch.zeros_like(value[-1]), torch.zeros_like(advantage[-1])
        total = torch.sum(per_action, dim=2, keepdim=True, out=by_action(to_value, 1, self._shape[1]))
        torch.sub(per_action, total, alpha=1.0 / self._shape[0], out=by_action(to_advantage, *self._shape))
        back = self._value.backward(views.value, value, to_value, gradient.value, wants_inputs)
        also = self._advantage.backward(views.advantage, advantage, to_advantage, gradient.advantage, wants_inputs)
        return None if back is None or also is None else back.add_(also)
