"""An agent that gathers transitions and learns from all of them at once, now and then, by fitted Q-iteration."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from gridrl_agents.base import Agent, Transition
from gridrl_agents.errors import SettingsError
from gridrl_agents.exploration import DRAWS, epsilon_greedy
from gridrl_agents.schedules import LinearSchedule
from gridrl_agents.streams import EXPLORATION, Streams
from gridrl_agents.tabular.arrays import Arrays
from gridrl_agents.tabular.fitted_q import Regressor, backups
from gridrl_agents.tabular.settings import FittedQSettings


class Features(Protocol):
    """Turns observations into what the regressor reads: a table's index does, and a network's encoder."""

    def lookup(self, obs: np.ndarray) -> np.ndarray:
        """Return the features of `obs` [R, N, ...], [R, N, ...]."""

    def add(self, obs: np.ndarray) -> np.ndarray:
        """Return the features of `obs` [R, ...], [R, ...], which are from now on known."""

    def observation(self, run: int, feature: Any) -> np.ndarray:
        """Return the observation of one run that has these features."""

    def metrics(self, row_bytes: int) -> dict[str, np.ndarray]:
        """Return what is worth watching, each [R]; the values of an observation take `row_bytes`."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that is remembered."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned."""


class SavedRegressor(Regressor, Protocol):
    """A regressor whose state can be saved, and of which a run can be taken out."""

    def retire(self, run: int) -> None:
        """Make what a run has learned finite again."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that it is."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned; raises `KeyError` or `ValueError` for what does not fit."""


class FittedQ(Agent):
    """Keeps the last `replay_capacity` transitions; every `refit_period` steps makes `num_iterations` backups of all.

    A refit goes on from the values of the one before. Metrics, of refits alone: `td_error`, the mean over all that is
    kept of |r + discount * max_b Q(s', b) - Q(s, a)| after the refit, in units of reward; for a table that grows also
    `states` and `memory`, as in `TabularAgent`.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        num_actions: int,
        features: Features,
        feature_shape: tuple[int, ...],
        feature_dtype: Any,
        regressor: SavedRegressor,
        settings: FittedQSettings,
    ) -> None:
        self.seeds = tuple(seeds)
        self.gamma = settings.gamma
        self.num_updates = 0  # backups
        self._num_steps = 0
        self._features = features
        self._regressor = regressor
        self._settings = settings
        self._schedule = LinearSchedule(settings.epsilon_begin, settings.epsilon_end, settings.epsilon_decay_steps)
        self._streams = Streams(seeds, EXPLORATION)
        self._num_actions = num_actions
        self._kept = Arrays(len(seeds), settings.replay_capacity)
        for name in ("obs", "next_obs"):
            self._kept.add(name, *feature_shape, dtype=feature_dtype)
        self._kept.add("action", dtype=np.int64)
        self._kept.add("reward")
        self._kept.add("terminated", dtype=bool)
        self.step_bytes = settings.replay_capacity * self._kept.row_bytes

    @property
    def epsilon(self) -> float:
        """The probability with which the next `act` explores."""
        return self._schedule(self._num_steps)

    @property
    def size(self) -> int:
        """Transitions kept of each run."""
        return min(self._num_steps, self._settings.replay_capacity)

    def act(self, obs: np.ndarray) -> np.ndarray:
        """Return an epsilon-greedy action for each run, int64 [R]; `obs` is [R, ...]."""
        q_values = self.q_values(np.asarray(obs)[:, None])[:, 0]
        return epsilon_greedy(q_values, self.epsilon, self._streams.uniform(DRAWS))

    def q_values(self, obs: np.ndarray) -> np.ndarray:
        """Return the regressor's values in units of reward, float64 [R, N, A]; `obs` is [R, N, ...]."""
        return self._regressor.predict(self._features.lookup(np.asarray(obs)))

    def observe(self, transition: Transition) -> dict[str, np.ndarray]:
        """Keep one step of every run, and refit when it is time; return the metrics, each [R]."""
        if not self.remember(transition):
            return {}
        for _ in self.backups():
            pass
        return self._metrics()

    def remember(self, transition: Transition) -> bool:
        """Keep one step of every run; return whether it is time to refit."""
        at = self._num_steps % self._settings.replay_capacity
        self._kept["obs"][:, at] = self._features.add(np.asarray(transition.obs))
        self._kept["action"][:, at] = transition.action
        self._kept["reward"][:, at] = transition.reward
        self._kept["next_obs"][:, at] = self._features.add(np.asarray(transition.next_obs))
        self._kept["terminated"][:, at] = transition.terminated
        self._num_steps += 1
        return self._num_steps % self._settings.refit_period == 0

    @property
    def transitions(self) -> Transition:
        """All that is kept, [R, size, ...], the observations as features."""
        kept = {name: self._kept[name][:, : self.size] for name in self._kept.names}
        return Transition(**kept, truncated=np.zeros_like(kept["terminated"]))  # a step limit is no end

    def backups(self) -> Iterator[np.ndarray]:
        """Make the backups of one refit; yield after each the targets [R, size] that were fitted."""
        for td_target in backups(self.transitions, self._regressor, self.gamma, self._settings.num_iterations):
            self.num_updates += 1
            yield td_target

    def _metrics(self) -> dict[str, np.ndarray]:
        kept = self.transitions
        value = self._regressor.predict(kept.next_obs).max(axis=-1)
        td_target = kept.reward + self.gamma * np.where(kept.terminated, 0.0, value)
        estimate = np.take_along_axis(self._regressor.predict(kept.obs), kept.action[..., None], axis=-1)[..., 0]
        td_error = np.abs(td_target - estimate).mean(axis=1)
        return {"td_error": td_error, **self._features.metrics(8 * self._num_actions)}

    def last_batch(self, run: int) -> dict[str, np.ndarray]:
        """Return all that is kept, as a refit learns from all of it; the observations as features."""
        return {name: self._kept[name][run, : self.size].copy() for name in self._kept.names}

    def retire(self, run: int) -> None:
        """Forget what a run has kept and learned."""
        self._kept.reset(run)
        self._regressor.retire(run)

    def state_dict(self) -> dict[str, Any]:
        """Return what is kept, the regressor, the features, the streams and the counts."""
        return {
            "kept": self._kept.state_dict(self.size),
            "regressor": self._regressor.state_dict(),
            "features": self._features.state_dict(),
            "streams": self._streams.state_dict(),
            "num_steps": self._num_steps,
            "num_updates": self.num_updates,
        }

    def values_dict(self) -> dict[str, Any]:
        """Return the regressor."""
        return {"regressor": self._regressor.state_dict()}

    def load_values(self, state: Mapping[str, Any]) -> None:
        """Predict again as then."""
        self._regressor.load_state_dict(state["regressor"])

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned; raises `SettingsError` for the state of another kind of agent."""
        try:
            self._kept.check(state["kept"])
            num_steps = int(state["num_steps"])
            size = state["kept"]["action"].shape[1]
            if size != min(num_steps, self._settings.replay_capacity):
                raise ValueError(f"it keeps {size} transitions of {num_steps} steps")
            self._regressor.load_state_dict(state["regressor"])
            self._features.load_state_dict(state["features"])
            self._streams.load_state_dict(state["streams"])
            self._num_steps, self.num_updates = num_steps, int(state["num_updates"])
        except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
            raise SettingsError(
                f"the saved state does not fit this agent of {self.num_runs} runs and {self._num_actions} actions "
                f"({type(error).__name__}: {error}); load one that was saved with the same settings."
            ) from None
        for name, saved in state["kept"].items():
            self._kept[name][:, :size] = saved
