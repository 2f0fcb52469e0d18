import itertools

import numpy as np
import pytest
import scipy.stats

from gridrl.comparison.improvement import probability_of_improvement


def rng(seed=0):
    return np.random.default_rng(seed)


def naive(ours, theirs):
    return np.mean([(x > y) + 0.5 * (x == y) for x, y in itertools.product(ours, theirs)])


def test_by_hand():
    # 2 beats 1; 3 beats 1; 2 and 2 are even; 3 beats 2: (1 + 1 + .5 + 1) / 4.
    assert probability_of_improvement([2.0, 3.0], [1.0, 2.0], rng()).probability == 3.5 / 4


@pytest.mark.parametrize("seed", range(8))
def test_is_mann_and_whitneys_u_over_the_pairs(seed):
    draw = rng(seed)
    ours, theirs = (draw.integers(0, 6, size=draw.integers(2, 12)) * 100.0 for _ in range(2))  # with ties
    found = probability_of_improvement(ours, theirs, rng())
    pairs = len(ours) * len(theirs)
    assert found.probability == pytest.approx(scipy.stats.mannwhitneyu(ours, theirs).statistic / pairs, abs=1e-12)
    turned = probability_of_improvement(theirs, ours, rng())
    assert found.probability + turned.probability == pytest.approx(1)
    assert 0 <= found.low <= found.probability <= found.high <= 1


def test_interval_agrees_with_scipys_percentile_bootstrap():
    ours, theirs = rng(1).normal(0.4, 1.0, 12), rng(2).normal(0.0, 2.0, 9)

    def statistic(x, y, axis):
        return scipy.stats.mannwhitneyu(x, y, axis=axis, method="asymptotic").statistic / (
            x.shape[axis] * y.shape[axis]
        )

    draws, level = 20_000, 0.9
    found = probability_of_improvement(ours, theirs, rng(3), level=level, num_resamples=draws)
    theirs_says = scipy.stats.bootstrap(
        (ours, theirs),
        statistic,
        n_resamples=draws,
        batch=2000,
        confidence_level=level,
        method="percentile",
        rng=rng(4),
    )
    for end, theirs_end, p in (
        (found.low, theirs_says.confidence_interval.low, 0.05),
        (found.high, theirs_says.confidence_interval.high, 0.95),
    ):
        # A quantile's standard error is sqrt(p (1 - p) / draws) in probability; the resampled values show how far that
        # carries. Two sets of draws, five standard errors, and one step of 1 / (n m).
        slip = 5 * np.sqrt(2 * p * (1 - p) / draws)
        around = np.quantile(theirs_says.bootstrap_distribution, [p - slip, p + slip])
        assert around[0] - 1 / 108 <= end <= around[1] + 1 / 108
        assert end == pytest.approx(theirs_end, abs=np.ptp(around) + 1 / 108)


def test_interval_of_two_small_groups_against_all_their_resamples():
    ours, theirs = [1.0, 4.0, 6.0], [2.0, 4.0, 5.0]
    every = [
        naive(x, y) for x in itertools.product(ours, repeat=3) for y in itertools.product(theirs, repeat=3)
    ]  # 729, all as probable
    found = probability_of_improvement(ours, theirs, rng(), level=0.7, num_resamples=50_000)
    values, counts = np.unique(np.round(every, 9), return_counts=True)
    below = np.cumsum(counts) / len(every)
    # 15 % and 85 % do not fall near a step of the distribution, in standard errors: the quantile is the value itself.
    error = np.sqrt(0.15 * 0.85 / 50_000)
    assert min(np.abs(below - 0.15).min(), np.abs(below - 0.85).min()) > 5 * error
    assert found.low == pytest.approx(values[np.searchsorted(below, 0.15)])
    assert found.high == pytest.approx(values[np.searchsorted(below, 0.85)])


def test_the_interval_holds_the_truth_as_often_as_it_says():
    draws, size, shift = 300, 40, 0.5
    truth = scipy.stats.norm.cdf(shift / np.sqrt(2))  # X - Y is normal with mean `shift` and variance 2
    found = [
        probability_of_improvement(draw.normal(shift, 1, size), draw.normal(0, 1, size), draw, num_resamples=1000)
        for draw in map(rng, range(draws))
    ]
    covered = sum(one.low <= truth <= one.high for one in found)
    low, high = scipy.stats.binom.ppf([1e-4, 1 - 1e-4], draws, 0.95)
    # With 40 runs a percentile interval is too narrow by about sqrt(39 / 40): 94.5 % at best.
    assert low - 0.01 * draws <= covered <= high


def test_one_run_has_no_interval_and_a_missing_value_no_number():
    found = probability_of_improvement([2.0], [1.0, 3.0], rng())
    assert found.probability == 0.5
    assert np.isnan([found.low, found.high]).all()
    assert np.isnan(probability_of_improvement([2.0, np.nan], [1.0, 3.0], rng())).all()


def test_all_pairs_won_leave_no_width():
    assert probability_of_improvement([5.0, 6.0], [1.0, 2.0], rng())[:3] == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("seed", range(30))
def test_p_value_beside_all_ways_to_share_out_the_runs(seed):
    draw = rng(seed)
    sizes = draw.integers(2, 6, size=2)
    ours, theirs = (draw.integers(0, 4, size) * 1.0 if seed % 2 else draw.normal(size=size) for size in sizes)
    runs = np.concatenate([ours, theirs])

    def distance(mine):
        others = [k for k in range(len(runs)) if k not in mine]
        return abs(naive(runs[list(mine)], runs[others]) - 0.5)

    every = [distance(mine) for mine in itertools.combinations(range(len(runs)), len(ours))]
    as_far = np.mean(np.array(every) >= distance(range(len(ours))) - 1e-9)
    assert probability_of_improvement(ours, theirs, rng()).p_value == pytest.approx(as_far)


def test_p_value_of_many_runs_is_scipys():
    ours, theirs = rng(1).normal(0.8, 1.0, 12), rng(2).normal(0.0, 2.0, 9)
    found = probability_of_improvement(ours, theirs, rng())
    assert found.p_value == pytest.approx(scipy.stats.mannwhitneyu(ours, theirs, method="asymptotic").pvalue)


def test_three_runs_of_each_are_never_sure_and_four_can_be():
    # Of the 20 ways to share out six runs, 2 are as far apart as can be: p = .1; of the 70 of eight runs, 2: p = .029.
    three = probability_of_improvement([4.0, 5.0, 6.0], [1.0, 2.0, 3.0], rng())
    assert three.p_value == pytest.approx(0.1)
    assert not three.is_sure
    four = probability_of_improvement([5.0, 6.0, 7.0, 8.0], [1.0, 2.0, 3.0, 4.0], rng())
    assert four.p_value == pytest.approx(2 / 70)
    assert four.is_sure
    assert not probability_of_improvement([1.0] * 9, [1.0] * 9, rng()).is_sure, "all alike"


def test_groups_without_runs_and_levels_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"got shapes \(0,\) and \(1,\)"):
        probability_of_improvement([], [1.0], rng())
    with pytest.raises(ValueError, match="between 0 and 1, got 95"):
        probability_of_improvement([1.0, 2.0], [1.0, 2.0], rng(), level=95)
