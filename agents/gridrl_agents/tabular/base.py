"""What all tabular agents share: arrays of all runs, states' rows, exploration. A rule adds `learn`."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np

from gridrl_agents.base import Agent, Transition, Translation, check_seeds
from gridrl_agents.errors import SettingsError
from gridrl_agents.exploration import DRAWS, epsilon_greedy
from gridrl_agents.schedules import LinearSchedule
from gridrl_agents.spaces import num_actions
from gridrl_agents.streams import EXPLORATION, Streams
from gridrl_agents.tabular.arrays import Arrays, check_array
from gridrl_agents.tabular.index import make_index
from gridrl_agents.tabular.settings import RuleSettings

if TYPE_CHECKING:
    from gymnasium import Space

Entry = tuple[int | np.ndarray, ...]  # runs, rows, actions (and more, where a rule's entries have more), each [N]


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

    A rule is a `learn`. What it keeps for each state is in `by_state` [R, S, ...], which grows as states are met; what
    it keeps of the episode's steps in `by_step` [R, L, ...], which it makes grow; all else in `by_run` [R, ...]. All
    three are saved, and restored, with the agent.

    Metrics: `td_error`, the |TD error| of the step, in units of reward, or its mean over the steps that were learned
    from at once (nan for a run that learned from none: the rule still waits); for a table that grows also `states`, how
    many were met, and `memory`, states * (bytes of all that is kept for a state + bytes of an observation).
    """

    prefers_state = True
    of_world: ClassVar[tuple[str, ...]] = ()  # names in `by_state` of what tells how the world is, not what it is worth
    entry_shape: tuple[int, ...] = ()  # of what a rule keeps for each state and action, where it is not one number

    def __init__(
        self, observation_space: "Space", action_space: "Space", seeds: Sequence[int], settings: RuleSettings
    ) -> None:
        self.seeds = check_seeds(seeds)
        self.gamma = settings.gamma
        self.num_updates = 0
        self.num_actions = num_actions(action_space)
        self._schedule = LinearSchedule(settings.epsilon_begin, settings.epsilon_end, settings.epsilon_decay_steps)
        self._index = make_index(observation_space, len(self.seeds))
        self._streams = Streams(self.seeds, EXPLORATION)
        self.runs = np.arange(len(self.seeds))
        self.by_state = Arrays(len(self.seeds), self._index.rows_needed)
        self.by_state.add("table", self.num_actions, fill=settings.initial_value)
        self.by_step = Arrays(len(self.seeds), 0)
        self.by_run: dict[str, np.ndarray] = {}
        self._initial_value = settings.initial_value
        self._learning_rate = settings.learning_rate
        self._learning_rate_power = settings.learning_rate_power
        if self._learning_rate_power > 0:
            self.by_state.add("updates", self.num_actions, *self.entry_shape, dtype=np.int64)

    @abstractmethod
    def learn(self, step: TableStep) -> np.ndarray:
        """Change the table after one step of every run; return the TD error [R], nan where nothing was learned.

        Its sign does not matter; where a rule learns from several steps at once it is their mean |TD error|.
        """

    @property
    def table(self) -> np.ndarray:
        """The values that the agent acts on, [R, S, A]; a growing table has rows to spare."""
        return self.by_state["table"]

    @property
    def epsilon(self) -> float:
        """The probability with which the next `act` explores."""
        return self._schedule(self.num_updates)

    def act(self, obs: np.ndarray) -> np.ndarray:
        """Return an epsilon-greedy action for each run, int64 [R]; `obs` is [R, ...]."""
        rows = self._index.lookup(np.asarray(obs)[:, None])[:, 0]
        return epsilon_greedy(self.values(rows), self.epsilon, self._streams.uniform(DRAWS))

    def observe(self, transition: Transition) -> dict[str, np.ndarray]:
        """Learn from one step of every run; return the metrics, each [R]."""
        td_error = self.learn(self.table_step(transition))
        self.num_updates += 1
        return {"td_error": np.abs(td_error), **self._index.metrics(self.by_state.row_bytes)}

    def table_step(self, transition: Transition) -> TableStep:
        """Return a transition as a rule sees it; a state that was never met gets its row."""
        state = self._index.add(transition.obs)
        next_state = self._index.add(transition.next_obs)
        self.by_state.make_room(self._index.rows_needed)
        terminated = np.asarray(transition.terminated, dtype=bool)
        return TableStep(
            state=state,
            action=np.asarray(transition.action),
            reward=np.asarray(transition.reward, dtype=np.float64),
            next_state=next_state,
            discount=np.where(terminated, 0.0, self.gamma),
            ended=terminated | transition.truncated,
        )

    def q_values(self, obs: np.ndarray) -> np.ndarray:
        """Return the table's values, float64 [R, N, A]; `obs` is [R, N, ...]. What was never met stays unmet."""
        return self.table[self.runs[:, None], self._index.lookup(obs)]

    def values(self, rows: np.ndarray) -> np.ndarray:
        """Return the table's values of a row of each run, [R, A]; `rows` is [R]."""
        return self.table.reshape(-1, self.num_actions).take(self.by_state.first + rows, axis=0)

    def best_value(self, rows: np.ndarray) -> np.ndarray:
        """Return max_b Q(s, b) of a row of each run, [R]; `rows` is [R]."""
        return _row_max(self.values(rows))

    def move(self, entry: Entry, td_target: np.ndarray | float) -> np.ndarray:
        """Move the table's entries [N], no two the same, towards their targets; return the TD errors [N]."""
        runs, rows, actions = entry
        flat, place = self.table.reshape(-1), (self.by_state.first[runs] + rows) * self.num_actions + actions
        estimate = flat[place]
        td_error = td_target - estimate
        flat[place] = estimate + self.learning_rate(entry) * td_error
        return td_error

    def learning_rate(self, entry: Entry) -> float | np.ndarray:
        """Count an update of each entry [N] and return its learning rate: c, or c / n^w at its n-th update."""
        if self._learning_rate_power == 0:
            return self._learning_rate
        updates = self.by_state["updates"]
        count = updates[entry] + 1
        updates[entry] = count
        return self._learning_rate / count**self._learning_rate_power

    def policy_value(self, runs: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return sum_b pi(b | s) Q(s, b) of the present epsilon-greedy pi in the `rows` [N] of `runs` [N]."""
        q_values = self.table.reshape(-1, self.num_actions).take(self.by_state.first[runs] + rows, axis=0)
        return (1.0 - self.epsilon) * _row_max(q_values) + self.epsilon * q_values.mean(axis=1)

    def inherit(self, other: Self, translation: Translation | None = None) -> list[str]:
        """Go on from another table's values; see `Agent.inherit`.

        In another world each state has what the one that means the same had there, and where there was none, what is
        fresh. What was kept of the episode so far, and `of_world`, is forgotten.
        """
        if translation is None:
            return super().inherit(other)
        carried = [name for name in self.by_state.names if name not in self.of_world]
        for run in self.runs.tolist():
            learned = (other.table[run] != other._initial_value).any(axis=1)
            there, here = self._index.inherit(other._index, translation, run, learned)
            self.by_state.make_room(self._index.rows_needed)
            for name in carried:
                self.by_state[name][run, here] = other.by_state[name][run, there]
        self._streams.load_state_dict(other._streams.state_dict())
        self.num_updates = other.num_updates
        return []

    def retire(self, run: int) -> None:
        """Let a run begin again with a fresh table; the rows of what it met stay."""
        self.by_state.reset(run)
        self.by_step.reset(run)
        for array in self.by_run.values():
            array[run] = 0

    def state_dict(self) -> dict[str, Any]:
        """Return the rows that are in use, what the rule keeps, the index, the streams and the count of updates."""
        return {
            **self.by_state.state_dict(self._index.rows_needed),
            "by_step": self.by_step.state_dict(),
            "by_run": {name: array.copy() for name, array in self.by_run.items()},
            "index": self._index.state_dict(),
            "streams": self._streams.state_dict(),
            "num_updates": self.num_updates,
        }

    def values_dict(self) -> dict[str, Any]:
        """Return the rows of the table that are in use."""
        return {"table": self.table[:, : self._index.rows_needed].copy()}

    def load_values(self, state: Mapping[str, Any]) -> None:
        """Put back the rows that were in use then; a state that was met later holds the initial value again."""
        rows = state["table"].shape[1]
        if rows > self.table.shape[1]:
            raise SettingsError(
                f"the saved values have {rows} rows, this table {self.table.shape[1]}; load a later state."
            )
        self.table[:, :rows] = state["table"]
        self.table[:, rows:] = self._initial_value

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned; raises `SettingsError` for the state of another kind of agent."""
        try:
            self.by_state.check(state)
            self.by_step.check(state["by_step"])
            for name, array in self.by_run.items():
                check_array(name, state["by_run"][name], array.shape, array.dtype)
            self._index.load_state_dict(state["index"])
            rows = state["table"].shape[1]
            if rows != self._index.rows_needed:
                raise ValueError(f"its table has {rows} rows, not {self._index.rows_needed}")
            self._streams.load_state_dict(state["streams"])
            self.num_updates = int(state["num_updates"])
        except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
            raise SettingsError(
                f"the saved state does not fit this agent of {self.num_runs} runs and {self.num_actions} actions "
                f"({type(error).__name__}: {error}); load one that was saved with the same settings."
            ) from None
        self.by_state.load_state_dict(state)
        self.by_step.load_state_dict(state["by_step"])
        self.by_run = {name: state["by_run"][name].copy() for name in self.by_run}


def _row_max(values: np.ndarray) -> np.ndarray:
    """Return the maximum of each row of a few values, [N]; some five times as fast as max(axis=1)."""
    return np.maximum.reduce(values.T.copy())
