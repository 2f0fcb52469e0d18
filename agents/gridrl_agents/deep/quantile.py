"""Quantiles of the return: QR-DQN (Dabney, Rowland, Bellemare & Munos 2018, algorithm 1)."""

import torch
from torch import Tensor

from gridrl_agents.deep.learned import Lesson


class Quantile:
    """K numbers for each action, the quantiles of its return at tau_i = (i - 1/2) / K; its value is their mean.

    The quantile Huber loss (equation 10) of u_ij = reward + discount * theta'_j - theta_i is summed over the estimates
    i and averaged over the targets j. A quantile needs no bounds on what returns are possible.
    """

    limits = None

    def __init__(self, num_quantiles: int, threshold: float, device: torch.device | None = None) -> None:
        """`threshold` is kappa, in units of scaled reward; 0 is the plain quantile loss."""
        self.num_atoms = num_quantiles
        self._tau = ((torch.arange(num_quantiles) + 0.5) / num_quantiles)[:, None].to(device)  # [K, 1]
        self._threshold = threshold

    def q_values(self, output: Tensor) -> Tensor:
        """Return the mean of the quantiles."""
        return output.mean(dim=-1)

    def distribution(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return the quantiles, each as likely as any other, both [..., K]."""
        return output, torch.full_like(output, 1.0 / self.num_atoms)

    def lesson(self, estimate: Tensor, next_estimate: Tensor, reward: Tensor, discount: Tensor) -> Lesson:
        """Return the quantile Huber loss; the priority is the size of the TD error of the means."""
        target = reward[..., None] + discount[..., None] * next_estimate
        error = target[..., None, :] - estimate[..., None]  # [R, B, K of the estimate, K of the target]
        weight = (self._tau - (error < 0).to(error.dtype)).abs_()
        if self._threshold > 0:
            slope = error.clamp(-self._threshold, self._threshold)
            loss = slope * (error - 0.5 * slope)
        else:
            slope, loss = error.sign(), error.abs()
        loss = (weight * loss).mean(dim=-1).sum(dim=-1)
        gradient = -(weight * slope).mean(dim=-1)
        return Lesson(loss, gradient, (target.mean(dim=-1) - estimate.mean(dim=-1)).abs_(), {})
