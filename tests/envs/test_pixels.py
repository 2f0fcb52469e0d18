"""Pixels: the renderer's picture, the same from both forms of the environment, drawn when first looked at."""

import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from gridrl_envs.dynamics import States
from gridrl_envs.gridworld import GridworldEnv
from gridrl_envs.level import Level, LevelError
from gridrl_envs.rendering import draw
from gridrl_envs.vector import GridworldVectorEnv

DRAWING = "########\n#P$@ GX#\n#>  P$<#\n########"


def test_it_is_the_renderers_picture() -> None:
    """In play, in an environment of its own and among many, and of any states."""
    level = Level.from_string(DRAWING, slip=0.3, max_steps=9)
    alone = GridworldEnv(level, observation="pixels", tile_size=5)
    many = GridworldVectorEnv(3, level, observation="pixels", tile_size=5, autoreset_mode="SameStep")
    assert (
        alone.observation_space == many.single_observation_space == gymnasium.spaces.Box(0, 255, (20, 40, 3), np.uint8)
    )
    assert alone.observation_support is None
    assert many.observation_support is None
    rng = np.random.default_rng(0)
    obs, _ = many.reset(seed=1)
    for _ in range(40):
        states = many.get_states()
        for i in range(3):
            assert (obs[i] == draw(level, states.one(i), tile=5)).all()
            alone.set_state(states.one(i))
            assert (alone.observe() == obs[i]).all()
        obs, *_ = many.step(rng.integers(0, 4, 3))
    count = 30
    states = States(rng.choice(level.floor, count), rng.integers(0, 9, count), rng.random((count, 3)) < 0.5)
    for i, picture in enumerate(many.observe(states)):
        assert (picture == draw(level, states.one(i), tile=5)).all()


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_both_forms_give_the_same_bytes(mode: AutoresetMode) -> None:
    level = Level.from_string(DRAWING, slip=0.3, reward_noise=1.0, max_steps=7)
    sync = SyncVectorEnv([lambda: GridworldEnv(level, observation="pixels", tile_size=3)] * 3, autoreset_mode=mode)  # type: ignore[list-item]
    native = GridworldVectorEnv(3, level, observation="pixels", tile_size=3, autoreset_mode=mode)
    assert sync.observation_space == native.observation_space
    assert data_equivalence(sync.reset(seed=5), native.reset(seed=5), exact=True)
    for actions in np.random.default_rng(2).integers(0, 4, (40, 3)):
        expected, actual = sync.step(actions), native.step(actions)
        assert data_equivalence(expected, actual, exact=True)
        over = actual[2] | actual[3]
        if mode == AutoresetMode.DISABLED and over.any():
            expected = sync.reset(options={"reset_mask": over})
            assert data_equivalence(expected, native.reset(options={"reset_mask": over}), exact=True)


@pytest.mark.parametrize("name", ["dense", "dense-small", "sparse", "four-rooms"])
def test_every_built_in_level_is_large_enough_for_the_nature_network(name: str) -> None:
    space = GridworldEnv(name, observation="pixels").observation_space
    level = Level.load(name)
    assert space.shape == (level.rows * 6, level.columns * 6, 3)
    assert min(space.shape[:2]) >= 36


@pytest.mark.parametrize("tile_size", [1, 3, 6])
def test_states_look_different(tile_size: int) -> None:
    """Nothing that planes tell of player, coins and poison is lost, down to one pixel a cell."""
    level = Level.from_string("######\n#P $ #\n#@   #\n######")
    env = GridworldVectorEnv(1, level, observation="pixels", tile_size=tile_size)
    bare = [cell for cell in level.floor if cell not in level.coins + level.poisons]  # the player hides what it is on
    cell, coin, poison = (grid.ravel() for grid in np.meshgrid(bare, [False, True], [False, True]))
    obs = env.observe(States(cell, np.zeros_like(cell), np.stack([coin, poison], axis=1)))
    assert len({picture.tobytes() for picture in obs}) == 4 * len(bare)


def test_pygame_is_imported_at_the_first_look() -> None:
    code = """
import sys, gymnasium, numpy
one = gymnasium.make("dense-v0", observation="pixels")
many = gymnasium.make_vec("dense-v0", num_envs=2, observation="pixels")
assert one.observation_space.shape == (60, 120, 3)
assert "pygame" not in sys.modules
(one if sys.argv[1] == "one" else many).reset(seed=0)
assert "pygame" in sys.modules
"""
    for which in ("one", "many"):
        subprocess.run([sys.executable, "-c", code, which], check=True)


@pytest.mark.parametrize(
    ("kwargs", "sentence"),
    [
        ({"observation": "pixels", "tile_size": 0}, "tile_size must be a whole number from 1 to 64, not 0"),
        (
            {"observation": "pixels", "window_radius": 2},
            "window_radius is for the observation 'window', not for 'pixels'",
        ),
        ({"tile_size": 4}, "tile_size is for the observation 'pixels', not for 'planes'; leave it out"),
    ],
)
def test_mistakes(kwargs: dict[str, Any], sentence: str) -> None:
    with pytest.raises(LevelError, match=sentence):
        GridworldEnv("dense", **kwargs)
    with pytest.raises(LevelError, match=sentence):
        GridworldVectorEnv(2, "dense", **kwargs)
