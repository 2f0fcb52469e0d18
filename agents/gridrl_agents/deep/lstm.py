"""The long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000) of all runs."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.encoder import pad
from gridrl_agents.deep.part import Draw

UNITS_MULTIPLE = 32  # two of the widest vectors: so that sigmoids and tangents, too, have no scalar tail (see `pad`)


class Weights(NamedTuple):
    """Views into a matrix of parameters, or of their gradient; the gates are input, forget, output, candidate."""

    inputs: Tensor  # [R, in, 4 U]
    recurrent: Tensor  # [R, U, 4 U]
    bias: Tensor  # [R, 1, 4 U]


class Trace(NamedTuple):
    """What `backward` wants to know of an unrolling; each [R, T, B, ...]."""

    inputs: Tensor
    before: Tensor  # hidden units and cells, [.., 2 U], as each step met them: zero where an episode began
    gates: Tensor  # [.., 4 U]
    after: Tensor  # hidden units and cells, [.., 2 U], as each step left them
    keep: Tensor  # [.., 1]


class LSTM:
    """i, f, o = sigmoid(W x + V h + b), g = tanh(W x + V h + b), c <- f c + i g, h <- o tanh(c).

    A state is [R, B, 2 U], the hidden units h and then the cells c; U is `num_units` padded, and what is padded is zero
    and stays zero.
    """

    def __init__(self, num_inputs: int, num_units: int) -> None:
        self.num_inputs, self.num_units = num_inputs, num_units
        self.width = -(-num_units // UNITS_MULTIPLE) * UNITS_MULTIPLE  # U
        self.num_parameters = (pad(num_inputs) + self.width + 1) * 4 * self.width

    def views(self, matrix: Tensor) -> Weights:
        """Return the weights' places in a matrix [R, num_parameters]."""
        heights = (pad(self.num_inputs), self.width, 1)
        columns = matrix.split([height * 4 * self.width for height in heights], dim=1)
        return Weights(
            *(part.unflatten(1, (height, 4 * self.width)) for part, height in zip(columns, heights, strict=True))
        )

    def initialise(self, weights: Weights, run: int, draw: Draw) -> None:
        """Fill one run's weights from draw(1 / sqrt(units), shape)."""
        bound, units = 1.0 / np.sqrt(self.num_units), self.num_units
        for part, height in zip(weights, (self.num_inputs, units, 1), strict=True):
            gates = part[run].unflatten(1, (4, self.width))
            gates[:height, :, :units] = torch.from_numpy(draw(bound, (height, 4, units)))

    def unroll(self, weights: Weights, inputs: Tensor, state: Tensor, keep: Tensor) -> Trace:
        """Read inputs [R, T, B, F] one after the other, from a state [R, B, 2 U].

        Before step t the state is multiplied by keep[:, t], of [R, T, B, 1]: 0 where an episode begins there, else 1.
        """
        runs, length, batch = inputs.shape[:3]
        units = self.width
        gates = torch.baddbmm(weights.bias, inputs.flatten(1, 2), weights.inputs).view(runs, length, batch, -1)
        before, after = (inputs.new_empty(runs, length, batch, 2 * units) for _ in range(2))
        for t in range(length):
            met = torch.mul(state, keep[:, t], out=before[:, t])
            now = torch.baddbmm(gates[:, t], met[..., :units], weights.recurrent)
            now[..., : 3 * units].sigmoid_()
            now[..., 3 * units :].tanh_()
            enter, forget, leave, candidate = now.split(units, dim=2)
            cell = forget * met[..., units:] + enter * candidate
            state = torch.cat((leave * cell.tanh(), cell), dim=2)
            gates[:, t] = now
            after[:, t] = state
        return Trace(inputs, before, gates, after, keep)

    def backward(self, weights: Weights, trace: Trace, hidden_gradient: Tensor, gradient: Weights) -> Tensor:
        """Write the weights' gradient, given that of the hidden units, [R, T, B, U]; return that of the inputs.

        Goes back through time to the first step of the trace, and not into the state before it.
        """
        units, length = self.width, hidden_gradient.shape[1]
        gates_gradient = torch.empty_like(trace.gates)
        later = torch.zeros_like(trace.before[:, 0])  # what flows in from the next step
        recurrent = weights.recurrent.transpose(1, 2)
        for t in range(length - 1, -1, -1):
            enter, forget, leave, candidate = trace.gates[:, t].split(units, dim=2)
            squashed = trace.after[:, t, :, units:].tanh()
            hidden = hidden_gradient[:, t] + later[..., :units]
            cell = later[..., units:] + hidden * leave * (1.0 - squashed * squashed)
            now = torch.cat(
                (
                    cell * candidate * enter * (1.0 - enter),
                    cell * trace.before[:, t, :, units:] * forget * (1.0 - forget),
                    hidden * squashed * leave * (1.0 - leave),
                    cell * enter * (1.0 - candidate * candidate),
                ),
                dim=2,
            )
            gates_gradient[:, t] = now
            later = torch.cat((torch.bmm(now, recurrent), cell * forget), dim=2) * trace.keep[:, t]
        flat = gates_gradient.flatten(1, 2)
        torch.bmm(trace.inputs.flatten(1, 2).transpose(1, 2), flat, out=gradient.inputs)
        torch.bmm(trace.before[..., :units].flatten(1, 2).transpose(1, 2), flat, out=gradient.recurrent)
        torch.sum(flat, dim=1, keepdim=True, out=gradient.bias)
        return torch.bmm(flat, weights.inputs.transpose(1, 2)).view(*hidden_gradient.shape[:3], -1)
