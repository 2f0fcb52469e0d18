"""Keep gradients short without asking how long they are: the answer would have to come to the host."""

from math import inf

import torch
from torch import Tensor


def clip_norms_(gradient: Tensor, max_norm: float) -> Tensor:
    """Scale rows of `gradient` [R, P] that are longer than `max_norm` down to it; return the norms before, [R]."""
    norm = torch.linalg.vector_norm(gradient, dim=1)
    if max_norm < inf:
        gradient.mul_((max_norm / norm).clamp_(max=1.0)[:, None])
    return norm
