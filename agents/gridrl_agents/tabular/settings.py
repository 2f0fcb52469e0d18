"""Settings of the tabular agents."""

from dataclasses import dataclass
from math import inf
from typing import Literal, get_args

from gridrl_agents.errors import SettingsError, check_known, check_number, check_whole

Visits = Literal["first", "every"]
Traces = Literal["accumulating", "replacing"]
RegressorName = Literal["table", "network"]


@dataclass(frozen=True)
class TabularSettings:
    """What every tabular agent can be set to; raises `SettingsError` for a setting that is out of its range."""

    gamma: float = 0.99
    """Discount of what is one step later, from 0 to 1."""
    epsilon_begin: float = 1.0
    """Probability of a random action at the first step."""
    epsilon_end: float = 0.05
    """Probability of a random action after the decay."""
    epsilon_decay_steps: int = 20_000
    """Environment steps over which epsilon goes from begin to end in a straight line."""
    initial_value: float = 0.0
    """Every entry of a fresh table, in units of reward; a high one makes the agent try everything."""

    def __post_init__(self) -> None:
        check_number("gamma", self.gamma, 0, 1)
        check_number("epsilon_begin", self.epsilon_begin, 0, 1)
        check_number("epsilon_end", self.epsilon_end, 0, 1)
        check_whole("epsilon_decay_steps", self.epsilon_decay_steps, 0)
        check_number("initial_value", self.initial_value, -inf, inf)


@dataclass(frozen=True)
class RuleSettings(TabularSettings):
    """Settings of the one-step rules, Q-learning, SARSA and their like; raises `SettingsError` for a bad one."""

    learning_rate: float = 0.1
    """Share c of the TD error by which a table's entry moves, above 0 and at most 1."""
    learning_rate_power: float = 0.0
    """w: an entry's n-th update has the learning rate c / n^w; 0 keeps it at c, with c = 1 and w = 1 it is the mean."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("learning_rate", self.learning_rate, 0, 1, above=True)
        check_number("learning_rate_power", self.learning_rate_power, 0, 1)


QLearningSettings = SarsaSettings = ExpectedSarsaSettings = DoubleQLearningSettings = RuleSettings


@dataclass(frozen=True)
class MonteCarloSettings(RuleSettings):
    """Settings of Monte Carlo control; raises `SettingsError` for one that is out of its range."""

    learning_rate: float = 1.0
    """Share c of the error by which a table's entry moves, above 0 and at most 1."""
    learning_rate_power: float = 1.0
    """w: an entry's n-th update has the learning rate c / n^w; 0 keeps it at c, with c = 1 and w = 1 it is the mean."""
    visits: Visits = "first"
    """Which visits of a state and action in an episode count: the first one, or every one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_known("visits", self.visits, get_args(Visits))


@dataclass(frozen=True)
class NStepSarsaSettings(RuleSettings):
    """Settings of n-step SARSA; raises `SettingsError` for one that is out of its range."""

    n_step: int = 4
    """Rewards that are counted before the table's value stands for the rest."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("n_step", self.n_step, 1)


@dataclass(frozen=True)
class QLambdaSettings(RuleSettings):
    """Settings of Watkins's Q(lambda); raises `SettingsError` for one that is out of its range."""

    trace_decay: float = 0.9
    """Lambda, from 0 (Q-learning) to 1 (returns up to the first action that is not greedy)."""
    traces: Traces = "replacing"
    """What a visit does to a trace: accumulating adds 1 to it, replacing makes it 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("trace_decay", self.trace_decay, 0, 1)
        check_known("traces", self.traces, get_args(Traces))


@dataclass(frozen=True)
class DynaQSettings(RuleSettings):
    """Settings of Dyna-Q; raises `SettingsError` for one that is out of its range."""

    planning_steps: int = 10
    """Updates from the learned model after each real one; 0 is Q-learning."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("planning_steps", self.planning_steps, 0)


@dataclass(frozen=True)
class FittedQSettings(TabularSettings):
    """Settings of fitted Q-iteration; raises `SettingsError` for one that is out of range or does not go with another.

    The fields after `num_iterations` are for the network alone.
    """

    regressor: RegressorName = "table"
    """What is fitted: a table of means, or a network."""
    replay_capacity: int = 20_000
    """Transitions of one run that are kept; the oldest make room."""
    refit_period: int = 1_000
    """Environment steps from one refit to the next."""
    num_iterations: int = 20
    """Backups of all that is kept, in one refit."""
    hidden_sizes: tuple[int, ...] = (128, 128)
    """Units of each hidden layer."""
    learning_rate: float = 1e-3
    """Adam's step size."""
    batch_size: int = 32
    """Examples drawn for one update of the network."""
    fit_updates: int = 200
    """Updates of the network in one backup."""
    reward_scale: float = 0.01
    """Factor on targets before the network sees them, so that rewards of 100 become 1; shown values are true ones."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_known("regressor", self.regressor, get_args(RegressorName))
        check_whole("replay_capacity", self.replay_capacity, 1)
        check_whole("refit_period", self.refit_period, 1)
        check_whole("num_iterations", self.num_iterations, 1)
        if not isinstance(self.hidden_sizes, list | tuple):
            raise SettingsError(f"hidden_sizes must be a list of whole numbers, not {self.hidden_sizes!r}; correct it.")
        object.__setattr__(self, "hidden_sizes", tuple(self.hidden_sizes))  # a list, from a file, will do
        for size in self.hidden_sizes:
            check_whole("each of hidden_sizes", size, 1)
        check_number("learning_rate", self.learning_rate, 0, inf, above=True)
        check_whole("batch_size", self.batch_size, 1)
        check_whole("fit_updates", self.fit_updates, 1)
        check_number("reward_scale", self.reward_scale, 0, inf, above=True)
        if self.regressor == "table":
            for name in ("hidden_sizes", "learning_rate", "batch_size", "fit_updates", "reward_scale"):
                if getattr(self, name) != getattr(FittedQSettings, name):
                    raise SettingsError(f"{name} is the network's; leave it out, or set regressor to 'network'.")
        elif self.initial_value != 0:
            raise SettingsError("initial_value is the table's; leave it out, or set regressor to 'table'.")
