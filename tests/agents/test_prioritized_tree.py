"""The sum tree beside a plain list of masses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gridrl_agents.deep import sum_tree
from gridrl_agents.deep.sum_tree import SumTree


def found_in_list(masses, target):
    """The place where the running sum of a plain list first exceeds `target`."""
    total = 0.0
    for place, mass in enumerate(masses):
        total += mass
        if total > target:
            return place
    raise AssertionError("the target is beyond the total")


def levels(tree):
    return tree._levels


@settings(max_examples=60, deadline=None)
@given(
    runs=st.integers(1, 4),
    capacity=st.integers(1, 1500),
    batch_size=st.integers(1, 9),
    max_top=st.sampled_from([1, 5, 40, 1024]),
    seed=st.integers(0, 2**32 - 1),
)
def test_tree_against_a_list(runs, capacity, batch_size, max_top, seed):
    """Random settings and draws, whole numbers so that sums are exact: the draw is the list's, at any depth."""
    rng = np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sum_tree, "MAX_TOP", max_top)
        tree = SumTree(runs, capacity, batch_size)
    masses = np.zeros((runs, capacity))
    for _ in range(12):
        place = rng.integers(capacity, size=(runs, batch_size))
        place[:, -1] = place[:, 0]  # twice the same: the last one counts
        mass = rng.integers(1, 50, size=(runs, batch_size)).astype(float)
        tree.set(place, mass)
        for run in range(runs):
            for b in range(batch_size):
                masses[run, place[run, b]] = mass[run, b]
        np.testing.assert_array_equal(tree.masses(capacity), masses)
        np.testing.assert_array_equal(tree.mass(place), np.take_along_axis(masses, place, axis=1))
        uniform = rng.random((runs, batch_size))
        drawn = tree.draw(uniform)
        for run in range(runs):
            total = masses[run].sum()
            for b in range(batch_size):
                target = (uniform[run, b] + b) * (total / batch_size)
                assert drawn[run, b] == found_in_list(masses[run], target)
        anew = SumTree(runs, capacity, batch_size)
        anew.load(masses)
        assert anew.draw(uniform).tolist() == drawn.tolist()


@pytest.mark.parametrize("capacity", [3, 1024, 1025, 40_000])
def test_sums_are_a_function_of_the_masses_alone(capacity):
    """After any history, all sums have the bits of a tree that was given the masses at once, alone or in company."""
    rng = np.random.default_rng(0)
    tree = SumTree(3, capacity, 16)
    for number in range(300):
        tree.set(rng.integers(capacity, size=(3, 1 + number % 16)), rng.random((3, 1 + number % 16)) ** 9 * 1e6)
    masses = tree.masses(capacity).copy()
    anew = SumTree(3, capacity, 16)
    anew.load(np.ones((3, capacity)))
    anew.load(masses)
    for left, right in zip(levels(tree), levels(anew), strict=True):
        assert left.tobytes() == right.tobytes()
    uniform = rng.random((3, 16))
    drawn = tree.draw(uniform)
    for run in range(3):
        alone = SumTree(1, capacity, 16)
        alone.load(masses[run : run + 1])
        for left, right in zip(levels(tree), levels(alone), strict=True):
            assert left[run].tobytes() == right[0].tobytes()
        assert alone.draw(uniform[run : run + 1]).tolist() == drawn[run : run + 1].tolist()


def test_a_shorter_load_leaves_nothing_of_the_old():
    tree = SumTree(1, 2000, 8)
    tree.load(np.ones((1, 2000)))
    tree.load(np.ones((1, 3)))
    assert tree.draw(np.full((1, 8), 0.999)).max() == 2
    assert tree._levels[-1].sum() == 3


@pytest.mark.parametrize("capacity", [50, 5000, 70_000])
def test_draws_follow_the_masses(capacity):
    """64 000 draws of 50 places far apart, whose masses span three orders of magnitude; p below 1e-4 is a fault.

    One number a draw: stratified draws would follow the masses more closely than chi-square supposes.
    """
    rng = np.random.default_rng(capacity)
    places = np.sort(rng.choice(capacity, size=50, replace=False))
    mass = 10 ** rng.uniform(-1.5, 1.5, size=(2, 50))
    tree = SumTree(2, capacity, 1)
    tree.set(np.tile(places, (2, 1)), mass)
    drawn = np.concatenate([tree.draw(rng.random((2, 1))) for _ in range(32_000)], axis=1)
    assert np.isin(drawn, places).all()
    for run in range(2):
        counts = np.bincount(np.searchsorted(places, drawn[run]), minlength=50)
        expected = 32_000 * mass[run] / mass[run].sum()
        often = expected >= 5
        assert counts[~often].sum() < 5 * 50
        share = expected[often] * counts[often].sum() / expected[often].sum()
        assert stats.chisquare(counts[often], share).pvalue > 1e-4


def test_each_segment_of_equal_mass_gives_one():
    """Masses 4, 1, 1, 1, 1 in four segments: 2, 2, 2, 2: the first two draws are place 0, whatever the numbers are."""
    tree = SumTree(1, 5, 4)
    tree.load(np.array([[4.0, 1, 1, 1, 1]]))
    assert tree.draw(np.array([[0.0, 0.0, 0.0, 0.0]])).tolist() == [[0, 0, 1, 3]]
    assert tree.draw(np.array([[0.49, 0.99, 0.49, 0.49]])).tolist() == [[0, 0, 1, 3]]
    assert tree.draw(np.array([[0.99, 0.5, 0.5, 0.99]])).tolist() == [[0, 0, 2, 4]]


def test_numbers_next_to_one_stay_inside():
    """Rounding of awkward masses may lead behind the last one with mass, but never out of the tree."""
    rng = np.random.default_rng(3)
    for size in (1, 31, 32, 33, 1500, 2048):
        tree = SumTree(1, 2048, 32)
        tree.load(rng.random((1, size)) ** 20 + 1e-12)
        assert tree.draw(np.full((1, 32), np.nextafter(1.0, 0))).max() < 2048
        assert tree.draw(np.zeros((1, 32))).min() >= 0
