"""Settings of the recurrent agent; importing them does not import torch."""

from dataclasses import dataclass
from math import inf
from typing import get_args

from gridrl_agents.deep.settings import LossName, TorsoName
from gridrl_agents.errors import SettingsError, check_known, check_number, check_whole


@dataclass(frozen=True)
class DRQNSettings:
    """Settings of DRQN; raises `SettingsError` for one that is out of its range or does not go with another."""

    torso: TorsoName = "auto"
    """What comes before the hidden layers: convolutions (conv, nature) or none (mlp); auto: as the observation asks."""
    hidden_sizes: tuple[int, ...] = (128,)
    """Units of each hidden layer before the LSTM."""
    lstm_size: int = 64
    """Units of the LSTM, which remembers."""
    sequence_length: int = 8
    """Successive steps that are learned from together; the gradient goes back through them."""
    burn_in: int = 8
    """Steps before these, through which the LSTM only finds its state."""
    stored_state: bool = True
    """Whether the state before a sequence is the one that acted then; if not, it is zero."""
    batch_size: int = 16
    """Sequences drawn for one update of one run."""
    learning_rate: float = 5e-4
    """Adam's step size."""
    max_gradient_norm: float = 10.0
    """Norm of one run's whole gradient beyond which it is scaled down; inf: never."""
    loss: LossName = "huber"
    """Of the scaled TD error x: huber is x^2 / 2 up to |x| = 1 and |x| - 1/2 beyond; squared is x^2 / 2."""
    reward_scale: float = 0.01
    """Factor on rewards before the network sees them, so that rewards of 100 become 1; shown values are true ones."""
    gamma: float = 0.99
    """Discount of what is one step later, from 0 to 1."""
    replay_capacity: int = 20_000
    """Steps of one run that are kept; the oldest make room."""
    min_replay_size: int = 1_000
    """Steps of one run before it begins to learn."""
    learn_period: int = 4
    """Environment steps for one update."""
    target_update_period: int = 125
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
        check_known("torso", self.torso, get_args(TorsoName))
        if not isinstance(self.hidden_sizes, list | tuple):
            raise SettingsError(f"hidden_sizes must be a list of whole numbers, not {self.hidden_sizes!r}; correct it.")
        object.__setattr__(self, "hidden_sizes", tuple(self.hidden_sizes))  # a list, from a file, will do
        for size in self.hidden_sizes:
            check_whole("each of hidden_sizes", size, 1)
        check_whole("lstm_size", self.lstm_size, 1)
        check_whole("sequence_length", self.sequence_length, 1)
        check_whole("burn_in", self.burn_in, 0)
        if not isinstance(self.stored_state, bool):
            raise SettingsError(f"stored_state must be true or false, not {self.stored_state!r}; correct it.")
        check_whole("batch_size", self.batch_size, 1)
        check_number("learning_rate", self.learning_rate, 0, inf, above=True)
        check_number("max_gradient_norm", self.max_gradient_norm, 0, inf, above=True, infinite=True)
        check_known("loss", self.loss, get_args(LossName))
        check_number("reward_scale", self.reward_scale, 0, inf, above=True)
        check_number("gamma", self.gamma, 0, 1)
        check_whole("replay_capacity", self.replay_capacity, 1)
        check_whole("min_replay_size", self.min_replay_size, 1)
        if not self.burn_in + self.sequence_length <= self.min_replay_size <= self.replay_capacity:
            raise SettingsError(
                f"min_replay_size must be from burn_in + sequence_length ({self.burn_in + self.sequence_length}) to "
                f"replay_capacity ({self.replay_capacity}), not {self.min_replay_size}; change one of them."
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
