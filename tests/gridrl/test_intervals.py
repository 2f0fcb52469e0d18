import itertools

import numpy as np
import pytest
import scipy.stats

from gridrl.intervals import interquartile_mean, mean, summarise


def rng(seed=0):
    return np.random.default_rng(seed)


def test_mean_by_hand():
    assert mean([[1.0, 10.0], [3.0, 30.0]]).tolist() == [2.0, 20.0]


@pytest.mark.parametrize("num_runs", range(1, 14))
def test_interquartile_mean_is_scipys_trimmed_mean(num_runs):
    values = rng(num_runs).normal(size=(num_runs, 5, 2))
    np.testing.assert_allclose(interquartile_mean(values), scipy.stats.trim_mean(values, 0.25, axis=0), rtol=1e-12)


def test_interquartile_mean_ignores_one_broken_run_but_not_a_missing_value():
    assert interquartile_mean([1.0, 2.0, 3.0, 1e9]) == 2.5
    assert np.isnan(interquartile_mean([1.0, 2.0, 3.0, np.nan]))


@pytest.mark.parametrize(
    ("average", "statistic"),
    [("mean", np.mean), ("iqm", lambda x, axis: scipy.stats.trim_mean(x, 0.25, axis=axis))],
)
@pytest.mark.parametrize("level", [0.95, 0.8])
def test_interval_agrees_with_scipys_percentile_bootstrap(average, statistic, level):
    values = rng(3).gamma(2.0, 50.0, size=(12, 4))
    ours = summarise(values, rng(1), average=average, level=level, num_resamples=20_000)
    theirs = scipy.stats.bootstrap(
        (values,),
        statistic,
        axis=0,
        n_resamples=20_000,
        confidence_level=level,
        method="percentile",
        rng=rng(2),
    )
    for end, p in ((ours.low, (1 - level) / 2), (ours.high, (1 + level) / 2)):
        # The standard error of a quantile is sqrt(p (1 - p) / draws) in probability; how far that carries, the
        # resampled values tell. Two sets of draws, five standard errors.
        slip = 5 * np.sqrt(2 * p * (1 - p) / 20_000)
        low, high = np.quantile(theirs.bootstrap_distribution, [p - slip, p + slip], axis=-1)
        assert (low <= end).all()
        assert (end <= high).all()
        assert ((high - low) < 0.25 * (ours.high - ours.low)).all(), "and that says something"
    assert (ours.low < ours.centre).all()
    assert (ours.centre < ours.high).all()
    assert ours.n == 12


def test_interval_holds_the_truth_as_often_as_a_normal_mean_lets_it():
    num_runs, experiments, draws = 20, 1000, 10_000
    values = rng(11).normal(size=(num_runs, experiments))
    found = summarise(values, rng(12), num_resamples=draws)
    covered = ((found.low <= 0) & (found.high >= 0)).mean()
    # Resampled means spread by s sqrt(19 / 20) / sqrt(20), so the interval is the mean +- 1.96 of that: Student's t
    # says how often it holds 0, 92.9 %, less than its 95 %.
    normal, student = scipy.stats.norm, scipy.stats.t(num_runs - 1)
    expected = 2 * student.cdf(normal.ppf(0.975) * np.sqrt(1 - 1 / num_runs)) - 1
    # Binomial error of the experiments; and both ends, in all experiments alike, err by their quantile's error.
    shared = np.sqrt(2 * 0.025 * 0.975 / draws)
    assert covered == pytest.approx(
        expected, abs=4 * np.hypot(np.sqrt(expected * (1 - expected) / experiments), shared)
    )


def test_interval_of_four_runs_against_all_their_resamples():
    values = np.array([3.0, 10.0, 11.0, 40.0])
    every = [np.mean(chosen) for chosen in itertools.product(values, repeat=4)]
    low, high = np.quantile(every, [0.1, 0.9])
    summary = summarise(values, rng(), level=0.8, num_resamples=50_000)
    assert summary.low == pytest.approx(low, abs=0.3)
    assert summary.high == pytest.approx(high, abs=0.3)


def test_three_runs_span_their_extremes():
    # All three alike is drawn once in 27 times on each side, oftener than 2.5 %: the ends are the extremes themselves.
    summary = summarise([[1.0], [5.0], [6.0]], rng())
    assert (summary.low[0], summary.centre[0], summary.high[0]) == (1.0, 4.0, 6.0)


def test_one_run_has_no_interval():
    summary = summarise([[1.0, 2.0]], rng())
    assert summary.n == 1
    assert summary.centre.tolist() == [1.0, 2.0]
    assert np.isnan(summary.low).all()
    assert np.isnan(summary.high).all()


def test_steps_share_their_resamples_and_blocks_do_not_show(monkeypatch):
    values = rng(5).normal(size=(6, 7, 3))
    whole = summarise(values, rng(9))
    single = summarise(values[:, 4, 1], rng(9))
    assert single.low == whole.low[4, 1]
    assert single.high == whole.high[4, 1]
    monkeypatch.setattr("gridrl.intervals._BLOCK", 6 * 2000 * 2)
    blocks = summarise(values, rng(9))
    assert np.array_equal(blocks.low, whole.low)
    assert np.array_equal(blocks.high, whole.high)
    assert whole.low.shape == whole.centre.shape == (7, 3)


def test_a_step_with_a_missing_value_has_no_number():
    summary = summarise([[1.0, np.nan], [2.0, 1.0], [3.0, 1.0]], rng())
    assert np.isnan([summary.centre[1], summary.low[1], summary.high[1]]).all()
    assert np.isfinite([summary.centre[0], summary.low[0], summary.high[0]]).all()


def test_no_runs_and_levels_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"at least one run, got shape \(0, 3\)"):
        summarise(np.empty((0, 3)), rng())
    with pytest.raises(ValueError, match="between 0 and 1, got 95"):
        summarise([1.0, 2.0], rng(), level=95)
