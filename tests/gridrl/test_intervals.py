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
    ).confidence_interval
    # Two draws of 20 000: the ends' own standard error is about .02 of the average's.
    slack = 0.08 * values.std(axis=0, ddof=1) / np.sqrt(len(values))
    if average == "iqm":
        slack *= 2
    assert (np.abs(ours.low - theirs.low) < slack).all()
    assert (np.abs(ours.high - theirs.high) < slack).all()
    assert (ours.low < ours.centre).all()
    assert (ours.centre < ours.high).all()
    assert ours.n == 12


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
