"""Priorities, draws and weights beside the paper's formulas, recomputed one by one."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from gridrl.studies import priorities
from gridrl.studies.priorities import BATCH, KINDS, TD_ERRORS, draw_shares, importance_weights, weighted_mean


def naive_probability(kind: str, alpha: float) -> np.ndarray:
    """Equation 1 of Schaul et al. (2016), written out; of equal errors the earlier one has the higher rank."""
    if kind == "proportional":
        priority = [abs(error) + 1e-6 for error in TD_ERRORS]
    else:
        order = sorted(range(len(TD_ERRORS)), key=lambda place: (-abs(TD_ERRORS[place]), place))
        priority = [1 / (1 + order.index(place)) for place in range(len(TD_ERRORS))]
    mass = [p**alpha for p in priority]
    return np.array([m / sum(mass) for m in mass])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("alpha", [0.0, 0.2, 0.8])
def test_probabilities_and_draws(kind: str, alpha: float) -> None:
    probability, share = draw_shares(kind, alpha, range(3), 400)
    expected = naive_probability(kind, alpha)
    np.testing.assert_allclose(probability, expected, rtol=1e-5)
    assert share.shape == (3, 20)
    assert share.sum(axis=1) == pytest.approx(np.ones(3))
    # One draw from each segment of equal mass varies less than independent draws do: these errors are an upper bound.
    error = np.sqrt(expected * (1 - expected) / (400 * BATCH))
    assert (np.abs(share - expected) < 4 * error).all()


@pytest.mark.parametrize("beta", [0.0, 0.4, 1.0])
def test_weights(beta: float) -> None:
    probability = naive_probability("proportional", 0.8)
    weight = np.array([(1 / (20 * p)) ** beta for p in probability])
    np.testing.assert_allclose(importance_weights(probability, beta), weight / weight.max(), rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_beta_1_undoes_any_draws(kind: str) -> None:
    probability = naive_probability(kind, 0.7)
    assert weighted_mean(probability, importance_weights(probability, 1.0), TD_ERRORS) == pytest.approx(
        TD_ERRORS.mean(), abs=1e-6
    )
    plain = weighted_mean(probability, np.ones(20), TD_ERRORS)
    assert plain == pytest.approx(sum(p * error for p, error in zip(probability, TD_ERRORS, strict=True)))


def test_the_tables_and_their_verdict() -> None:
    tables = priorities.measure(Path(), "smoke", 4, Console(quiet=True))
    rows = tables["transitions"].query("kind == 'proportional' and alpha == 0.8 and beta == 0.4")
    np.testing.assert_allclose(rows["weighted_error"], rows["weight"] * TD_ERRORS)
    verdict = priorities.judge(tables)
    assert len(verdict.findings) == 6
    assert all(finding.holds for finding in verdict.findings), verdict
    # Were the weights left out, the study would say so.
    tables["means"].loc[tables["means"]["beta"] == 1, "mean_error"] = 0.7
    assert priorities.judge(tables).outcome == "the claim does not hold"
