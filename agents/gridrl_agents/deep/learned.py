"""What may be learned of the return: the protocol that `mean`, `categorical` and `quantile` fulfil."""

from typing import NamedTuple, Protocol

from torch import Tensor


class Lesson(NamedTuple):
    """What a batch has to teach, each transition for itself: not reduced, not weighted."""

    loss: Tensor  # [R, B]
    gradient: Tensor  # [R, B, K], d loss / d estimate
    priority: Tensor  # [R, B], at least 0: how much there is to learn, whatever a transition's weight
    metrics: dict[str, Tensor]  # [R, B] each, to be averaged


class Learned(Protocol):
    """Reads K numbers for each action as something of the return: its mean, or a distribution of it."""

    num_atoms: int  # K

    @property
    def limits(self) -> tuple[float, float] | None:
        """The least and the greatest return that it can stand for, in units of scaled reward; None: any."""

    def q_values(self, output: Tensor) -> Tensor:
        """Return the mean that [..., K] stands for, [...], in units of scaled reward."""

    def distribution(self, output: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return the returns, in units of scaled reward, and their probabilities, both [..., K]; None: a mean only."""

    def lesson(self, estimate: Tensor, next_estimate: Tensor, reward: Tensor, discount: Tensor) -> Lesson:
        """Compare the estimates [R, B, K] of the actions taken with reward + discount * what comes next.

        `next_estimate` [R, B, K] is the target network's for the chosen next action; `reward` and `discount` are
        [R, B]. No Learned knows gamma, or how an episode ended.
        """
