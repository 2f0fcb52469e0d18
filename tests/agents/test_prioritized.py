"""Proportional and rank-based priorities against numbers worked out by hand, slow twins and their distributions."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gridrl_agents.deep.importance import ImportanceWeights
from gridrl_agents.deep.proportional import EPSILON, Proportional
from gridrl_agents.deep.rank_based import RankBased


def make(kind, seeds, capacity, batch_size, exponent=0.6, beta=0.4, steps=10**9):
    return kind(seeds, capacity, batch_size, exponent=exponent, weights=ImportanceWeights(beta, steps))


def masses(sampler, size):
    """The masses [R, size] by place."""
    masses = sampler._tree.masses(size)
    return np.take_along_axis(masses, sampler._slot_of[:, :size], axis=1) if isinstance(sampler, RankBased) else masses


# Proportional


def test_proportional_by_hand():
    """alpha 1/2. Two new ones at 1; then 3 and 8: their roots, and a third enters at the highest so far."""
    sampler = make(Proportional, [0], 4, 2, exponent=0.5)
    sampler.added(0)
    sampler.added(1)
    np.testing.assert_array_equal(masses(sampler, 4), [[1, 1, 0, 0]])
    sampler.update(np.array([[0, 1]]), np.array([[3.0, 8.0]]))
    np.testing.assert_allclose(masses(sampler, 4), [[3**0.5, 8**0.5, 0, 0]], rtol=1e-6)
    sampler.update(np.array([[1, 1]]), np.array([[100.0, 0.0]]))  # twice: the last one counts, the highest stays
    np.testing.assert_allclose(masses(sampler, 4), [[3**0.5, EPSILON**0.5, 0, 0]], rtol=1e-6)
    sampler.added(2)
    np.testing.assert_allclose(masses(sampler, 4)[0, 2], 10, rtol=1e-6)


def test_proportional_priorities_of_runs_are_their_own():
    sampler = make(Proportional, [0, 1], 4, 1, exponent=1.0)
    sampler.added(0)
    sampler.update(np.array([[0], [0]]), np.array([[9.0], [0.5]]))
    sampler.added(1)
    np.testing.assert_allclose(masses(sampler, 2), [[9, 9], [0.5, 1]], rtol=1e-5)


@settings(max_examples=40, deadline=None)
@given(capacity=st.integers(1, 30), seed=st.integers(0, 2**32 - 1), exponent=st.sampled_from([0.0, 0.6, 1.0]))
def test_proportional_against_a_list(capacity, seed, exponent):
    """Random adds (round the ring) and updates beside plain lists; a draw's weights from the definition."""
    rng = np.random.default_rng(seed)
    sampler = make(Proportional, [1, 2], capacity, 5, exponent=exponent, beta=0.7)
    priority, highest, size = np.zeros((2, capacity)), np.ones(2), 0
    for number in range(60):
        if number == 0 or rng.random() < 0.5:
            sampler.added(number % capacity)
            priority[:, number % capacity] = highest
            size = max(size, number % capacity + 1)
            if number % capacity + 1 < size < capacity:
                continue
        place, weight = sampler.draw(size)
        held = priority > 0
        p = np.where(held, priority, 1) ** exponent * held
        probability = p / p.sum(axis=1, keepdims=True)
        drawn = np.take_along_axis(probability, place, axis=1)
        assert (drawn > 0).all()
        by_definition = (1 / (size * drawn)) ** 0.7
        np.testing.assert_allclose(weight, by_definition / by_definition.max(axis=1, keepdims=True), rtol=1e-5)
        new = rng.exponential(size=(2, 5)) * 2
        sampler.update(place, new)
        for run in range(2):
            for b in range(5):
                priority[run, place[run, b]] = new[run, b] + EPSILON
                highest[run] = max(highest[run], new[run, b] + EPSILON)


# Weights


def test_weights_by_hand():
    """Probabilities .5 and .125 of N = 4: 1 / (N P) is 1/2 and 2; at beta 1/2, over the highest, 1/2 and 1."""
    weights = ImportanceWeights(0.5, 10)
    np.testing.assert_allclose(weights(np.array([[4.0, 1.0], [3.0, 3.0]])), [[0.5, 1], [1, 1]], rtol=1e-6)
    assert weights(np.ones((1, 2))).dtype == torch.float32


