"""Settings of the deep agents; importing them does not import torch."""

from dataclasses import dataclass, fields
from math import inf
from typing import Literal, get_args

from gridrl_agents.errors import SettingsError, check_known, check_number, check_whole

LossName = Literal["huber", "squared"]
DistributionName = Literal["mean", "categorical", "quantile"]
ReplayName = Literal["uniform", "proportional", "rank-based"]
TorsoName = Literal["auto", "mlp", "conv", "nature"]
OptimizerName = Literal["adam", "rmsprop"]


@dataclass(frozen=True)
class DQNSettings:
    """Settings of DQN and of all that it grew into; the six choices come last and can be combined at will.

    Raises `SettingsError` for a setting that is out of its range, does not go with another, or has no effect.
    """

    torso: TorsoName = "auto"
    """What comes before the hidden layers: convolutions (conv, nature) or none (mlp); auto: as the observation asks."""
    hidden_sizes: tuple[int, ...] = (128, 128)
    """Units of each hidden layer."""
    batch_size: int = 32
    """Transitions drawn for one update of one run."""
    optimizer: OptimizerName = "adam"
    """How weights follow the gradient: Adam, or the RMSprop of Mnih et al. (2015)."""
    learning_rate: float = 1e-3
    """The optimizer's step size."""
    adam_beta1: float = 0.9
    """Share of the old that Adam's mean of the gradient keeps."""
    adam_beta2: float = 0.999
    """Share of the old that Adam's mean of the squared gradient keeps."""
    adam_epsilon: float = 1e-8
    """What Adam adds to the root of the squared gradient's mean."""
    rmsprop_decay: float = 0.95
    """Share of the old that RMSprop's means of the gradient and of its square keep."""
    rmsprop_epsilon: float = 1e-5
    """What RMSprop adds to the gradient's variance; Mnih et al.'s .01 is for a sum over 32 transitions, here a mean."""
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
    double: bool = False
    """Whether the online network chooses the next action, which the target network then values (Double DQN)."""
    dueling: bool = False
    """Whether value and advantages have a stream each, with half of the last hidden layer's units."""
    noisy: bool = False
    """Whether weights have learned noise, which explores; set epsilon to 0 with it."""
    noisy_sigma: float = 0.5
    """Initial scale of the noise, over the root of a layer's inputs."""
    distribution: DistributionName = "mean"
    """What is learned of the return: its mean, a categorical distribution (C51) or its quantiles (QR-DQN)."""
    num_atoms: int = 51
    """Points of a categorical distribution's support, evenly from v_min to v_max."""
    v_min: float | None = None
    """Lowest return of a categorical distribution, in units of reward; from the environment's bounds if not given."""
    v_max: float | None = None
    """Highest return of a categorical distribution, in units of reward; from the environment's bounds if not given."""
    num_quantiles: int = 51
    """Quantiles of a quantile distribution."""
    quantile_huber_threshold: float = 1.0
    """Scaled error up to which the quantile loss is quadratic (kappa); 0: the plain quantile loss."""
    replay: ReplayName = "uniform"
    """How transitions are drawn: evenly, or by their priority or by its rank."""
    priority_exponent: float = 0.6
    """Power of the priorities (alpha); 0 draws evenly."""
    importance_sampling_exponent: float = 0.4
    """Power of the weights that make up for uneven draws (beta), at the first update."""
    importance_sampling_steps: int = 80_000
    """Updates over which beta rises to 1 in a straight line."""
    n_step: int = 1
    """Rewards that a target adds up before it bootstraps."""

    def __post_init__(self) -> None:
        if not isinstance(self.hidden_sizes, list | tuple):
            raise SettingsError(f"hidden_sizes must be a list of whole numbers, not {self.hidden_sizes!r}; correct it.")
        object.__setattr__(self, "hidden_sizes", tuple(self.hidden_sizes))  # a list, from a file, will do
        for size in self.hidden_sizes:
            check_whole("each of hidden_sizes", size, 1)
        check_known("torso", self.torso, get_args(TorsoName))
        check_whole("batch_size", self.batch_size, 1)
        check_known("optimizer", self.optimizer, get_args(OptimizerName))
        check_number("learning_rate", self.learning_rate, 0, inf, above=True)
        check_number("adam_beta1", self.adam_beta1, 0, 0.999999)
        check_number("adam_beta2", self.adam_beta2, 0, 0.999999)
        check_number("adam_epsilon", self.adam_epsilon, 0, inf, above=True)
        check_number("rmsprop_decay", self.rmsprop_decay, 0, 0.999999)
        check_number("rmsprop_epsilon", self.rmsprop_epsilon, 0, inf, above=True)
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
        for choice in ("double", "dueling", "noisy"):
            if not isinstance(getattr(self, choice), bool):
                raise SettingsError(f"{choice} must be true or false, not {getattr(self, choice)!r}; correct it.")
        check_number("noisy_sigma", self.noisy_sigma, 0, inf)
        check_known("distribution", self.distribution, get_args(DistributionName))
        check_whole("num_atoms", self.num_atoms, 2)
        for bound in ("v_min", "v_max"):
            if getattr(self, bound) is not None:
                check_number(bound, getattr(self, bound), -inf, inf)
        if self.v_min is not None and self.v_max is not None and self.v_min >= self.v_max:
            raise SettingsError(f"v_min must be below v_max, not {self.v_min:g} and {self.v_max:g}; correct one.")
        check_whole("num_quantiles", self.num_quantiles, 1)
        check_number("quantile_huber_threshold", self.quantile_huber_threshold, 0, inf)
        check_known("replay", self.replay, get_args(ReplayName))
        check_number("priority_exponent", self.priority_exponent, 0, inf)
        check_number("importance_sampling_exponent", self.importance_sampling_exponent, 0, 1)
        check_whole("importance_sampling_steps", self.importance_sampling_steps, 0)
        check_whole("n_step", self.n_step, 1)
        self._check_effects()

    def _check_effects(self) -> None:
        """Refuse what was set in vain. A recipe's own defaults may stand idle when one of its choices is undone."""
        for field in fields(self):
            choice, needed = _NEEDS.get(field.name, ("", ()))
            value = getattr(self, field.name)
            if value != field.default and choice and getattr(self, choice) not in needed:
                wanted = " or ".join(map(repr, needed))
                raise SettingsError(
                    f"{field.name} {value!r} has no effect while {choice} is {getattr(self, choice)!r}; "
                    f"leave it out, or set {choice} to {wanted}."
                )


_PRIORITIZED = ("replay", ("proportional", "rank-based"))
_NEEDS: dict[str, tuple[str, tuple[object, ...]]] = {
    "adam_beta1": ("optimizer", ("adam",)),
    "adam_beta2": ("optimizer", ("adam",)),
    "adam_epsilon": ("optimizer", ("adam",)),
    "rmsprop_decay": ("optimizer", ("rmsprop",)),
    "rmsprop_epsilon": ("optimizer", ("rmsprop",)),
    "loss": ("distribution", ("mean",)),
    "noisy_sigma": ("noisy", (True,)),
    "num_atoms": ("distribution", ("categorical",)),
    "v_min": ("distribution", ("categorical",)),
    "v_max": ("distribution", ("categorical",)),
    "num_quantiles": ("distribution", ("quantile",)),
    "quantile_huber_threshold": ("distribution", ("quantile",)),
    "priority_exponent": _PRIORITIZED,
    "importance_sampling_exponent": _PRIORITIZED,
    "importance_sampling_steps": _PRIORITIZED,
}
