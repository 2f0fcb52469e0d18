"""A network as the regressor of fitted Q-iteration (Riedmiller 2005: neural fitted Q-iteration)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gridrl_agents.deep.adam import Adam, load_tensor
from gridrl_agents.deep.configure import configure_torch
from gridrl_agents.deep.encoder import Encoder, make_encoder
from gridrl_agents.deep.layers import Layers
from gridrl_agents.deep.network import PlainNetwork
from gridrl_agents.streams import REPLAY, Streams

if TYPE_CHECKING:
    from gymnasium import Space

CHUNK = 2048  # observations of each run that pass through the network at once


class NetworkFeatures:
    """The rows that an encoder makes of observations; nothing is remembered."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.lookup = encoder.encode  # [R, N, ...] -> [R, N, width]
        self.shape = (encoder.stored_width,)
        self.dtype = torch.empty(0, dtype=encoder.stored_dtype).numpy().dtype

    def add(self, obs: np.ndarray) -> np.ndarray:
        """Return the rows of `obs` [R, ...], [R, width]."""
        return self.lookup(obs[:, None])[:, 0]

    def observation(self, run: int, feature: np.ndarray) -> np.ndarray:
        """Return the observation that has this row."""
        return self._encoder.decode(feature)

    def metrics(self, row_bytes: int) -> dict[str, np.ndarray]:
        """Return nothing: there is nothing that grows."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Do nothing."""


class NetworkRegressor:
    """R networks; a fit is `fit_updates` steps of Adam on half the squared error, from where the last fit ended.

    Each update draws `batch_size` of the examples, evenly and with replacement, each run from its own stream. Targets
    are multiplied by `reward_scale`, predictions divided by it. Observations are the encoder's rows [R, B, width].
    """

    def __init__(
        self,
        network: PlainNetwork,
        encoder: Encoder,
        seeds: Sequence[int],
        num_actions: int,
        *,
        learning_rate: float,
        batch_size: int,
        fit_updates: int,
        reward_scale: float,
    ) -> None:
        self._network = network
        self._encoder = encoder
        self._num_actions = num_actions
        self._batch_size = batch_size
        self._fit_updates = fit_updates
        self._reward_scale = reward_scale
        self._optimizer = Adam(network.parameters, learning_rate=learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8)
        self._gradient = torch.zeros_like(network.parameters)
        self._gradient_views = network.views(self._gradient)
        self._streams = Streams(seeds, REPLAY)
        self._runs = np.arange(len(seeds))[:, None]

    def fit(self, obs: np.ndarray, action: np.ndarray, target: np.ndarray) -> None:
        """Move the networks towards the targets; `obs` is [R, B, width], `action` and `target` are [R, B]."""
        for _ in range(self._fit_updates):
            place = (self._streams.uniform(self._batch_size) * action.shape[1]).astype(np.int64)
            drawn = self._runs, place
            scaled = torch.from_numpy((target[drawn] * self._reward_scale).astype(np.float32))[..., None]
            taken = torch.from_numpy(action[drawn])[..., None]
            activations = self._network.activations(self._encoder.inputs(torch.from_numpy(obs[drawn])))
            error = activations[-1].gather(2, taken) - scaled
            output_gradient = torch.zeros_like(activations[-1]).scatter_(2, taken, error / self._batch_size)
            self._network.backward(activations, output_gradient, self._gradient_views)
            self._optimizer.step(self._gradient)

    def predict(self, obs: np.ndarray) -> np.ndarray:
        """Return the networks' values of rows `obs` [R, B, width] in units of reward, float64 [R, B, A]."""
        values = np.empty((*obs.shape[:2], self._num_actions))
        for begin in range(0, obs.shape[1], CHUNK):
            chunk = np.ascontiguousarray(obs[:, begin : begin + CHUNK])
            output = self._network(self._encoder.inputs(torch.from_numpy(chunk)))
            values[:, begin : begin + CHUNK] = output[..., : self._num_actions]
        return values / self._reward_scale

    def retire(self, run: int) -> None:
        """Set a run's network to zero, and what Adam remembers of it."""
        state = self.state_dict()
        for array in (state["parameters"], state["optimizer"]["mean"], state["optimizer"]["square"]):
            array[run] = 0.0
        self.load_state_dict(state)

    def state_dict(self) -> dict[str, Any]:
        """Return the parameters [R, P], Adam's state and the streams."""
        return {
            "parameters": self._network.parameters.numpy().copy(),
            "optimizer": self._optimizer.state_dict(),
            "streams": self._streams.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned; raises `KeyError` or `ValueError` for what does not fit."""
        load_tensor(self._network.parameters, state["parameters"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._streams.load_state_dict(state["streams"])


def make_network_regressor(
    observation_space: "Space",
    observation_support: np.ndarray | None,
    seeds: Sequence[int],
    num_actions: int,
    *,
    hidden_sizes: Sequence[int] = (128, 128),
    learning_rate: float = 1e-3,
    batch_size: int = 32,
    fit_updates: int = 200,
    reward_scale: float = 0.01,
) -> tuple[NetworkRegressor, Encoder]:
    """Return a regressor with one network for each of `seeds`, and the encoder that makes the rows it reads.

    Sets torch to one thread and to flush denormals, for the whole process. Raises `SettingsError` for a space that a
    network cannot read.
    """
    configure_torch()
    encoder = make_encoder(observation_space, observation_support)
    widths = encoder.live.size, *hidden_sizes, num_actions
    network = PlainNetwork(len(seeds), Layers(widths, num_inputs=encoder.num_inputs, live=encoder.live))
    network.initialise(seeds)
    regressor = NetworkRegressor(
        network,
        encoder,
        seeds,
        num_actions,
        learning_rate=learning_rate,
        batch_size=batch_size,
        fit_updates=fit_updates,
        reward_scale=reward_scale,
    )
    return regressor, encoder
