"""What a training loop, an evaluation and a value map know of an agent, be it a table or a network.

Shape letters: R runs (independent learners, stepped together), N any number of observations, A actions.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from gridrl_agents.errors import SettingsError, check_whole
from gridrl_agents.exploration import DRAWS, epsilon_greedy
from gridrl_agents.streams import EVALUATION, Streams


class Transition(NamedTuple):
    """One step of every run."""

    obs: np.ndarray  # [R, ...]
    action: np.ndarray  # [R]
    reward: np.ndarray  # [R]
    next_obs: np.ndarray  # [R, ...], always the true next observation, also at an episode's end
    terminated: np.ndarray  # bool [R], the episode ended: nothing comes after
    truncated: np.ndarray  # bool [R], the episode was cut: life would go on, and its value counts


class ReturnDistribution(NamedTuple):
    """What an agent believes of the whole return, not only of its mean; in units of true reward."""

    returns: np.ndarray  # [R, N, A, K], the K returns that are told apart
    probability: np.ndarray  # [R, N, A, K], sums to 1 over K


class Memory(NamedTuple):
    """What a run remembers to learn from, some of it more than the rest."""

    obs: np.ndarray  # [M, ...], the observations that the transitions began with
    priority: np.ndarray  # [M], the probability with which each is drawn next; they sum to 1


class Translation(NamedTuple):
    """How what was seen in one world reads in another, in which much still means the same."""

    # int64, for each number of a Discrete space, or each entry of a Box in reading order, the one of the old world that
    # means the same; -1: none does.
    entries: np.ndarray
    # Old observations [N, ...] -> which of them mean something now, [M], and how these look, [M, ...].
    observations: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    # As `entries`, for numbers, in this order: what stands in where nothing was learned of those before.
    stand_ins: Sequence[np.ndarray] = ()


class Agent(ABC):
    """R independent learners, each with its own seed. What a run does depends on its seed and on no other run."""

    prefers_state: ClassVar[bool] = False  # whether it does best with a state's number, as tables do

    seeds: tuple[int, ...]
    gamma: float
    num_updates: int  # learning steps of each run so far
    num_bytes: int = 0  # of memory that a replay takes once it is full
    step_bytes: int = 1024  # of memory that a learning step of one run goes through; few for a table
    return_limits: tuple[float, float] | None = None  # the returns that it can stand for, in true reward; None: any

    @property
    def num_runs(self) -> int:
        """R, the number of runs."""
        return len(self.seeds)

    @property
    @abstractmethod
    def epsilon(self) -> float:
        """The probability with which the next `act` explores."""

    @abstractmethod
    def act(self, obs: np.ndarray) -> np.ndarray:
        """Return an exploring action for each run, int64 [R]; `obs` is [R, ...]."""

    @abstractmethod
    def observe(self, transition: Transition) -> dict[str, np.ndarray]:
        """Learn from one step of every run; return metrics, each float [R], and none when nothing was learned.

        A metric is nan for a run that had nothing to measure while others had.
        """

    @abstractmethod
    def q_values(self, obs: np.ndarray) -> np.ndarray:
        """Return the estimated action values in units of the true reward, float [R, N, A]; `obs` is [R, N, ...]."""

    def return_distribution(self, obs: np.ndarray) -> ReturnDistribution | None:
        """Return the estimated distribution of the return of each action; None where only its mean is learned.

        `obs` is [R, N, ...]; the distribution's mean is `q_values`.
        """
        return None

    def dead_units(self) -> np.ndarray | None:
        """Return the share of a network's rectified units that what it remembers never wakes, [R]; None: no such."""
        return None

    def policy(self, epsilon: float, stream_key: int = 0) -> "Policy":
        """Return a policy that acts on this agent's values without teaching it; same key, same actions."""
        return Policy(self, epsilon, stream_key)

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Return all that the agent is: nested dictionaries whose leaves are numpy arrays or JSON values.

        The arrays are copies: what is learned from here on does not change them.
        """

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` returned, to the last bit; raises `SettingsError` for what does not fit."""

    def inherit(self, other: Self, translation: Translation | None = None) -> list[str]:
        """Go on from all that `other` is: this agent with other settings or, with a `translation`, in another world.

        To be called on one that has not learned yet. Returns a sentence for each thing that could not be taken over.
        Raises `SettingsError` where nothing can be.
        """
        if translation is not None:
            raise SettingsError("this agent cannot carry what it learned into another world; it begins anew.")
        try:
            self.load_state_dict(other.state_dict())
        except SettingsError:
            raise SettingsError("what was learned does not fit these settings; begin anew with them.") from None
        return []

    def last_batch(self, run: int) -> dict[str, np.ndarray]:
        """Return what the latest `observe` let a run learn from, where that was drawn from a memory: for inspection."""
        return {}

    def memory(self, run: int) -> Memory | None:
        """Return what a run may learn from next, and how likely each is; None where none is likelier than others."""
        return None

    def retire(self, run: int) -> None:  # noqa: B027 - an agent of the user's need not know of it
        """Make a run that broke harmless: its values and its memory become finite again, in whatever way.

        The other runs do not change, not by a bit. Where nothing is done here, its row goes on being what it is.
        """

    def values_dict(self) -> dict[str, Any]:
        """Return what `q_values` and `policy` read and no more, copied, to be kept at many steps of a training."""
        return self.state_dict()

    def load_values(self, state: Mapping[str, Any]) -> None:
        """Believe again what was believed when `values_dict` was called: to be looked at, not to learn on from.

        The agent must be the same one, then or later: what only grows, as a table's index, is not kept.
        """
        self.load_state_dict(state)


