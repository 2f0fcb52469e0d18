"""The learner of the DQN family: Q-learning with a network, a replay and a target network (Mnih et al. 2013, 2015).

All that sets one member of the family apart from another is handed over as a part: the networks (`layers`, `dueling`,
`noisy`), the choice of the next action (`double`), what is learned of the return (`mean`, `categorical`, `quantile`)
and the replay. No step asks which of them it has.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from gridrl_agents.base import Memory, ReturnDistribution, Transition, Translation
from gridrl_agents.deep.adam import load_tensor
from gridrl_agents.deep.dead_units import LOOKED_AT, dead_share
from gridrl_agents.deep.double import Select
from gridrl_agents.deep.encoder import Encoder
from gridrl_agents.deep.home import HOST, Home, saved
from gridrl_agents.deep.inheriting import carried, check_settings, columns, set_gamma
from gridrl_agents.deep.learned import Learned
from gridrl_agents.deep.network import Network, by_action
from gridrl_agents.deep.optimizers import Optimizer
from gridrl_agents.deep.replay import Batch, Replay
from gridrl_agents.deep.retiring import Retiring
from gridrl_agents.deep.settings import DQNSettings
from gridrl_agents.deep.update import Update
from gridrl_agents.errors import SettingsError
from gridrl_agents.exploration import DRAWS, epsilon_greedy
from gridrl_agents.schedules import LinearSchedule
from gridrl_agents.streams import EXPLORATION, Streams

CHUNK = 2048  # observations of each run that pass through the network at once, where they hold fewer numbers than
LARGEST_CHUNK = 2**21


class DQN(Retiring):
    """R networks, each learning from a replay of its own.

    The loss of Q_online(s, a) beside reward_scale * r + discount * Q_target(s', b) is weighted by the replay, averaged
    over the batch and summed over the runs, so that each run's gradient is what it would be alone.

    Metrics, one value per run: `loss`, the weighted mean over the batch; `mean_q`, the mean over the batch of
    Q_online(s, a) before the update, in units of true reward; `gradient_norm`, the Euclidean norm of the run's gradient
    before it is clipped; and those of what is learned.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        num_actions: int,
        encoder: Encoder,
        online: Network,
        target: Network,
        select: Select,
        learned: Learned,
        replay: Replay,
        optimizer: Optimizer,
        settings: DQNSettings,
        home: Home = HOST,
    ) -> None:
        self.seeds = tuple(seeds)
        self.gamma = settings.gamma
        self.num_updates = 0
        self._num_steps = 0
        self._shape = num_actions, learned.num_atoms
        self._home = home
        self._atoms = torch.arange(learned.num_atoms, device=home.device)
        self._encoder = encoder
        self._online = online
        self._target = target
        self._target.parameters.copy_(online.parameters)
        self._gradient = torch.zeros_like(online.parameters)
        self._gradient_views = online.views(self._gradient)
        self._replay = replay
        self.num_bytes = replay.num_bytes
        self.step_bytes = 5 * online.parameters[0].nbytes  # online, target, gradient and the optimiser's two moments
        self._select = select
        self._learned = learned
        if learned.limits is not None:
            low, high = learned.limits
            self.return_limits = low / settings.reward_scale, high / settings.reward_scale
        self._optimizer = optimizer
        self._settings = settings
        self._schedule = LinearSchedule(settings.epsilon_begin, settings.epsilon_end, settings.epsilon_decay_steps)
        self._streams = Streams(seeds, EXPLORATION)
        self._step = home.repeated(self._descend) if online.is_certain else self._descend

    @property
    def epsilon(self) -> float:
        """The probability with which the next `act` explores."""
        return self._schedule(self._num_steps)

    @torch.inference_mode()
    def act(self, obs: np.ndarray) -> np.ndarray:
        """Return an epsilon-greedy action for each run, int64 [R]; `obs` is [R, ...]."""
        rows = self._home.rows(self._encoder.encode(np.asarray(obs)[:, None])[:, 0])
        q_values = self._values(self._online.activations(self._encoder.inputs(rows[:, None]))[-1])[:, 0]
        return epsilon_greedy(self._home.array(q_values), self.epsilon, self._streams.uniform(DRAWS))

    @torch.inference_mode()
    def observe(self, transition: Transition) -> dict[str, np.ndarray]:
        """Keep one step of every run, and learn from a batch when it is time; return the metrics, each [R]."""
        if not self.remember(transition):
            return {}
        self._last_batch = self._replay.sample()
        return self._metrics(self.learn(self._last_batch))

    def remember(self, transition: Transition) -> bool:
        """Keep one step of every run; return whether it is time to learn."""
        self._replay.add(
            obs=self._encoder.encode(np.asarray(transition.obs)[:, None])[:, 0],
            action=transition.action,
            reward=np.asarray(transition.reward) * self._settings.reward_scale,
            terminated=transition.terminated,
            truncated=transition.truncated,
            next_obs=self._encoder.encode(np.asarray(transition.next_obs)[:, None])[:, 0],
        )
        self._num_steps += 1
        is_enough = self._replay.size >= self._settings.min_replay_size
        return is_enough and self._num_steps % self._settings.learn_period == 0

    @torch.inference_mode()
    def q_values(self, obs: np.ndarray) -> np.ndarray:
        """Return the online network's values, without noise, in units of true reward, float64 [R, N, A].

        `obs` is [R, N, ...].
        """
        parts = [self._home.array(self._values(output)) for _, output in self._outputs(obs)]
        return np.concatenate(parts, axis=1, dtype=np.float64) / self._settings.reward_scale

    def return_distribution(self, obs: np.ndarray) -> ReturnDistribution | None:
        """Return what the online network believes of each action's return, without noise; None where it is a mean.

        `obs` is [R, N, ...].
        """
        shape = (*np.shape(obs)[:2], *self._shape)
        returns, probability = np.empty(shape), np.empty(shape)
        for part, output in self._outputs(obs):
            found = self._learned.distribution(by_action(output, *self._shape))
            if found is None:
                return None
            returns[:, part], probability[:, part] = map(self._home.array, found)
        return ReturnDistribution(returns / self._settings.reward_scale, probability)

    def dead_units(self) -> np.ndarray | None:
        """Return the share of rectified units that nothing in the replay wakes, [R]; None where it cannot be told."""
        if not self._replay.size:
            return None
        rectified = self._online.rectified(self._encoder.inputs(self._replay.look(LOOKED_AT)))
        return dead_share([units.cpu() for units in rectified])

    def memory(self, run: int) -> Memory | None:
        """Return the transitions that a run keeps and how likely each is to be drawn; None where all are alike."""
        if self._settings.replay == "uniform" or not self._replay.size:
            return None
        replay = self._replay.state_dict()  # wherever its numbers live
        mass, sampler = replay["sampler"]["mass"][run], replay["sampler"]
        if "place_in" in sampler:  # by rank: masses are those of the slots that the places are in
            mass[sampler["place_in"][run]] = mass.copy()
        return Memory(self._encoder.decode_all(replay["kept"]["obs"][:, run]), mass / mass.sum())

    def _outputs(self, obs: np.ndarray) -> Iterator[tuple[slice, Tensor]]:
        """Yield the online network's output without noise, [R, some, W], for the observations [R, N, ...], in parts."""
        obs = np.asarray(obs)
        count = max(min(CHUNK, LARGEST_CHUNK // self._encoder.stored_width), 1)
        for begin in range(0, obs.shape[1], count):
            part = slice(begin, begin + count)
            yield part, self._online(self._inputs(obs[:, part]))

    def _inputs(self, obs: np.ndarray) -> Tensor:
        """Return what a network reads of observations [R, N, ...], [R, N, F]."""
        return self._encoder.inputs(self._home.tensor(self._encoder.encode(obs)))

    def _values(self, output: Tensor) -> Tensor:
        """Return the scaled action values [R, B, A] of a network's output [R, B, W]."""
        return self._learned.q_values(by_action(output, *self._shape))

    def _places(self, action: Tensor) -> Tensor:
        """Return where in a network's output the actions [R, B] stand, for gather and scatter, [R, B, K]."""
        return torch.add(self._atoms, action[..., None], alpha=self._shape[1])

    @torch.inference_mode()
    def learn(self, batch: Batch) -> Update:
        """Learn from a batch of the replay; return what was computed on the way."""
        update: Update = self._step(batch)
        self._replay.update_priorities(batch.place, self._home.for_replay(update.lesson.priority))
        self.num_updates += 1
        if self.num_updates % self._settings.target_update_period == 0:
            self._target.parameters.lerp_(self._online.parameters, self._settings.target_update_rate)
        return update

    def _descend(self, batch: Batch) -> Update:
        """Move the online network against the gradient of a batch's loss: the same operations for each batch."""
        next_inputs = self._encoder.inputs(batch.next_obs)
        next_output = self._target.activations(next_inputs)[-1]
        next_action = self._select(
            lambda: self._values(self._online.activations(next_inputs)[-1]), lambda: self._values(next_output)
        )
        next_estimate = next_output.gather(2, self._places(next_action))

        activations, taken = self._online.activations(self._encoder.inputs(batch.obs)), self._places(batch.action)
        estimate = activations[-1].gather(2, taken)
        lesson = self._learned.lesson(estimate, next_estimate, batch.reward, batch.discount)

        share = batch.weight * (1.0 / batch.weight.shape[1])
        output_gradient = torch.zeros_like(activations[-1]).scatter_(2, taken, share[..., None] * lesson.gradient)
        self._online.backward(activations, output_gradient, self._gradient_views)
        gradient_norm = self._home.clip_norms_(self._gradient, self._settings.max_gradient_norm)
        self._optimizer.step(self._gradient)
        return Update(
            batch, next_output, next_action, next_estimate, activations, estimate, lesson, share, gradient_norm
        )

    def _metrics(self, update: Update) -> dict[str, np.ndarray]:
        over_batch = {  # `Tensor.mean` takes twice the time of a sum for so few
            "loss": update.batch.weight * update.lesson.loss,
            "mean_q": self._learned.q_values(update.estimate),
            **update.lesson.metrics,
        }
        sums = {name: values.sum(dim=1) for name, values in over_batch.items()}
        metrics = self._home.arrays({**sums, "gradient_norm": update.gradient_norm})
        for name in sums:
            metrics[name] = metrics[name] / update.batch.weight.shape[1]
        metrics["mean_q"] = metrics["mean_q"] / self._settings.reward_scale
        return metrics

    def state_dict(self) -> dict[str, Any]:
        """Return both networks' parameters [R, P] and noise, Adam's state, the replay, the streams and the counts."""
        return {
            "online": saved(self._online.parameters),
            "target": saved(self._target.parameters),
            "noise": {"online": self._online.state_dict(), "target": self._target.state_dict()},
            "optimizer": self._optimizer.state_dict(),
            "replay": self._replay.state_dict(),
            "streams": self._streams.state_dict(),
            "num_steps": self._num_steps,
            "num_updates": self.num_updates,
        }

    def inherit(self, other: Self, translation: Translation | None = None) -> list[str]:
        """Go on from another's networks and, in the same world, from its replay; see `Agent.inherit`.

        In another world weights stay with what they read; those of what is new are zero.
        """
        check_settings(self._settings, other._settings)
        if self.return_limits != other.return_limits:
            raise SettingsError(
                "v_min and v_max cannot change on the way, as what was learned would not fit; begin anew with them."
            )
        state = other.state_dict()
        if translation is None:
            lost = set_gamma(state["replay"], other.gamma, self.gamma)
        else:
            encoders = self._encoder, other._encoder
            found = columns(self._online, other._online, *encoders, translation.entries)
            for place, names in ((state, ("online", "target")), (state["optimizer"], ("mean", "square"))):
                for name in names:
                    place[name] = carried(place[name], found)
            fresh, sampler = self._replay.state_dict(), state["replay"]["sampler"]
            fresh["sampler"] |= {name: sampler[name] for name in ("streams", "num_draws") if name in sampler}
            state["replay"] = fresh
            lost = [
                "the replay was emptied, as it held the world as it was; it learns again after "
                f"{self._settings.min_replay_size} steps."
            ]
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
            self._online.load_state_dict(state["noise"]["online"])
            self._target.load_state_dict(state["noise"]["target"])
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