def test_beta_rises_to_one_in_a_straight_line_of_draws():
    weights = ImportanceWeights(0.4, 3)
    betas = []
    for _ in range(5):
        betas.append(weights.beta)
        assert float(weights(np.array([[2.0, 1.0]]))[0, 0]) == pytest.approx(0.5 ** betas[-1])
    np.testing.assert_allclose(betas, [0.4, 0.6, 0.8, 1, 1])


# Rank-based


def test_ranks_by_hand():
    """Priorities 5, 1, 9, 5: ranks 2, 4, 1, 3 (of equals the lower place is first); P = 1/rank over 25/12."""
    sampler = make(RankBased, [0], 4, 4, exponent=1.0, beta=1.0)
    for place in range(4):
        sampler.added(place)
    sampler.update(np.array([[0, 1, 2, 3]]), np.array([[5.0, 1, 9, 5]]))
    place, weight = sampler.draw(4)  # sorts: all have changed
    np.testing.assert_allclose(masses(sampler, 4), [[1 / 2, 1 / 4, 1, 1 / 3]])
    # Segments of 25/48 over slots 1, 1/2, 1/3, 1/4: the first is all of slot one, which holds place 2.
    assert place[0, 0] == 2
    assert set(place[0]) <= {0, 1, 2, 3}
    by_rank = {2: 1.0, 0: 2.0, 3: 3.0, 1: 4.0}
    expected = np.array([by_rank[one] for one in place[0]])
    np.testing.assert_allclose(weight[0], expected / expected.max(), rtol=1e-6)


def test_between_sorts_a_priority_gets_the_rank_that_it_would_have_had():
    """16 places, priorities 16 to 1 once sorted. Then 12.5 has four above it: rank 5; 0 none below: past the last."""
    sampler = make(RankBased, [0], 17, 1, exponent=1.0)
    for place in range(16):
        sampler.added(place)
    sampler.update(np.arange(16)[None], np.arange(16.0, 0, -1)[None])
    sampler.draw(16)
    sampler.update(np.array([[9]]), np.array([[12.5]]))
    sampler.update(np.array([[0]]), np.array([[0.0]]))
    expected = 1 / np.arange(1.0, 17)
    expected[9], expected[0] = 1 / 5, 1 / 17
    np.testing.assert_allclose(masses(sampler, 16)[0], expected)
    sampler.added(16)  # the first new one since then has rank 1, and the highest priority
    np.testing.assert_allclose(masses(sampler, 17)[0, 16], 1)
    assert sampler._priority[0, 16] == 16
    sampler.added(1)  # overwrites place 1; the second has rank 2
    np.testing.assert_allclose(masses(sampler, 17)[0, 1], 1 / 2)
    sampler.draw(17)  # 4 changes of 17: not yet
    np.testing.assert_allclose(masses(sampler, 17)[0, 1], 1 / 2)
    sampler.update(np.array([[5]]), np.array([[11.0]]))
    sampler.draw(17)  # 5 of 17: sorted, the two new ones first
    ranks = np.round(1 / masses(sampler, 17)[0]).astype(int)
    assert ranks[[1, 16]].tolist() == [1, 2]
    assert ranks[0] == 17


class RankTwin:
    """The rule of `RankBased`, one run, in plain lists."""

    def __init__(self, exponent, capacity):
        self.capacity = capacity
        self.priority, self.mass, self.sorted = {}, {}, []
        self.exponent, self.new, self.changes, self.highest = exponent, 0, 0, 1.0

    def added(self, place):
        self.new += 1
        self.changes += 1
        self.priority[place], self.mass[place] = self.highest, min(self.new, self.capacity) ** -self.exponent

    def sort_if_due(self):
        if 4 * self.changes >= len(self.priority):
            order = sorted(self.priority, key=lambda place: (-self.priority[place], place))
            self.mass = {place: (rank + 1) ** -self.exponent for rank, place in enumerate(order)}
            self.sorted = [self.priority[place] for place in order]
            self.new = self.changes = 0

    def update(self, place, priority):
        rank = min(1 + sum(one > priority for one in self.sorted), self.capacity)
        self.priority[place], self.mass[place] = priority, rank**-self.exponent
        self.highest = max(self.highest, priority)
        self.changes += 1


