"""The mean of the return, as in DQN (Mnih et al. 2015): one number for each action."""

from torch import Tensor

from gridrl_agents.deep.learned import Lesson
from gridrl_agents.deep.losses import Loss


class Mean:
    """td_target = reward + discount * Q_target(s', b); the loss is of Q(s, a) - td_target."""

    num_atoms = 1
    limits = None

    def __init__(self, loss: Loss) -> None:
        self._loss = loss

    def q_values(self, output: Tensor) -> Tensor:
        """Return the one number itself."""
        return output[..., 0]

    def distribution(self, output: Tensor) -> None:
        """Return nothing: a mean says nothing of what lies around it."""

    def lesson(self, estimate: Tensor, next_estimate: Tensor, reward: Tensor, discount: Tensor) -> Lesson:
        """Return the loss of the TD error; the priority is its size."""
        error = estimate.squeeze(2) - (reward + discount * next_estimate.squeeze(2))
        loss, slope = self._loss(error)
        return Lesson(loss, slope.unsqueeze(2), error.abs(), {})
