"""The window: by hand, beside a slow twin, and the same from both forms of the environment over random levels."""

from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from gridrl_envs.dynamics import Dynamics, State, States
from gridrl_envs.gridworld import GridworldEnv
from gridrl_envs.level import Level, LevelError
from gridrl_envs.observations import planes
from gridrl_envs.vector import GridworldVectorEnv

DRAWING = "#######\n#P$@GX#\n#>  $<#\n#######"
SEEDS = st.integers(0, 2**32)
quietly = settings(deadline=None, max_examples=40)


def random_level(rng: np.random.Generator) -> Level:
    """Draw maps until the level's checks accept one."""
    while True:
        height, width = rng.integers(1, 5), rng.integers(2, 7)
        glyphs = rng.choice(list("    ####$$@@GXP><^v"), size=height * width)
        glyphs[rng.choice(height * width, 2, replace=False)] = ["P", rng.choice(["$", "G"])]
        inner = ["#" + "".join(row) + "#" for row in glyphs.reshape(height, width)]
        slip, noise = (float(rng.choice([0.0, 0.4])) for _ in range(2))
        try:
            return Level(
                "random",
                ("#" * (width + 2), *inner, "#" * (width + 2)),
                max_steps=int(rng.integers(1, 25)),
                patrol_period=int(rng.integers(1, 4)),
                slip=slip,
                reward_noise=noise,
            )
        except LevelError:
            continue


def slow_window(whole: np.ndarray, row: int, column: int, radius: int) -> np.ndarray:
    """Look at every cell around (row, column), one by one; beyond the map there is nothing, as on a wall."""
    side = 2 * radius + 1
    seen = np.zeros((side, side, whole.shape[2]), np.uint8)
    for i in range(side):
        for j in range(side):
            r, c = row + i - radius, column + j - radius
            if 0 <= r < whole.shape[0] and 0 <= c < whole.shape[1]:
                seen[i, j] = whole[r, c]
    return seen


def where(plane: np.ndarray) -> list[tuple[int, int]]:
    return [(int(row), int(column)) for row, column in zip(*np.nonzero(plane), strict=True)]


def test_a_window_by_hand() -> None:
    env = GridworldEnv(Level.from_string(DRAWING), observation="window", window_radius=1)
    obs, _ = env.reset(seed=0)
    assert obs.dtype == np.uint8  # type: ignore[union-attr]
    assert obs.shape == env.observation_space.shape == (3, 3, 8)  # type: ignore[union-attr]
    # Player in the middle; a patroller below, a coin on the right, floor diagonally: all else is wall.
    expected = [[(1, 1)], [(2, 1)], [], [(1, 2)], [], [(2, 2)], [], []]
    assert [where(obs[:, :, plane]) for plane in range(8)] == expected  # type: ignore[index]


@pytest.mark.parametrize("kind", [GridworldEnv, lambda level, **kwargs: GridworldVectorEnv(2, level, **kwargs)])
def test_the_radius_is_2_if_not_given(kind: Any) -> None:
    env = kind("dense", observation="window")
    space = getattr(env, "single_observation_space", env.observation_space)
    assert space.shape == env.observation_support.shape == (5, 5, 6)


