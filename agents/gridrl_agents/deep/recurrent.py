"""A network that remembers: torso and hidden layers, then an LSTM, then a linear layer; all runs in one matrix."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.deep.layers import Layers
from gridrl_agents.deep.lstm import LSTM, Trace
from gridrl_agents.deep.part import Part
from gridrl_agents.streams import INITIAL_WEIGHTS, seed_sequence


class Passage(NamedTuple):
    """What a sequence left on its way through the network."""

    read: list[Any]  # the torso's activations, of [R, T * B, ...]
    trace: Trace
    output: list[Tensor]  # the last layer's activations, and last the values [R, T * B, pad(A)]


class RecurrentNetwork:
    """`torso` is what comes before the LSTM; `parameters` is [R, P], a row per run; all else are views."""

    def __init__(
        self, num_runs: int, torso: Part, lstm_size: int, num_actions: int, device: torch.device | None = None
    ) -> None:
        self._torso = torso
        self._lstm = LSTM(torso.num_outputs, lstm_size)
        self._head = Layers((self._lstm.width, num_actions), num_inputs=lstm_size, live=np.arange(lstm_size))
        self.state_width = 2 * self._lstm.width
        self.num_actions = num_actions
        self._sizes = [part.num_parameters for part in (torso, self._lstm, self._head)]
        self.parameters = torch.zeros(num_runs, sum(self._sizes), device=device)
        self._views = self.views(self.parameters)

    def views(self, matrix: Tensor) -> tuple[Any, ...]:
        """Return the places of torso, LSTM and head in a matrix [R, P]."""
        torso, lstm, head = matrix.split(self._sizes, dim=1)
        return self._torso.views(torso), self._lstm.views(lstm), self._head.views(head)

    def initialise(self, seeds: Sequence[int]) -> None:
        """Draw weights and biases, each run's from its own stream, within 1/sqrt(fan_in); the LSTM's 1/sqrt(units)."""
        drawn = torch.zeros(self.parameters.shape)  # on the host; they get to a device in one copy
        torso, lstm, head = self.views(drawn)
        for run, seed in enumerate(seeds):
            generator = np.random.default_rng(seed_sequence(seed, INITIAL_WEIGHTS))

            def draw(bound: float, shape: tuple[int, ...], generator: np.random.Generator = generator) -> np.ndarray:
                return generator.uniform(-bound, bound, shape)

            self._torso.initialise(torso, run, draw)
            self._lstm.initialise(lstm, run, draw)
            self._head.initialise(head, run, draw)
        self.parameters.copy_(drawn)

    def unroll(self, inputs: Tensor, state: Tensor, keep: Tensor) -> Passage:
        """Read sequences [R, T, B, F] from a state [R, B, state_width]; see `LSTM.unroll` for `keep`."""
        torso, lstm, head = self._views
        read = self._torso.activations(torso, inputs.flatten(1, 2))
        trace = self._lstm.unroll(lstm, read[-1].view(*inputs.shape[:3], -1), state, keep)
        hidden = trace.after[..., : self._lstm.width].flatten(1, 2)
        return Passage(read, trace, self._head.activations(head, hidden))

    def step(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read one observation each, [R, B, F], from a state; return values [R, B, A] and the state that follows."""
        passage = self.unroll(inputs[:, None], state, inputs.new_ones(inputs.shape[0], 1, inputs.shape[1], 1))
        return self.values(passage), passage.trace.after[:, 0]

    def rectified(self, inputs: Tensor) -> list[Tensor]:
        """Return what the rectifiers before the LSTM let through for inputs [R, B, F]."""
        return self._torso.rectified(self._torso.activations(self._views[0], inputs))

    def values(self, passage: Passage) -> Tensor:
        """Return the values, [R, T * B, A]."""
        return passage.output[-1][..., : self.num_actions]

    def backward(self, passage: Passage, output_gradient: Tensor, gradient: tuple[Any, ...]) -> None:
        """Write the parameters' gradient into `gradient`, from `views`, given the values', [R, T * B, pad(A)]."""
        torso, lstm, head = self._views
        hidden = self._head.backward(head, passage.output, output_gradient, gradient[2], wants_inputs=True)
        assert hidden is not None
        hidden = hidden.view(*passage.trace.after.shape[:3], -1)
        flowing = self._lstm.backward(lstm, passage.trace, hidden, gradient[1])
        self._torso.backward(torso, passage.read, flowing.flatten(1, 2), gradient[0], wants_inputs=False)
