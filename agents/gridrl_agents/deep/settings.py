"""Settings of the deep agents; importing them does not import torch."""

from dataclasses import dataclass
from math import inf
from typing import Literal, get_args

from gridrl_agents.errors import SettingsError, check_known, check_number, check_whole

LossName = Literal["huber", "squared"]


@dataclass(frozen=True)
class DQNSettings:
    """Settings of DQN; raises `SettingsError` for one that is out of its range or does not go with another."""

    hidden_sizes: tuple[int, ...] = (128, 128)
    """Units of each hidden layer."""
    batch_size: int = 32
    """Transitions drawn for one update of one run."""
    learning_rate: float = 1e-3
    """Adam's step size."""
    adam_beta1: float = 0.9
    """Share of the old that Adam's mean of the gradient keeps."""
    adam_beta2: float = 0.999
    """Share of the old that Adam's mean of the squared gradient keeps."""
    adam_epsilon: float = 1e-8
    """What Adam adds to the root of the squared gradient's mean."""
    max_gradient_norm: float = 10.0
    """Norm of one run's whole gradient beyond which it is scaled down; inf: never."""
    loss: LossName = "huber"
    """Of the scaled TD error x: huber is x^2 / 2 up to |x| = 1 and |x| - 1/2 beyond; squared is x^2 / 2."""
    reward_scale: float = 0.01
    """Factor on rewards before the network sees them, so that rewards of 100 become 1; shown values are true ones."""
    gamma: float = 0.99
    """Discount of what is one step later, from 0 to 1."""
    replay_capacity: int = 20_000
    """Transitions of one run that are kept; the oldest make room."""
    min_replay_size: int = 1_000
    """Transitions of one run before it begins to learn."""
    learn_period: int = 1
    """Environment steps for one update."""
    target_update_period: int = 500
    """Updates between two moves of the target network towards the online one."""
    target_update_rate: float = 1.0
    """How far the target network moves: 1 is a hard copy; less is Polyak averaging, with a period of 1."""
    epsilon_begin: float = 1.0
    """Probability of a random action at the first step."""
    epsilon_end: float = 0.05
    """Probability of a random action after the decay."""
    epsilon_decay_steps: int = 20_000
    """Environment steps over which epsilon goes from begin to end in a straight line."""

    def __post_init__(self) -> None:
        if not isinstance(self.hidden_sizes, list | tuple):
            raise SettingsError(f"hidden_sizes must be a list of whole numbers, not {self.hidden_sizes!r}; correct it.")
        object.__setattr__(self, "hidden_sizes", tuple(self.hidden_sizes))  # a list, from a file, will do
        for size in self.hidden_sizes:
            check_whole("each of hidden_sizes", size, 1)
        check_whole("batch_size", self.batch_size, 1)
        check_number("learning_rate", self.learning_rate, 0, inf, above=True)
        check_number("adam_beta1", self.adam_beta1, 0, 0.999999)
        check_number("adam_beta2", self.adam_beta2, 0, 0.999999)
        check_number("adam_epsilon", self.adam_epsilon, 0, inf, above=True)
        check_number("max_gradient_norm", self.max_gradient_norm, 0, inf, above=True, infinite=True)
        check_known("loss", self.loss, get_args(LossName))
        check_number("reward_scale", self.reward_scale, 0, inf, above=True)
        check_number("gamma", self.gamma, 0, 1)
        check_whole("replay_capacity", self.replay_capacity, 1)
        check_whole("min_replay_size", self.min_replay_size, 1)
        if not self.batch_size <= self.min_replay_size <= self.replay_capacity:
            raise SettingsError(
                f"min_replay_size must be from batch_size ({self.batch_size}) to replay_capacity "
                f"({self.replay_capacity}), not {self.min_replay_size}; change one of the three."
            )
        check_whole("learn_period", self.learn_period, 1)
        check_whole("target_update_period", self.target_update_period, 1)
        check_number("target_update_rate", self.target_update_rate, 0, 1, above=True)
        if self.target_update_rate < 1 and self.target_update_period > 1:
            raise SettingsError(
                f"target_update_rate {self.target_update_rate:g} (Polyak averaging) needs target_update_period 1, not "
                f"{self.target_update_period}; set the period to 1, or the rate to 1 for hard copies."
            )
        check_number("epsilon_begin", self.epsilon_begin, 0, 1)
        check_number("epsilon_end", self.epsilon_end, 0, 1)
        check_whole("epsilon_decay_steps", self.epsilon_decay_steps, 0)