@quietly
@given(SEEDS, st.integers(1, 9))
def test_the_window_is_the_planes_around_the_player(seed: int, radius: int) -> None:
    """In play and put into any state: one environment, many, `observe`, and the slow twin."""
    rng = np.random.default_rng(seed)
    level = random_level(rng)
    dynamics = Dynamics(level)
    alone = GridworldEnv(level, observation="window", window_radius=radius)
    many = GridworldVectorEnv(3, level, observation="window", window_radius=radius, autoreset_mode="SameStep")
    assert (alone.observation_support == many.observation_support).all()
    assert many.observation_support is not None
    support = many.observation_support
    obs, _ = many.reset(seed=seed)

    def check(obs: np.ndarray, states: States, *, is_play: bool) -> None:
        whole = planes(dynamics, states)
        for i in range(3):
            expected = slow_window(whole[i], *divmod(int(states.cell[i]), level.columns), radius)
            assert (obs[i] == expected).all()
            assert not (is_play and expected[~support].any())
            alone.set_state(states.one(i))
            assert (alone.observe() == expected).all()
        assert (many.observe(states) == obs).all()

    for _ in range(15):
        check(obs, many.get_states(), is_play=True)
        obs, *_ = many.step(rng.integers(0, 4, 3))
    anywhere = States(
        rng.choice(level.floor, 3), rng.integers(0, level.max_steps, 3), rng.random((3, dynamics.num_items)) < 0.6
    )
    many.set_states(anywhere)
    check(many.observe(anywhere), anywhere, is_play=False)
    over = dynamics.is_over(anywhere)
    if not over.any():
        obs, *_ = many.step(rng.integers(0, 4, 3))
        check(obs, many.get_states(), is_play=False)


@pytest.mark.parametrize("mode", list(AutoresetMode))
@settings(parent=quietly, max_examples=15)
@given(SEEDS, st.integers(1, 3))
def test_both_forms_give_the_same_bytes(mode: AutoresetMode, seed: int, radius: int) -> None:
    rng = np.random.default_rng(seed)
    level, kwargs = random_level(rng), {"observation": "window", "window_radius": radius}
    sync = SyncVectorEnv([lambda: GridworldEnv(level, **kwargs)] * 3, autoreset_mode=mode)  # type: ignore[arg-type]
    native = GridworldVectorEnv(3, level, autoreset_mode=mode, **kwargs)  # type: ignore[arg-type]
    assert sync.observation_space == native.observation_space
    assert data_equivalence(sync.reset(seed=seed), native.reset(seed=seed), exact=True)
    for _ in range(30):
        actions = rng.integers(0, 4, 3)
        expected, actual = sync.step(actions), native.step(actions)
        assert data_equivalence(expected, actual, exact=True)
        over = actual[2] | actual[3]
        if mode == AutoresetMode.DISABLED and over.any():
            expected = sync.reset(options={"reset_mask": over})
            assert data_equivalence(expected, native.reset(options={"reset_mask": over}), exact=True)


def test_what_is_observed_stays_as_it_was() -> None:
    for env in (GridworldEnv("dense", observation="window"), GridworldVectorEnv(2, "dense", observation="window")):
        first, _ = env.reset(seed=0)  # type: ignore[attr-defined]
        kept = first.copy()
        for action in (3, 3, 1):
            env.step(action if isinstance(env, GridworldEnv) else np.full(2, action))  # type: ignore[attr-defined]
        assert (first == kept).all()


def test_two_places_that_look_alike() -> None:
    """The very reason for a memory: in a long corridor the window says nothing of where one is."""
    env = GridworldEnv(Level.from_string("##########\n#P      $#\n##########"), observation="window", window_radius=1)
    seen = {}
    for cell in (13, 14, 15):
        env.set_state(State(cell, 0, (True,)))
        seen[cell] = env.observe()
    assert (seen[13] == seen[14]).all()
    assert (seen[14] == seen[15]).all()


@pytest.mark.parametrize(
    ("kwargs", "sentence"),
    [
        ({"observation": "window", "window_radius": 0}, "window_radius must be a whole number from 1 to 255, not 0"),
        ({"observation": "window", "window_radius": 1.5}, "whole number from 1 to 255, not 1.5"),
        ({"window_radius": 3}, "window_radius is for the observation 'window', not for 'planes'; leave it out"),
        ({"observation": "window", "tile_size": 3}, "tile_size is for the observation 'pixels', not for 'window'"),
        ({"observation": "windwo"}, "unknown observation 'windwo'; did you mean 'window'"),
    ],
)
def test_mistakes(kwargs: dict[str, Any], sentence: str) -> None:
    with pytest.raises(LevelError, match=sentence):
        GridworldEnv("dense", **kwargs)
    with pytest.raises(LevelError, match=sentence):
        GridworldVectorEnv(2, "dense", **kwargs)
