"""Settings of the tabular agents."""

from dataclasses import dataclass
from math import inf

from gridrl_agents.errors import check_number, check_whole


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
class QLearningSettings(TabularSettings):
    """Settings of Q-learning; raises `SettingsError` for one that is out of its range."""

    learning_rate: float = 0.1
    """Share of the TD error by which a table's entry moves, above 0 and at most 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("learning_rate", self.learning_rate, 0, 1, above=True)
