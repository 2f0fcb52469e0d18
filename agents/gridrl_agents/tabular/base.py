"""What all tabular agents share: tables of all runs, states' rows, exploration. A rule adds `learn`."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridrl_agents.base import Agent, Transition, check_seeds
from gridrl_agents.errors import SettingsError
from gridrl_agents.exploration import DRAWS, epsilon_greedy
from gridrl_agents.schedules import LinearSchedule
from gridrl_agents.spaces import num_actions
from gridrl_agents.streams import EXPLORATION, Streams
from gridrl_agents.tabular.index import make_index
from gridrl_agents.tabular.settings import TabularSettings

if TYPE_CHECKING:
    from gymnasium import Space


class TableStep(NamedTuple):
    """A transition as a table's rule sees it, each [R]."""

    state: np.ndarray  # row
    action: np.ndarray
    reward: np.ndarray
    next_state: np.ndarray  # row
    discount: np.ndarray  # gamma, or 0 where the episode terminated; a truncated one goes on in its values
    ended: np.ndarray  # bool, terminated or truncated: the next transition belongs to another episode


class TabularAgent(Agent):
    """Values in a table [R, S, A], float64; epsilon-greedy, ties broken at random.

    Rows of Discrete observations are their numbers. Others get rows as they are met; the first row that is free holds
    the initial value, and so speaks for all that were not. Raises `SettingsError` for spaces that do not suit.

    Metrics: `td_error`, the |TD error| of the step, in units of reward; for a table that grows also `states`, how many
    were met, and `memory`, states * (8 A + bytes of an observation).
    """

    def __init__(
        self, observation_space: "Space", action_space: "Space", seeds: Sequence[int], settings: TabularSettings
    ) -> None:
        self.seeds = check_seeds(seeds)
        self.gamma = settings.gamma
        self.num_updates = 0
        self._initial_value = settings.initial_value
        self._schedule = LinearSchedule(settings.epsilon_begin, settings.epsilon_end, settings.epsilon_decay_steps)
        self._index = make_index(observation_space, len(self.seeds))
        self._streams = Streams(self.seeds, EXPLORATION)
        self._runs = np.arange(len(self.seeds))
        shape = len(self.seeds), self._index.rows_needed, num_actions(action_space)
        self.table = np.full(shape, self._initial_value)

    @abstractmethod
    def learn(self, step: TableStep) -> np.ndarray:
        """Change `self.table` after one step of every run; return the TD errors [R]."""

    @property
    def epsilon(self) -> float:
        """The probability with which the next `act` explores."""
        return self._schedule(self.num_updates)

    def act(self, obs: np.ndarray) -> np.ndarray:
        """Return an epsilon-greedy action for each run, int64 [R]; `obs` is [R, ...]."""
        rows = self._index.lookup(np.asarray(obs)[:, None])[:, 0]
        return epsilon_greedy(self.table[self._runs, rows], self.epsilon, self._streams.uniform(DRAWS))

    def observe(self, transition: Transition) -> dict[str, np.ndarray]:
        """Learn from one step of every run; return the metrics, each [R]."""
        state = self._index.add(transition.obs)
        next_state = self._index.add(transition.next_obs)
        self._make_room()
        terminated = np.asarray(transition.terminated, dtype=bool)
        td_error = self.learn(
            TableStep(
                state=state,
                action=np.asarray(transition.action),
                reward=np.asarray(transition.reward, dtype=np.float64),
                next_state=next_state,
                discount=np.where(terminated, 0.0, self.gamma),
                ended=terminated | transition.truncated,
            )
        )
        self.num_updates += 1
        return {"td_error": np.abs(td_error), **self._index.metrics(self.table[0, 0].nbytes)}

    def q_values(self, obs: np.ndarray) -> np.ndarray:
        """Return the table's values, float64 [R, N, A]; `obs` is [R, N, ...]. What was never met stays unmet."""
        return self.table[self._runs[:, None], self._index.lookup(obs)]

    def state_dict(self) -> dict[str, Any]:
        """Return the table's rows that are in use, the index, the streams and the count of updates."""
        return {
            "table": self.table[:, : self._index.rows_needed].copy(),
            "index": self._index.state_dict(),
            "streams": self._streams.state_dict(),
            "num_updates": self.num_updates,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned; raises `SettingsError` for the state of another kind of agent."""
        try:
            table = state["table"]
            if table.shape[0] != self.num_runs or table.shape[2] != self.table.shape[2]:
                raise ValueError(f"its table is {table.shape}, [runs, states, actions]")
            self._index.load_state_dict(state["index"])
            if table.shape[1] != self._index.rows_needed:
                raise ValueError(f"its table has {table.shape[1]} rows, not {self._index.rows_needed}")
            self._streams.load_state_dict(state["streams"])
            self.num_updates = int(state["num_updates"])
        except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
            raise SettingsError(
                f"the saved state does not fit this agent of {self.num_runs} runs and {self.table.shape[2]} actions "
                f"({type(error).__name__}: {error}); load one that was saved with the same settings."
            ) from None
        self._make_room()
        self.table[:] = self._initial_value
        self.table[:, : table.shape[1]] = table

    def _make_room(self) -> None:
        """Double a table that has become too small."""
        needed, (runs, rows, actions) = self._index.rows_needed, self.table.shape
        if needed > rows:
            old = self.table
            self.table = np.full((runs, max(2 * rows, needed), actions), self._initial_value)
            self.table[:, :rows] = old
