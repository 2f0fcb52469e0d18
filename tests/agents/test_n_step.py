"""Windows of n steps beside a slow twin that keeps whole episodes in lists; and by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gridrl_agents.deep.make_replay import make_replay

GAMMA = 0.9


def twin(history, first, n_step):
    """Return reward, discount and next_obs of the window that begins at history[first], a run's steps in order."""
    total, factor = 0.0, 1.0
    for one in history[first : first + n_step]:
        total += factor * one["reward"]
        factor *= GAMMA
        if one["terminated"]:
            return total, 0.0, one["next_obs"]
        if one["truncated"]:
            break
    return total, factor, one["next_obs"]


@settings(max_examples=60, deadline=None)
@given(
    n_step=st.integers(1, 7),
    capacity=st.integers(1, 12),
    steps=st.integers(1, 40),
    terminating=st.sampled_from([0.0, 0.2, 1.0]),
    truncating=st.sampled_from([0.0, 0.2, 1.0]),
    kind=st.sampled_from(["uniform", "proportional", "rank-based"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_windows_against_whole_episodes(n_step, capacity, steps, terminating, truncating, kind, seed):
    """Every window that can be drawn at any time is the twin's: cut at ends, at the newest step, never at the wrap."""
    rng = np.random.default_rng(seed)
    replay = make_replay(kind, capacity, 16, torch.float32, [1, 2], gamma=GAMMA, batch_size=40, n_step=n_step)
    history = [[], []]
    for number in range(steps):
        ended = rng.random((2, 2)) < [[terminating], [truncating]]
        reward = rng.normal(size=2)
        obs, next_obs = np.full((2, 16), number), np.full((2, 16), number + 0.5)
        replay.add(obs, np.full(2, number % 4), reward, ended[0], ended[1], next_obs)
        for run in range(2):
            history[run].append(
                {
                    "reward": reward[run],
                    "terminated": ended[0][run],
                    "truncated": ended[1][run],
                    "next_obs": number + 0.5,
                }
            )
        batch = replay.sample()
        drawn = batch.obs[..., 0].numpy().astype(int)
        assert drawn.min() >= max(0, number + 1 - capacity)
        assert (drawn % capacity == batch.place).all()
        for run in range(2):
            for b in range(40):
                total, discount, after = twin(history[run], drawn[run, b], n_step)
                assert float(batch.reward[run, b]) == pytest.approx(total, abs=1e-5)
                assert float(batch.discount[run, b]) == pytest.approx(discount, abs=1e-6)
                assert float(batch.next_obs[run, b, 0]) == after
                assert int(batch.action[run, b]) == drawn[run, b] % 4


def test_three_steps_by_hand():
    """Rewards 1, 2, 4, 8, 16 at gamma 1/2; the episode is cut after the second and terminates after the fifth.

    A ring of four holds the last four. From the second: 2, cut: discount 1/2. From the third: 4 + 8/2 + 16/4, 0; and
    so on.
    """
    replay = make_replay("uniform", 4, 16, torch.float32, [0], gamma=0.5, batch_size=64, n_step=3)
    for number, reward in enumerate([1, 2, 4, 8, 16]):
        obs = np.full((1, 16), number)
        replay.add(obs, [0], [reward], [number == 4], [number == 1], obs + 1)
    batch = replay.sample()
    expected = {1: (2, 0.5, 2), 2: (12, 0, 5), 3: (16, 0, 5), 4: (16, 0, 5)}
    for obs, reward, discount, after in zip(
        batch.obs[0, :, 0], batch.reward[0], batch.discount[0], batch.next_obs[0, :, 0], strict=True
    ):
        assert (float(reward), float(discount), float(after)) == expected[int(obs)]
    assert {int(obs) for obs in batch.obs[0, :, 0]} == {1, 2, 3, 4}  # none is lost


def test_the_newest_steps_have_shorter_windows_with_their_own_discount():
    """An episode that still goes on: 3, 2 and 1 steps to bootstrap from, discounts 1/8, 1/4 and 1/2."""
    replay = make_replay("uniform", 10, 16, torch.float32, [0], gamma=0.5, batch_size=64, n_step=3)
    for number in range(3):
        obs = np.full((1, 16), number)
        replay.add(obs, [0], [1.0], [False], [False], obs + 1)
    batch = replay.sample()
    expected = {0: (1.75, 0.125), 1: (1.5, 0.25), 2: (1.0, 0.5)}
    for obs, reward, discount, after in zip(
        batch.obs[0, :, 0], batch.reward[0], batch.discount[0], batch.next_obs[0, :, 0], strict=True
    ):
        assert (float(reward), float(discount)) == expected[int(obs)]
        assert float(after) == 3
