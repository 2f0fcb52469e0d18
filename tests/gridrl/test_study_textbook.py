"""Example 6.7 beside the published values (shared/reference/published_values.md: 1500 runs); margins from the runs."""

import numpy as np
import pytest

from gridrl.studies.textbook import AGENTS, LAST, learn

RUNS = 1500


def test_published_shares_of_left() -> None:
    courses = {name: learn(name, range(RUNS)) for name in AGENTS}
    shares = {name: course.left.mean(axis=0) for name, course in courses.items()}
    last = {name: course.left[:, LAST].mean(axis=1) for name, course in courses.items()}
    error = {name: values.std(ddof=1) / np.sqrt(RUNS) for name, values in last.items()}
    binomial = np.sqrt(0.25 / RUNS)
    # Three standard errors, of theirs and ours together.
    single, double = AGENTS
    assert shares[single][0] == pytest.approx(0.5, abs=3 * binomial)
    assert shares[single].max() == pytest.approx(0.945, abs=3 * np.sqrt(2 * 0.945 * 0.055 / RUNS))
    assert 15 <= shares[single].argmax() <= 30
    assert last[single].mean() == pytest.approx(0.128, abs=3 * np.sqrt(2) * error[single])
    assert shares[double].max() < 0.52 + 3 * binomial
    assert last[double].mean() == pytest.approx(0.068, abs=3 * np.sqrt(2) * error[double])


def test_values_are_recorded_as_an_episode_begins() -> None:
    course = learn("q-learning", range(40))
    assert not course.q_left[:, 0].any(), "nothing is believed before anything was seen"
    assert not course.max_q_b[:, 0].any()
    # Q(A, left) moves in episodes that go left, and in no other.
    moved = course.q_left[:, 1:] != course.q_left[:, :-1]
    went = course.left[:, :-1]
    assert not (moved & ~went).any()
    # It moves a tenth of the way to max_b Q(B, b) as it was when A was left, which is as the episode began.
    expected = course.q_left[:, :-1] + 0.1 * (course.max_q_b[:, :-1] - course.q_left[:, :-1])
    np.testing.assert_allclose(course.q_left[:, 1:][went], expected[went], rtol=1e-12)


@pytest.mark.parametrize("name", AGENTS)
def test_a_run_is_that_of_its_seed_alone(name: str) -> None:
    company, alone = learn(name, range(3)), learn(name, range(1, 2))
    for ours, theirs in zip(company, alone, strict=True):
        assert np.array_equal(ours[1], theirs[0])
