"""Which next action is valued: the one change of Double DQN (van Hasselt, Guez & Silver 2016, equation 4).

The maximum of noisy estimates is too high on average. Where one network chooses the action and another one, with other
errors, values it, a fluke of the first is not taken for a value.
"""

from collections.abc import Callable

from torch import Tensor

Values = Callable[[], Tensor]  # returns a network's action values at next_obs (not at obs), [R, B, A]
Select = Callable[[Values, Values], Tensor]


def greedy_in_target(online_next: Values, target_next: Values) -> Tensor:
    """Return argmax_a Q_target(s', a), int64 [R, B]: DQN's choice, whose value is the target network's maximum."""
    return target_next().argmax(dim=2)


def greedy_in_online(online_next: Values, target_next: Values) -> Tensor:
    """Return argmax_a Q_online(s', a), int64 [R, B]: Double DQN's choice, which the target network then values."""
    return online_next().argmax(dim=2)
