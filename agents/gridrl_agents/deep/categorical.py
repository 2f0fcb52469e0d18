"""A categorical distribution of the return on fixed atoms: C51 (Bellemare, Dabney & Munos 2017, algorithm 1)."""

import torch
from torch import Tensor

from gridrl_agents.deep.learned import Lesson


class Categorical:
    """Logits of K probabilities for each action; they belong to `support`, even steps from v_min to v_max.

    What comes next, shrunk by the discount and shifted by the reward, lies between the atoms; it is projected back onto
    them, and the loss is the cross-entropy of that target distribution with the estimate.

    Metric `clipped_mass`: the mean over the batch of the target's probability that lies beyond the support's ends.
    """

    def __init__(self, v_min: float, v_max: float, num_atoms: int, device: torch.device | None = None) -> None:
        """`v_min` < `v_max` are in units of scaled reward."""
        self.num_atoms = num_atoms
        self.support = torch.linspace(v_min, v_max, num_atoms).to(device)
        self.limits = self._v_min, self._v_max = v_min, v_max

    def q_values(self, output: Tensor) -> Tensor:
        """Return sum_i z_i softmax_i(logits)."""
        return (output.softmax(dim=-1) * self.support).sum(dim=-1)

    def distribution(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return the atoms and their probabilities, both [..., K]."""
        return self.support.expand_as(output), output.softmax(dim=-1)

    def lesson(self, estimate: Tensor, next_estimate: Tensor, reward: Tensor, discount: Tensor) -> Lesson:
        """Return the cross-entropy; the priority is it less the target's entropy, the KL divergence (Hessel 2018)."""
        atoms = reward[..., None] + discount[..., None] * self.support
        next_probability = next_estimate.softmax(dim=-1)
        target = project(atoms, next_probability, self._v_min, self._v_max, self.num_atoms)
        log_probability = estimate.log_softmax(dim=-1)
        loss = -(target * log_probability).sum(dim=-1)
        divergence = (loss - torch.special.entr(target).sum(dim=-1)).clamp_(min=0.0)  # below 0 by rounding only
        clipped = next_probability * ((atoms < self._v_min) | (atoms > self._v_max))
        metrics = {"clipped_mass": clipped.sum(dim=-1)}
        return Lesson(loss, log_probability.exp() - target, divergence, metrics)


def project(atoms: Tensor, probability: Tensor, v_min: float, v_max: float, num_atoms: int) -> Tensor:
    """Return `probability` of `atoms`, both [..., K], moved to even steps from v_min to v_max, [..., num_atoms].

    Each probability is shared out between the two neighbours of its atom, in proportion to their nearness; what lies
    beyond an end goes to the end. The whole mass is kept, also where an atom falls on a neighbour (all of it goes
    there), and inside the support so is the mean.
    """
    place = ((atoms - v_min) * ((num_atoms - 1) / (v_max - v_min))).clamp_(0.0, num_atoms - 1.0)
    lower = place.floor().clamp_(max=num_atoms - 2)  # at the upper end, all goes to the upper neighbour
    to_upper = probability * (place - lower)
    index = lower.to(torch.int64)
    projected = probability.new_zeros(*probability.shape[:-1], num_atoms)
    projected.scatter_add_(-1, index, probability - to_upper)
    return projected.scatter_add_(-1, index + 1, to_upper)
