"""The deep recurrent Q-network (Hausknecht & Stone 2015): DQN for those who do not see everything at once."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.base import Transition, Translation
from gridrl_agents.deep.adam import load_tensor
from gridrl_agents.deep.dead_units import LOOKED_AT, dead_share
from gridrl_agents.deep.drqn_settings import DRQNSettings
from gridrl_agents.deep.encoder import Encoder
from gridrl_agents.deep.home import HOST, Home, saved
from gridrl_agents.deep.inheriting import check_settings, set_gamma
from gridrl_agents.deep.losses import LOSSES
from gridrl_agents.deep.optimizers import Optimizer
from gridrl_agents.deep.recurrent import RecurrentNetwork
from gridrl_agents.deep.recurrent_policy import RecurrentPolicy
from gridrl_agents.deep.retiring import Retiring
from gridrl_agents.deep.sequences import SequenceReplay, Sequences
from gridrl_agents.deep.update import SequenceUpdate
from gridrl_agents.errors import SettingsError
from gridrl_agents.exploration import DRAWS, epsilon_greedy
from gridrl_agents.schedules import LinearSchedule
from gridrl_agents.streams import EXPLORATION, Streams

CHUNK = 2048  # observations of each run that pass through the network at once, where they hold fewer numbers than
LARGEST_CHUNK = 2**21


class DRQN(Retiring):
    """R networks with a memory, each learning from sequences of its own steps.

    The td_target of step t is reward_scale * r + discount * max_b Q_target(s', b), with what the target network itself
    remembers after step t. The loss is averaged over the steps that are learned from, and summed over the runs.

    An action is chosen from the observation and the state, which begins at zero with each episode: `observe` tells the
    agent of its end. Metrics, one value per run: `loss`; `mean_q`, the mean of Q_online(s, a) before the update, in
    units of true reward; `gradient_norm`, the Euclidean norm of the run's gradient before it is clipped.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        encoder: Encoder,
        online: RecurrentNetwork,
        target: RecurrentNetwork,
        replay: SequenceReplay,
        optimizer: Optimizer,
        settings: DRQNSettings,
        home: Home = HOST,
    ) -> None:
        self.seeds = tuple(seeds)
        self.gamma = settings.gamma
        self.num_updates = 0
        self._num_steps = 0
        self._home = home
        self._encoder = encoder
        self._online = online
        self._target = target
        self._target.parameters.copy_(online.parameters)
        self._gradient = torch.zeros_like(online.parameters)
        self._gradient_views = online.views(self._gradient)
        self._replay = replay
        self.num_bytes = replay.num_bytes
        self.step_bytes = 5 * online.parameters[0].nbytes  # online, target, gradient and the optimiser's two moments
        self._optimizer = optimizer
        self._loss = LOSSES[settings.loss]
        self._settings = settings
        self._schedule = LinearSchedule(settings.epsilon_begin, settings.epsilon_end, settings.epsilon_decay_steps)
        self._streams = Streams(seeds, EXPLORATION)
        self._step = home.repeated(self._descend)
        self._state = self.fresh_state(1)  # before the present observation
        self._state_after: Tensor | None = None  # and after it, once it was seen

    @property
    def epsilon(self) -> float:
        """The probability with which the next `act` explores."""
        return self._schedule(self._num_steps)

    def fresh_state(self, count: int) -> Tensor:
        """Return what is remembered at the beginning of `count` episodes of each run: zeros [R, count, width]."""
        return torch.zeros(self.num_runs, count, self._online.state_width, device=self._home.device)

    def read(self, obs: np.ndarray, state: Tensor) -> tuple[np.ndarray, Tensor]:
        """Return the scaled values [R, N, A] of `obs` [R, N, ...] met in a state [R, N, width], and the next state."""
        q_values, after = self._online.step(self._inputs(self._home.tensor(self._encoder.encode(obs))), state)
        return self._home.array(q_values), after

    def forget(self, state: Tensor, mask: np.ndarray) -> Tensor:
        """Return `state` [R, N, width] with zeros where `mask`, bool [R, N], is True."""
        return state.masked_fill(self._home.tensor(np.array(mask, dtype=bool))[..., None], 0.0)

    def act(self, obs: np.ndarray) -> np.ndarray:
        """Return an epsilon-greedy action for each run, int64 [R]; `obs` is [R, ...]."""
        q_values, self._state_after = self._meet(np.asarray(obs))
        return epsilon_greedy(self._home.array(q_values), self.epsilon, self._streams.uniform(DRAWS))

    def _meet(self, obs: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return the scaled values [R, A] of the present observations [R, ...], and the state after them."""
        rows = self._home.rows(self._encoder.encode(obs[:, None])[:, 0])
        q_values, after = self._online.step(self._inputs(rows[:, None]), self._state)
        return q_values[:, 0], after

    def observe(self, transition: Transition) -> dict[str, np.ndarray]:
        """Keep one step of every run, and learn from a batch when it is time; return the metrics, each [R]."""
        if not self.remember(transition):
            return {}
        self._last_batch = self._replay.sample()
        return self._metrics(self.learn(self._last_batch))

    def remember(self, transition: Transition) -> bool:
        """Keep one step of every run; return whether it is time to learn."""
        obs = np.asarray(transition.obs)
        if self._state_after is None:
            _, self._state_after = self._meet(obs)
        self._replay.add(
            obs=self._encoder.encode(obs[:, None])[:, 0],
            action=transition.action,
            reward=np.asarray(transition.reward) * self._settings.reward_scale,
            terminated=transition.terminated,
            truncated=transition.truncated,
            next_obs=self._encoder.encode(np.asarray(transition.next_obs)[:, None])[:, 0],
            state=self._state[:, 0],
        )
        ended = np.logical_or(transition.terminated, transition.truncated)
        after = self._state_after
        self._state, self._state_after = self.forget(after, ended[:, None]) if ended.any() else after, None
        self._num_steps += 1
        is_enough = self._replay.size >= self._settings.min_replay_size
        return is_enough and self._num_steps % self._settings.learn_period == 0

    def q_values(self, obs: np.ndarray) -> np.ndarray:
        """Return the values of observations that nothing was seen before, in units of true reward, float64 [R, N, A].

        `obs` is [R, N, ...]; each is met with a fresh state, as an episode's first.
        """
        obs = np.asarray(obs)
        values = np.empty((*obs.shape[:2], self._online.num_actions))
        count = max(min(CHUNK, LARGEST_CHUNK // self._encoder.stored_width), 1)
        for begin in range(0, obs.shape[1], count):
            some = obs[:, begin : begin + count]
            values[:, begin : begin + count], _ = self.read(some, self.fresh_state(some.shape[1]))
        return values / self._settings.reward_scale

    def dead_units(self) -> np.ndarray | None:
        """Return the share of rectified units that nothing in the replay wakes, [R]; None where it cannot be told."""
        if not self._replay.size:
            return None
        rectified = self._online.rectified(self._encoder.inputs(self._replay.look(LOOKED_AT)))
        return dead_share([units.cpu() for units in rectified])

    def policy(self, epsilon: float, stream_key: int = 0) -> RecurrentPolicy:
        """Return a policy that acts on this agent's values with a memory of its own; same key, same actions."""
        return RecurrentPolicy(self, epsilon, stream_key)

    def _inputs(self, stored: Tensor) -> Tensor:
        """Return what a network reads of rows [R, ..., width], [R, ..., F]."""
        return self._encoder.inputs(stored.flatten(1, -2)).unflatten(1, stored.shape[1:-1])

    def learn(self, steps: Sequences) -> SequenceUpdate:
        """Learn from a batch of the replay; return what was computed on the way."""
        update: SequenceUpdate = self._step(steps)
        self.num_updates += 1
        if self.num_updates % self._settings.target_update_period == 0:
            self._target.parameters.lerp_(self._online.parameters, self._settings.target_update_rate)
        return update

    def _descend(self, steps: Sequences) -> SequenceUpdate:
        """Move the online network against the gradient of a batch's loss: the same operations for each batch."""
        settings = self._settings
        if not settings.stored_state:
            steps = steps._replace(state=torch.zeros_like(steps.state))
        next_q = self._next_values(steps)
        reward, discount = (field[:, settings.burn_in :].flatten(1) for field in (steps.reward, steps.discount))
        td_target = reward + discount * next_q.amax(dim=2)

        begin = settings.burn_in
        inputs, state = self._inputs(steps.obs), steps.state
        if begin:
            state = self._online.unroll(inputs[:, :begin], state, steps.keep[:, :begin]).trace.after[:, -1]
        passage = self._online.unroll(inputs[:, begin:], state, steps.keep[:, begin:])
        output, action = passage.output[-1], steps.action[:, begin:].flatten(1)[..., None]
        estimate = output.gather(2, action)[..., 0]
        loss, slope = self._loss(estimate - td_target)

        output_gradient = torch.zeros_like(output).scatter_(2, action, (slope / slope.shape[1])[..., None])
        self._online.backward(passage, output_gradient, self._gradient_views)
        gradient_norm = self._home.clip_norms_(self._gradient, settings.max_gradient_norm)
        self._optimizer.step(self._gradient)
        return SequenceUpdate(steps, next_q, td_target, passage, estimate, loss, slope, gradient_norm)

    def _metrics(self, update: SequenceUpdate) -> dict[str, np.ndarray]:
        means = {"loss": update.loss.mean(dim=1), "mean_q": update.estimate.mean(dim=1)}
        metrics = self._home.arrays({**means, "gradient_norm": update.gradient_norm})
        metrics["mean_q"] = metrics["mean_q"] / self._settings.reward_scale
        return metrics

    def _next_values(self, steps: Sequences) -> Tensor:
        """Return what the target network says of what follows the steps that are learned from, [R, T * B, A]."""
        learned = slice(self._settings.burn_in, None)
        after = self._target.unroll(self._inputs(steps.obs), steps.state, steps.keep).trace.after[:, learned]
        next_q, _ = self._target.step(self._inputs(steps.next_obs[:, learned]).flatten(1, 2), after.flatten(1, 2))
        return next_q

    def state_dict(self) -> dict[str, Any]:
        """Return both networks' parameters [R, P], what is remembered, optimizer, replay, streams and counts."""
        return {
            "online": saved(self._online.parameters),
            "target": saved(self._target.parameters),
            "state": saved(self._state),
            "optimizer": self._optimizer.state_dict(),
            "replay": self._replay.state_dict(),
            "streams": self._streams.state_dict(),
            "num_steps": self._num_steps,
            "num_updates": self.num_updates,
        }

    def inherit(self, other: Self, translation: Translation | None = None) -> list[str]:
        """Go on from another's networks and replay, in the same world alone; see `Agent.inherit`."""
        if translation is not None:
            return super().inherit(other, translation)
        check_settings(self._settings, other._settings)
        state = other.state_dict()
        lost = set_gamma(state["replay"], other.gamma, self.gamma)
        self.load_state_dict(state)
        return lost

    def values_dict(self) -> dict[str, Any]:
        """Return the online network's parameters [R, P]."""
        return {"online": saved(self._online.parameters)}

    def load_values(self, state: Mapping[str, Any]) -> None:
        """Put the online network's parameters back."""
        load_tensor(self._online.parameters, state["online"])

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned; raises `SettingsError` for the state of another kind of agent."""
        try:
            load_tensor(self._online.parameters, state["online"])
            load_tensor(self._target.parameters, state["target"])
            self._state, self._state_after = self.fresh_state(1), None
            load_tensor(self._state, state["state"])
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
