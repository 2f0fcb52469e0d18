"""What an error costs, and the slope: each returns (loss [R, B], d loss / d td_error [R, B]), not yet reduced."""

from collections.abc import Callable

import torch
from torch import Tensor

Loss = Callable[[Tensor], tuple[Tensor, Tensor]]


def squared(td_error: Tensor) -> tuple[Tensor, Tensor]:
    """Return x^2 / 2 and its slope x."""
    return 0.5 * td_error * td_error, td_error


def huber(td_error: Tensor) -> tuple[Tensor, Tensor]:
    """Return x^2 / 2 up to |x| = 1 and |x| - 1/2 beyond (Huber 1964), and its slope, x kept within -1 and 1.

    This is what Mnih et al. (2015) call clipping the error term.
    """
    slope = td_error.clamp(-1.0, 1.0)
    return slope * torch.sub(td_error, slope, alpha=0.5), slope


LOSSES = {"huber": huber, "squared": squared}
