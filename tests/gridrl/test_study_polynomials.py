"""Fits beside plain least squares, and estimates by hand."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from gridrl.studies import polynomials
from gridrl.studies.polynomials import CASES, GRID, STATES, double_estimate, draw_fits, estimates, fitted, sampled


@pytest.mark.parametrize("degree", [0, 3, 6])
def test_a_fit_is_least_squares(degree: int) -> None:
    rng = np.random.default_rng(degree)
    states, samples = STATES[2:].astype(float), rng.normal(size=11)
    powers = np.vander(states / 6, degree + 1)
    solution = np.linalg.lstsq(powers, samples, rcond=None)[0]
    np.testing.assert_allclose(fitted(states, samples, degree, GRID), np.vander(GRID / 6, degree + 1) @ solution)


def test_each_action_lacks_two_neighbours_and_never_the_ends() -> None:
    missing = [STATES[~known].tolist() for known in sampled()]
    assert missing == [[gap, gap + 1] for gap in range(-5, 5)]
    assert [STATES[~known].tolist() for known in sampled(shift=5)] == missing[5:] + missing[:5]


def test_constants_by_hand() -> None:
    # Two actions, fitted by constants: each is the mean of its samples, 2 and 1, then 0 and 4 with other samples.
    everywhere = np.ones((2, 13), dtype=bool)
    first = estimates(np.array([[1.0, 3.0] + [2.0] * 11, [0.0, 2.0] + [1.0] * 11]), everywhere, 0)
    second = estimates(np.array([[0.0] * 13, [4.0] * 13]), everywhere, 0)
    assert first.max(axis=0) == pytest.approx(np.full(GRID.size, 2.0))
    assert double_estimate(first, second) == pytest.approx(np.zeros(GRID.size)), "the first action is the best: 0"
    assert double_estimate(second, first) == pytest.approx(np.ones(GRID.size))


def test_double_estimates_state_by_state() -> None:
    first, second = np.array([[1.0, 5.0, 0.0], [2.0, 4.0, 0.5]]), np.array([[10.0, 20.0, 30.0], [11.0, 21.0, 31.0]])
    assert double_estimate(first, second).tolist() == [11.0, 20.0, 31.0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_exact_samples_bias_the_maximum_alone(case: polynomials.Case) -> None:
    draw = draw_fits(case, 0.0, np.random.default_rng(0))
    assert np.array_equal(draw.samples[0], case.true_values(STATES.astype(float)))
    truth = case.true_values(GRID)
    maximum = (draw.first.max(axis=0) - truth).mean()
    double = (double_estimate(draw.first, draw.second) - truth).mean()
    assert maximum > 0
    assert abs(double) < maximum


def test_tables_hold_what_was_fitted() -> None:
    tables = polynomials.measure(Path(), "smoke", 3, Console(quiet=True))
    case, noise = CASES[1], polynomials.NOISES[-1]
    draws = [draw_fits(case, noise, np.random.default_rng(seed)) for seed in range(3)]
    errors = [draw.first.max(axis=0) - case.true_values(GRID) for draw in draws]
    rows = tables["means"].query("case == @case.name and noise == @noise and estimate == 'maximum'")
    assert rows["bias"].tolist() == pytest.approx([error.mean() for error in errors])
    rows = tables["errors"].query("case == @case.name and noise == @noise and estimate == 'maximum'")
    assert rows["mean_error"].to_numpy() == pytest.approx(np.mean(errors, axis=0))
    shown = tables["fits"].query("case == @case.name and noise == @noise and kind == 'sample' and action == 3")
    assert shown["state"].tolist() == [state for state in STATES if state not in (-2, -1)]
    assert shown["value"].tolist() == pytest.approx(draws[0].samples[3][sampled()[3]].tolist())
