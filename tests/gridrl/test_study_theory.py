"""What is known of maxima, beside hand-made values and slow sums."""

import numpy as np
import pytest

from gridrl.studies.theory import least_bias, normal_maximum, stationary_std, uniform_maximum


def test_uniform_errors_by_hand() -> None:
    # Of two numbers uniform on [-1, 1] the larger x has the density (1 + x) / 2: its mean is 1/3.
    assert uniform_maximum(2) == pytest.approx(1 / 3)
    assert uniform_maximum([1, 4], half_width=2.0).tolist() == pytest.approx([0.0, 2 * 3 / 5])


def test_normal_errors_have_known_means() -> None:
    # Order statistics of the standard normal distribution: 0, 1 / sqrt(pi), 3 / (2 sqrt(pi)).
    assert normal_maximum(1) == pytest.approx(0, abs=1e-9)
    assert normal_maximum(2) == pytest.approx(1 / np.sqrt(np.pi))
    assert normal_maximum(3, std=2.0) == pytest.approx(3 / np.sqrt(np.pi))


@pytest.mark.parametrize("count", [2, 5, 16, 1024])
def test_normal_errors_beside_drawn_ones(count: int) -> None:
    drawn = np.random.default_rng(count).standard_normal((4000, count)).max(axis=1)
    assert normal_maximum(count) == pytest.approx(drawn.mean(), abs=4 * drawn.std() / np.sqrt(len(drawn)))


@pytest.mark.parametrize("count", [2, 3, 10])
def test_theorem_1_is_tight_for_one_bad_error(count: int) -> None:
    errors = np.ones(count)
    errors[-1] = -(count - 1)
    assert least_bias(errors) == pytest.approx(1.0)
    assert least_bias(5 + errors) == pytest.approx(1.0), "a common shift changes nothing"


def test_theorem_1_is_never_broken() -> None:
    values = np.random.default_rng(1).standard_t(2, size=(2000, 6)) + 3
    excess = values.max(axis=1) - values.mean(axis=1) - least_bias(values)
    assert excess.min() >= -1e-12
    assert least_bias(values).shape == (2000,)


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0])
def test_a_moving_average_keeps_this_much_noise(rate: float) -> None:
    weights = rate * (1 - rate) ** np.arange(2000)
    assert stationary_std(rate) == pytest.approx(np.sqrt((weights**2).sum()))
