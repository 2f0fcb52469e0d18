"""The deep Q-network (Mnih et al. 2013, 2015): Q-learning with a network, a replay memory and a target network."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.base import Agent, Transition
from gridrl_agents.deep.adam import Adam, load_tensor
from gridrl_agents.deep.clipping import clip_norms_
from gridrl_agents.deep.encoder import Encoder
from gridrl_agents.deep.network import Network
from gridrl_agents.deep.replay import UniformReplay
from gridrl_agents.deep.settings import DQNSettings
from gridrl_agents.errors import SettingsError
from gridrl_agents.exploration import DRAWS, epsilon_greedy
from gridrl_agents.schedules import LinearSchedule
from gridrl_agents.streams import EXPLORATION, Streams

Loss = Callable[[Tensor], tuple[Tensor, Tensor]]  # td_error [R, B] -> loss [R, B], its slope [R, B]
CHUNK = 2048  # observations of each run that pass through the network at once


class DQN(Agent):
    """R networks, each learning from a replay of its own.

    td_target = reward_scale * r + discount * max_b Q_target(s', b); the loss of (Q_online(s, a) - td_target) is
    averaged over the batch and summed over the runs, so that each run's gradient is what it would be alone.

    Metrics, one value per run: `loss`, the mean over the batch, of the scaled TD error; `mean_q`, the mean over the
    batch of Q_online(s, a) before the update, in units of true reward; `gradient_norm`, the Euclidean norm of the run's
    gradient before it is clipped.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        num_actions: int,
        encoder: Encoder,
        online: Network,
        target: Network,
        replay: UniformReplay,
        optimizer: Adam,
        loss: Loss,
        settings: DQNSettings,
    ) -> None:
        self.seeds = tuple(seeds)
        self.gamma = settings.gamma
        self.num_updates = 0
        self._num_steps = 0
        self._num_actions = num_actions
        self._encoder = encoder
        self._online = online
        self._target = target
        self._target.parameters.copy_(online.parameters)
        self._gradient = torch.zeros_like(online.parameters)
        self._gradient_views = online.views(self._gradient)
        self._replay = replay
        self._optimizer = optimizer
        self._loss = loss
        self._settings = settings
        self._schedule = LinearSchedule(settings.epsilon_begin, settings.epsilon_end, settings.epsilon_decay_steps)
        self._streams = Streams(seeds, EXPLORATION)

    @property
    def epsilon(self) -> float:
        """The probability with which the next `act` explores."""
        return self._schedule(self._num_steps)

    def act(self, obs: np.ndarray) -> np.ndarray:
        """Return an epsilon-greedy action for each run, int64 [R]; `obs` is [R, ...]."""
        q_values = self._forward(np.asarray(obs)[:, None])[:, 0]
        return epsilon_greedy(q_values.numpy(), self.epsilon, self._streams.uniform(DRAWS))

    def observe(self, transition: Transition) -> dict[str, np.ndarray]:
        """Keep one step of every run, and learn from a batch when it is time; return the metrics, each [R]."""
        self._replay.add(
            obs=self._encoder.encode(np.asarray(transition.obs)[:, None])[:, 0],
            action=transition.action,
            reward=np.asarray(transition.reward) * self._settings.reward_scale,
            terminated=transition.terminated,
            next_obs=self._encoder.encode(np.asarray(transition.next_obs)[:, None])[:, 0],
        )
        self._num_steps += 1
        if self._replay.size < self._settings.min_replay_size or self._num_steps % self._settings.learn_period:
            return {}
        return self._update()

    def q_values(self, obs: np.ndarray) -> np.ndarray:
        """Return the online network's values in units of true reward, float64 [R, N, A]; `obs` is [R, N, ...]."""
        obs = np.asarray(obs)
        values = np.empty((*obs.shape[:2], self._num_actions))
        for begin in range(0, obs.shape[1], CHUNK):
            values[:, begin : begin + CHUNK] = self._forward(obs[:, begin : begin + CHUNK])
        return values / self._settings.reward_scale

    def _forward(self, obs: np.ndarray) -> Tensor:
        """Return the online network's scaled values of `obs` [R, N, ...], [R, N, A]."""
        stored = torch.from_numpy(self._encoder.encode(obs))
        return self._online(self._encoder.inputs(stored))[..., : self._num_actions]

    def _update(self) -> dict[str, np.ndarray]:
        batch = self._replay.sample()
        next_q = self._target(self._encoder.inputs(batch.next_obs))[..., : self._num_actions]
        td_target = batch.reward + batch.discount * next_q.amax(dim=2)

        activations = self._online.activations(self._encoder.inputs(batch.obs))
        output, action = activations[-1], batch.action[..., None]
        estimate = output.gather(2, action)[..., 0]
        loss, slope = self._loss(estimate - td_target)

        output_gradient = torch.zeros_like(output).scatter_(
            2, action, (batch.weight * slope / slope.shape[1])[..., None]
        )
        self._online.backward(activations, output_gradient, self._gradient_views)
        gradient_norm = clip_norms_(self._gradient, self._settings.max_gradient_norm)
        self._optimizer.step(self._gradient)

        self.num_updates += 1
        if self.num_updates % self._settings.target_update_period == 0:
            self._target.parameters.lerp_(self._online.parameters, self._settings.target_update_rate)
        return {
            "loss": (batch.weight * loss).mean(dim=1).numpy(),
            "mean_q": estimate.mean(dim=1).numpy() / self._settings.reward_scale,
            "gradient_norm": gradient_norm.numpy(),
        }

    def state_dict(self) -> dict[str, Any]:
        """Return both networks' parameters [R, P], Adam's state, the replay, the streams and the counts."""
        return {
            "online": self._online.parameters.numpy().copy(),
            "target": self._target.parameters.numpy().copy(),
            "optimizer": self._optimizer.state_dict(),
            "replay": self._replay.state_dict(),
            "streams": self._streams.state_dict(),
            "num_steps": self._num_steps,
            "num_updates": self.num_updates,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned; raises `SettingsError` for the state of another kind of agent."""
        try:
            load_tensor(self._online.parameters, state["online"])
            load_tensor(self._target.parameters, state["target"])
            self._optimizer.load_state_dict(state["optimizer"])
            self._replay.load_state_dict(state["replay"])
            self._streams.load_state_dict(state["streams"])
            self._num_steps = int(state["num_steps"])
            self.num_updates = int(state["num_updates"])
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise SettingsError(
                f"the saved state does not fit this network of {self.num_runs} runs ({type(error).__name__}: {error}); "
                "load one that was saved with the same settings."
            ) from None
