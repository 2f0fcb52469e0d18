"""Moments: what is kept of a long learning."""

from itertools import pairwise

import numpy as np
import pytest

from gridrl.studio.live.history import History


def learn(history: History, begin: int, end: int, size: int = 1) -> None:
    for step in range(begin, end):
        if history.is_due(step):
            history.keep(step, f"moment {step}", size)


@pytest.mark.parametrize("steps", [1, 500, 3_000, 100_000, 1_234_567])
def test_moments_lie_evenly_and_are_few(steps: int) -> None:
    history = History(most=8, period=100)
    learn(history, 0, steps)
    kept = history.steps
    assert kept[0] == 0
    assert len(kept) <= 8
    assert len({later - earlier for earlier, later in pairwise(kept)}) <= 1  # one distance
    assert steps - kept[-1] <= history.period  # the last one is not far
    assert steps < 500 or len(kept) > 4
    assert [history.at(step) for step in kept] == [f"moment {step}" for step in kept]


def test_memory_is_bounded() -> None:
    history = History(most=32, most_bytes=1000, period=10)
    learn(history, 0, 5_000, size=240)
    assert len(history.steps) <= 4
    assert history.num_bytes == 240 * len(history.steps) <= 1000
    learn(history, 5_000, 6_000, size=5_000)  # one of these alone is too much: the beginning stays
    assert history.steps == (0,)


def test_a_branch_forgets_what_came_later_and_goes_on() -> None:
    history = History(most=8, period=100)
    learn(history, 0, 701)
    history.forget_after(300)
    assert history.steps == (0, 100, 200, 300)
    learn(history, 301, 502)
    assert history.steps == (0, 100, 200, 300, 400, 500)
    assert not history.is_due(500)
    assert not history.is_due(550)


def test_moments_that_were_kept_at_odd_times_are_thinned_evenly_too() -> None:
    history, rng = History(most=16, period=100), np.random.default_rng(0)
    step = 0
    while step < 50_000:
        if history.is_due(step) and rng.random() < 0.05:  # others are busy
            history.keep(step, None, 1)
        step += 10
    gaps = np.diff(history.steps)
    assert 6 <= len(history.steps) <= 16
    assert gaps.max() < 3 * gaps.min()