class Policy:
    """Epsilon-greedy on an agent's values as they stand at each call; touches neither the agent nor its streams."""

    remembers: ClassVar[bool] = False  # whether what it saw before counts, too
    _q_values: np.ndarray = np.zeros((1, 1, 2))  # that the latest `act` chose by; ties until it is known

    def __init__(self, agent: Agent, epsilon: float, stream_key: int = 0) -> None:
        self.agent = agent
        self.epsilon = epsilon
        self._streams = Streams(agent.seeds, EVALUATION, stream_key)

    @property
    def by_chance(self) -> np.ndarray:
        """Whether the latest `act` left something to chance (epsilon, a tie), bool [R, N]."""
        values = self._q_values
        num_best = (values == values.max(axis=-1, keepdims=True)).sum(axis=-1)
        return (num_best != 1) | (self.epsilon > 0)

    @property
    def certain(self) -> np.ndarray:
        """Whether the latest `act` would answer the same observations in the same way at any time, bool [R, N]."""
        return np.zeros_like(self.by_chance) if self.remembers else ~self.by_chance

    def act(self, obs: np.ndarray, uniform: np.ndarray | None = None) -> np.ndarray:
        """Return an action for each observation, int64 [R, N]; `obs` is [R, N, ...].

        `uniform` [R, N, DRAWS] in [0, 1) decides what is left to chance; without it the policy draws from its streams.
        """
        return self._choose(self.agent.q_values(obs), uniform)

    def _choose(self, q_values: np.ndarray, uniform: np.ndarray | None) -> np.ndarray:
        runs, count, _ = q_values.shape
        if uniform is None:
            uniform = self._streams.uniform(DRAWS * count).reshape(runs, count, DRAWS)
        self._q_values = q_values
        return epsilon_greedy(q_values, self.epsilon, uniform)

    def reset(self, mask: np.ndarray) -> None:
        """Forget what was seen of the episodes in `mask`, bool [R, N]; these agents remember nothing."""


def check_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    """Return `seeds` as whole numbers; raises `SettingsError` unless there is at least one and all are at least 0."""
    for seed in seeds:
        check_whole("a seed", seed, 0)
    if not len(seeds):
        raise SettingsError("an agent needs one seed for each run, not none; give at least one.")
    return tuple(int(seed) for seed in seeds)
