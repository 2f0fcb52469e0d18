"""QR-DQN: the loss by hand, its gradient, and the quantiles of a known distribution."""

import numpy as np
import pytest
import torch
from scipy import stats

from gridrl_agents.deep.quantile import Quantile


@pytest.mark.parametrize("threshold", [1.0, 0.0])
def test_two_quantiles_by_hand(threshold):
    """tau = 1/4, 3/4; estimates 0 and 2; targets 1 + .5 * (-1, 6) = .5 and 4. Errors: .5, 4; -1.5, 2.

    Weights |tau - 1(u < 0)|: 1/4, 1/4; 1/4, 3/4. Huber: 1/8, 3.5; 1, 1.5. Sum over estimates of the mean over targets:
    (1/32 + 7/8) / 2 + (1/4 + 9/8) / 2. Slopes: .5, 1; -1, 1. Plain: sizes .5, 4; 1.5, 2 and signs.
    """
    learned = Quantile(2, threshold)
    estimate, following = torch.tensor([[[0.0, 2.0]]]), torch.tensor([[[-1.0, 6.0]]])
    lesson = learned.lesson(estimate, following, torch.tensor([[1.0]]), torch.tensor([[0.5]]))
    if threshold:
        loss, gradient = (1 / 32 + 7 / 8) / 2 + (1 / 4 + 9 / 8) / 2, [-(0.125 + 0.25) / 2, -(-0.25 + 0.75) / 2]
    else:
        loss, gradient = (1 / 8 + 1) / 2 + (3 / 8 + 3 / 2) / 2, [-(0.25 + 0.25) / 2, -(-0.25 + 0.75) / 2]
    assert lesson.loss.item() == pytest.approx(loss)
    np.testing.assert_allclose(lesson.gradient[0, 0], gradient)
    assert lesson.priority.item() == pytest.approx(2.25 - 1.0)
    assert learned.q_values(estimate).item() == 1.0


@pytest.mark.parametrize("threshold", [2.0, 0.3, 0.0])
def test_gradient_against_autograd(threshold):
    rng = np.random.default_rng(0)
    learned = Quantile(9, threshold)
    estimate, following = (torch.from_numpy(rng.normal(size=(2, 5, 9))).requires_grad_() for _ in range(2))
    reward, discount = torch.from_numpy(rng.normal(size=(2, 5))), torch.from_numpy(rng.random((2, 5)))
    lesson = learned.lesson(estimate, following.detach(), reward, discount)
    expected = torch.autograd.grad(lesson.loss.sum(), estimate)[0]
    np.testing.assert_allclose(lesson.gradient.detach(), expected, atol=1e-6)


def test_quantiles_of_a_known_distribution():
    """The plain loss is least at the quantiles tau_i of what comes: of N(0, 1), given by 2001 of its quantiles."""
    learned = Quantile(5, 0.0)
    outcomes = stats.norm.ppf((np.arange(2001) + 0.5) / 2001)
    estimate = torch.zeros(1, 2001, 5)
    reward, discount = torch.from_numpy(outcomes.astype(np.float32))[None], torch.zeros(1, 2001)
    for step in range(1, 400):
        gradient = learned.lesson(estimate, estimate, reward, discount).gradient.mean(dim=1)
        estimate -= 2.0 / step**0.5 * gradient[:, None]
    np.testing.assert_allclose(estimate[0, 0], stats.norm.ppf([0.1, 0.3, 0.5, 0.7, 0.9]), atol=0.02)