@settings(max_examples=40, deadline=None)
@given(capacity=st.integers(1, 60), batch_size=st.integers(1, 6), seed=st.integers(0, 2**32 - 1))
def test_rank_based_against_lists(capacity, batch_size, seed):
    """Adds round the ring, draws, updates with many ties, two runs: masses and weights are the twin's throughout."""
    rng = np.random.default_rng(seed)
    sampler = make(RankBased, [1, 2], capacity, batch_size, exponent=0.7, beta=0.5)
    twins = [RankTwin(0.7, capacity), RankTwin(0.7, capacity)]
    for number in range(90):
        sampler.added(number % capacity)
        for twin in twins:
            twin.added(number % capacity)
        size = min(number + 1, capacity)
        if rng.random() < 0.5:
            place, weight = sampler.draw(size)
            new = rng.integers(0, 6, size=place.shape) / 2.0
            for run, twin in enumerate(twins):
                twin.sort_if_due()
                drawn = np.array([twin.mass[one] / sum(twin.mass.values()) for one in place[run]])
                expected = (1 / (size * drawn)) ** 0.5
                np.testing.assert_allclose(weight[run], expected / expected.max(), rtol=1e-5)
                for one, priority in zip(place[run], new[run], strict=True):
                    twin.update(one, priority)
            sampler.update(place, new)
        for run, twin in enumerate(twins):
            np.testing.assert_allclose(masses(sampler, size)[run], [twin.mass[one] for one in range(size)])
            assert sorted(sampler._place_in[run]) == list(range(capacity))


@pytest.mark.parametrize("kind", [Proportional, RankBased])
@pytest.mark.parametrize("capacity", [60, 3000])
def test_draws_follow_the_priorities(kind, capacity):
    """40 000 draws beside the probabilities of equation 1, both variants, alpha .6; p below 1e-4 is a fault.

    One a time, as stratified draws follow more closely than chi-square supposes; no update in between.
    """
    rng = np.random.default_rng(capacity)
    sampler = make(kind, [5, 6], capacity, 1)
    for place in range(capacity):
        sampler.added(place)
    priority = rng.exponential(size=(2, capacity))
    sampler.update(np.tile(np.arange(capacity), (2, 1)), priority)
    drawn = np.concatenate([sampler.draw(capacity)[0] for _ in range(40_000)], axis=1)
    for run in range(2):
        rank = stats.rankdata(-priority[run])
        p = (priority[run] + EPSILON) ** 0.6 if kind is Proportional else rank**-0.6
        expected = 40_000 * p / p.sum()
        counts = np.bincount(drawn[run], minlength=capacity)
        order = np.argsort(expected)
        group = (np.cumsum(expected[order]) / 20).astype(int)  # the rare ones together, so that each expects about 20
        counted, supposed = np.bincount(group, counts[order]), np.bincount(group, expected[order])
        kept = supposed > 5
        assert stats.chisquare(counted[kept], supposed[kept] * counted[kept].sum() / supposed[kept].sum()).pvalue > 1e-4


def test_ranks_stay_near_the_exact_ones_between_sorts():
    """2000 transitions in use: priorities decay as they are drawn, new ones come. What is drawn next stays near what
    exact ranks would give: half the summed difference of the two distributions is about a tenth."""
    rng = np.random.default_rng(0)
    size, distances = 2000, []
    sampler = make(RankBased, [0], size, 32, exponent=0.7)
    for place in range(size):
        sampler.added(place)
    for number in range(400):
        place, _ = sampler.draw(size)
        sampler.update(place, sampler._priority[0][place] * rng.uniform(0.3, 1.2, size=place.shape))
        sampler.added(number % size)
        if number > 100:
            exact = stats.rankdata(-sampler._priority[0], method="average") ** -0.7
            now = masses(sampler, size)[0]
            distances.append(np.abs(exact / exact.sum() - now / now.sum()).sum() / 2)
    assert max(distances) < 0.15
