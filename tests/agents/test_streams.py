"""Random streams, schedules and the choice of actions."""

import numpy as np
import pytest
from scipy import stats

from gridrl_agents.exploration import epsilon_greedy
from gridrl_agents.schedules import LinearSchedule
from gridrl_agents.streams import EXPLORATION, REPLAY, Streams, seed_sequence


def test_numbers_are_those_of_each_seeds_own_generator():
    streams = Streams([5, 8], EXPLORATION, 3, block=10)
    drawn = np.concatenate([streams.uniform(5) for _ in range(8)], axis=1)
    for row, seed in zip(drawn, (5, 8), strict=True):
        expected = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(EXPLORATION, 3))).random(40)
        np.testing.assert_array_equal(row, expected)


def test_purposes_and_keys_have_streams_of_their_own():
    firsts = [
        np.random.default_rng(seed_sequence(*key)).random()
        for key in [(0, EXPLORATION), (0, REPLAY), (1, EXPLORATION), (0, EXPLORATION, 0), (0, EXPLORATION, 1)]
    ]
    assert len(set(firsts)) == 5


@pytest.mark.parametrize("before", [0, 1, 7, 10, 23])
def test_saved_and_restored_goes_on_the_same(before):
    streams, other = (Streams([1, 2], REPLAY, block=10) for _ in range(2))
    for _ in range(before):
        streams.uniform(3)
    streams.uniform(25)  # more than a block
    other.load_state_dict(streams.state_dict())
    for count in (3, 30, 1, 9):
        np.testing.assert_array_equal(streams.uniform(count), other.uniform(count))


def test_linear_schedule():
    schedule = LinearSchedule(1.0, 0.05, 20_000)
    assert schedule(0) == 1.0
    assert schedule(10_000) == pytest.approx(0.525)
    assert schedule(20_000) == schedule(10**9) == 0.05
    assert LinearSchedule(1.0, 0.2, 0)(0) == 0.2


def test_ties_are_broken_evenly():
    """Chi-square over 30 000 greedy choices among three equal maxima of five, and never another."""
    q_values = np.tile([2.0, 7.0, 7.0, -1.0, 7.0], (30_000, 1))
    uniform = np.random.default_rng(0).random((30_000, 2))
    counts = np.bincount(epsilon_greedy(q_values, 0.0, uniform), minlength=5)
    assert counts[[0, 3]].sum() == 0
    assert stats.chisquare(counts[[1, 2, 4]]).pvalue > 1e-4


def test_exploration_is_even_and_as_often_as_told():
    """With one maximum of four and epsilon .4, the probabilities are .7 and three times .1."""
    q_values = np.tile([0.0, 0.0, 1.0, 0.0], (40_000, 1))
    counts = np.bincount(epsilon_greedy(q_values, 0.4, np.random.default_rng(1).random((40_000, 2))))
    assert stats.chisquare(counts, 40_000 * np.array([0.1, 0.1, 0.7, 0.1])).pvalue > 1e-4


def test_the_greatest_uniform_number_stays_in_range():
    almost_one = np.full((1, 2), np.nextafter(1.0, 0.0))
    for actions in range(1, 40):
        assert epsilon_greedy(np.zeros((1, actions)), 0.0, almost_one)[0] == actions - 1


def naive_choice(q_values, epsilon, explore, which):
    """The choice told in words, for one observation: all actions where it explores, else all that share the maximum."""
    best = max(q_values)
    among = [action for action, value in enumerate(q_values) if value == best or explore < epsilon]
    return among[int(which * len(among))]


@pytest.mark.parametrize("shape", [(1,), (7,), (256,), (3, 5), (2, 3, 4)])
def test_every_choice_is_that_of_the_naive_twin(shape):
    """Over few and many actions, values that tie often, and numbers on the border between two candidates."""
    rng = np.random.default_rng(0)
    for num_actions in (1, 2, 3, 4, 18):
        for epsilon in (0.0, 0.3, 1.0):
            q_values = rng.integers(0, 3, (*shape, num_actions)).astype(rng.choice(["f4", "f8", "bool"]))
            uniform = rng.random((*shape, 2))
            uniform[..., 1] = np.where(rng.random(shape) < 0.5, uniform[..., 1], rng.integers(0, 12, shape) / 12)
            chosen = epsilon_greedy(q_values, epsilon, uniform)
            for where in np.ndindex(shape):
                assert chosen[where] == naive_choice(q_values[where].tolist(), epsilon, *uniform[where])


def test_shapes_are_kept():
    uniform = np.random.default_rng(0).random((3, 5, 2))
    actions = epsilon_greedy(np.zeros((3, 5, 4)), 0.5, uniform)
    assert actions.shape == (3, 5)
    assert actions.dtype == np.int64
