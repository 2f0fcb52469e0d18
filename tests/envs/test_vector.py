"""The native vector environment beyond what `test_both_forms.py` holds equal to Gymnasium's."""

import json
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import error
from gymnasium.vector import AutoresetMode

from gridrl_envs.ansi import ansi
from gridrl_envs.dynamics import States
from gridrl_envs.level import Level, LevelError
from gridrl_envs.streams import BLOCK, Streams, children
from gridrl_envs.vector import GridworldVectorEnv

CORRIDOR = "######\n#P $$#\n######"  # columns 6, the start is cell 7
RANDOM = Level.from_string("######\n#P $$#\n#P@  #\n######", slip=0.3, reward_noise=1.0, max_steps=12)


def test_make_vec_makes_it_and_declares_its_mode() -> None:
    env = gymnasium.make_vec("dense-v0", num_envs=3)
    assert env.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    assert (env.num_envs, env.observation_space.shape) == (3, (3, 10, 20, 6))
    assert GridworldVectorEnv(2, autoreset_mode="Disabled").metadata["autoreset_mode"] == AutoresetMode.DISABLED
    obs, _ = env.reset(seed=0)
    assert obs in env.observation_space


def test_next_step_mode_ends_with_the_true_observation_and_begins_anew_on_the_next_step() -> None:
    env = GridworldVectorEnv(2, CORRIDOR, max_steps=2)
    first, _ = env.reset(seed=0)
    env.step(np.array([3, 0]))
    obs, reward, terminated, truncated, infos = env.step(np.array([3, 0]))
    assert reward.tolist() == [100.0, 0.0]
    assert truncated.tolist() == [True, True]
    assert not terminated.any()
    assert np.argwhere(obs[:, :, :, 0]).tolist() == [[0, 1, 3], [1, 1, 1]]  # where the players are at the end
    assert infos["coins_left"].tolist() == [1, 2]
    obs, reward, terminated, truncated, infos = env.step(np.array([3, 3]))  # these actions are not taken
    assert (obs == first).all()
    assert not np.concatenate([reward, terminated, truncated]).any()
    assert infos["coins_left"].tolist() == [2, 2]
    assert env.get_states().step.tolist() == [0, 0]


def test_same_step_mode_keeps_the_last_observation_in_the_infos() -> None:
    env = GridworldVectorEnv(2, CORRIDOR, max_steps=2, autoreset_mode=AutoresetMode.SAME_STEP)
    first, _ = env.reset(seed=0)
    _, _, _, _, infos = env.step(np.array([3, 0]))
    assert "final_obs" not in infos
    obs, _, _, truncated, infos = env.step(np.array([3, 0]))
    assert truncated.all()
    assert (obs == first).all()
    assert [np.argwhere(final[:, :, 0]).tolist() for final in infos["final_obs"]] == [[[1, 3]], [[1, 1]]]
    assert infos["final_info"]["coins_left"].tolist() == [1, 2]
    assert infos["coins_left"].tolist() == [2, 2]


def test_disabled_mode_waits_for_a_reset_of_those_that_ended() -> None:
    env = GridworldVectorEnv(3, "#####\n#P$$#\n#####", autoreset_mode=AutoresetMode.DISABLED)
    env.reset(seed=0)
    env.step(np.array([3, 0, 0]))
    obs, _, terminated, _, _ = env.step(np.array([3, 3, 0]))
    assert terminated.tolist() == [True, False, False]
    assert np.argwhere(obs[:, :, :, 0])[:, 2].tolist() == [3, 2, 1]
    with pytest.raises(
        error.ResetNeeded, match=r"^expected a reset of environments \[0\], whose episodes are over, got"
    ):
        env.step(np.array([0, 0, 0]))
    obs, infos = env.reset(options={"reset_mask": terminated})
    assert np.argwhere(obs[:, :, :, 0])[:, 2].tolist() == [1, 2, 1]
    assert infos["coins_left"].tolist() == [2, 0, 0]
    assert infos["_coins_left"].tolist() == [True, False, False]
    env.step(np.array([0, 0, 0]))
    assert env.get_states().step.tolist() == [1, 3, 3]


@pytest.mark.parametrize("copy", [True, False])
def test_copy(copy: bool) -> None:
    env = GridworldVectorEnv(2, "dense", copy=copy)
    first, _ = env.reset(seed=0)
    second = env.step(np.array([3, 3]))[0]
    assert (first is second) == (not copy)


def test_observing_any_states_changes_nothing() -> None:
    env = GridworldVectorEnv(2, "dense")
    env.reset(seed=0)
    states = env.get_states()
    elsewhere = States(np.array([22, 23, 24]), np.array([0, 7, 9]), np.ones((3, env.dynamics.num_items), bool))
    assert env.observe(elsewhere).shape == (3, 10, 20, 6)
    assert all((now == then).all() for now, then in zip(env.get_states(), states, strict=True))


def test_states_handed_out_are_copies() -> None:
    env = GridworldVectorEnv(2, CORRIDOR)
    env.reset(seed=0)
    for array in (*env.get_states(), *(array for array in env.state_dict().values() if isinstance(array, np.ndarray))):
        array[:] = 0
    assert env.get_states().cell.tolist() == [7, 7]


def test_states_can_be_set() -> None:
    env = GridworldVectorEnv(4, "dense")
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for actions in rng.integers(0, 4, (70, 4)):
        env.step(actions)
    other = GridworldVectorEnv(4, "dense")
    other.set_states(env.get_states())
    playing = ~env.state_dict()["ended"]
    assert playing.all(), "a moment at which no episode has just ended"
    for actions in rng.integers(0, 4, (60, 4)):
        expected, actual = env.step(actions), other.step(actions)
        assert all((one == two).all() for one, two in zip(expected[:4], actual[:4], strict=True))


@pytest.mark.parametrize("observation", ["planes", "window", "state"])
@pytest.mark.parametrize("level", ["####\n#PG#\n####", "#####\n#P$ #\n#@ >#\n#$v #\n#   #\n#####"])
def test_views_go_on_from_states_that_were_set(level: str, observation: str) -> None:
    """With and without items and patrollers; also from states in which the player stands on an item."""
    env = GridworldVectorEnv(60, level, observation=observation, max_steps=99)
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    states = States(
        rng.choice(env.level.floor, 60), rng.integers(0, 99, 60), rng.random((60, env.dynamics.num_items)) < 0.6
    )
    env.set_states(states)
    for actions in rng.integers(0, 4, (12, 60)):
        obs = env.step(actions)[0]
        assert (obs == env.observe(env.get_states())).all()


def test_states_that_are_refused() -> None:
    env = GridworldVectorEnv(2, CORRIDOR, max_steps=9)
    env.reset(seed=0)
    cell, step, items = env.get_states()
    for wrong, sentence in [
        (States(cell[:1], step[:1], items[:1]), "expected 2 states, one each, got 1; give all"),
        (States(cell - 7, step, items), "a state's cell cannot be the wall at row 1, column 1; give a floor cell"),
        (States(cell + 90, step, items), "expected a state's cell from 0 to 17, got 97; give a floor cell"),
        (States(cell, step + 10, items), "expected a state's step from 0 to 9, got 10; correct it"),
        (States(cell, step, items[:, :1]), "expected items as bool [2, 2], got bool [2, 1]; take the states from this"),
    ]:
        with pytest.raises(LevelError) as caught:
            env.set_states(wrong)
        assert sentence in str(caught.value)


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_saved_environment_goes_on_with_the_same_bytes(mode: AutoresetMode) -> None:
    env, other = (GridworldVectorEnv(5, RANDOM, autoreset_mode=mode) for _ in range(2))
    env.reset(seed=7)
    rng = np.random.default_rng(0)

    def play(env: GridworldVectorEnv, actions: np.ndarray) -> list[Any]:
        obs, reward, terminated, truncated, infos = env.step(actions)
        over = terminated | truncated
        if mode == AutoresetMode.DISABLED and over.any():
            obs, _ = env.reset(options={"reset_mask": over})
        return [array.tobytes() for array in (obs, reward, terminated, truncated, infos["coins_left"])]

    for stop in (3, BLOCK - 40, 80):  # the second one shortly before the streams' next block
        for actions in rng.integers(0, 4, (stop, 5)):
            play(env, actions)
        saved = env.state_dict()
        assert all(isinstance(value, np.ndarray) or json.dumps(value) for value in saved.values())
        other.load_state_dict(saved)
        assert (other.observe(other.get_states()) == env.observe(env.get_states())).all()
        for actions in rng.integers(0, 4, (100, 5)):
            assert play(env, actions) == play(other, actions)


def test_an_environment_saved_before_its_first_reset_still_needs_one() -> None:
    env = GridworldVectorEnv(2, RANDOM)
    env.load_state_dict(GridworldVectorEnv(2, RANDOM).state_dict())
    with pytest.raises(error.ResetNeeded):
        env.step(np.zeros(2, int))


@pytest.mark.parametrize(("num_envs", "level"), [(3, RANDOM), (2, RANDOM.replace(slip=0.0)), (2, Level.load("dense"))])
def test_another_environments_state_is_refused(num_envs: int, level: Level) -> None:
    saved = GridworldVectorEnv(num_envs, level).state_dict()
    with pytest.raises(
        LevelError, match="expected the saved state of 2 environments over level 'level', got another's"
    ):
        GridworldVectorEnv(2, RANDOM).load_state_dict(saved)


@pytest.mark.parametrize("actions", [[0, 4], [-1, 0], [0], [0.0, 1.0], [[0, 1]], "ab", None])
def test_actions_that_are_refused(actions: Any) -> None:
    env = GridworldVectorEnv(2, CORRIDOR)
    env.reset(seed=0)
    with pytest.raises(error.InvalidAction, match=r"^expected 2 whole numbers from 0 to 3 as actions, got "):
        env.step(actions)
    env.step([0, 3])  # type: ignore[arg-type]
    env.step(np.array([0, 3], np.uint8))


def test_a_reset_is_asked_for() -> None:
    env = GridworldVectorEnv(2, CORRIDOR)
    for method in (lambda: env.step(np.zeros(2, int)), env.get_states, env.render):
        with pytest.raises(error.ResetNeeded, match=r"^expected reset\(\) before anything else, got "):
            method()
    with pytest.raises(error.ResetNeeded, match=r"^expected a reset\(\) of all environments first, got a reset_mask"):
        env.reset(options={"reset_mask": np.array([True, False])})


@pytest.mark.parametrize("seed", [-1, [1], [1, -2], [1, 2.5], "ab"])
def test_seeds_that_are_refused(seed: Any) -> None:
    with pytest.raises(
        error.Error, match=r"^expected a whole number of 0 or more as seed, or a list of 2 of them, got "
    ):
        GridworldVectorEnv(2, CORRIDOR).reset(seed=seed)


@pytest.mark.parametrize("mask", [[True, True], np.array([1, 0]), np.zeros(2, bool), np.ones(3, bool)])
def test_masks_that_are_refused(mask: Any) -> None:
    with pytest.raises(error.Error, match=r"^expected a reset_mask bool \[2\] with a True in it, got "):
        GridworldVectorEnv(2, CORRIDOR).reset(options={"reset_mask": mask})


def test_other_mistakes() -> None:
    with pytest.raises(error.Error, match=r"^unknown reset option 'mask'; the one option is 'reset_mask'$"):
        GridworldVectorEnv(2, CORRIDOR).reset(options={"mask": 1})
    with pytest.raises(LevelError, match=r"^num_envs must be a whole number from 1 to 1048576, not 0; correct it$"):
        GridworldVectorEnv(0)
    with pytest.raises(error.UnsupportedMode, match=r"^unknown render_mode 'human' for many at once; give one of rgb"):
        GridworldVectorEnv(2, render_mode="human")


def test_rendering() -> None:
    env = GridworldVectorEnv(2, "dense-small", render_mode="ansi")
    env.reset(seed=0)
    env.step(np.array([1, 3]))
    assert env.render() == tuple(ansi(env.level, env.get_states().one(i)) for i in range(2))
    frames = GridworldVectorEnv(2, "dense-small", render_mode="rgb_array")
    frames.reset(seed=0)
    pictures = frames.render()
    assert pictures is not None
    assert [picture.shape[2] for picture in pictures] == [3, 3]
    frames.close()
    frames.close()


@pytest.mark.parametrize("normal", [False, True])
def test_streams_give_each_row_its_own_numbers(normal: bool) -> None:
    """As single draws from the children of each seed would give them, whatever the order of the rows."""
    seeds = [children(np.random.SeedSequence(seed))[1] for seed in range(4)]
    streams = Streams(seeds, normal)
    singles = [np.random.default_rng(np.random.SeedSequence(seed).spawn(3)[1]) for seed in range(4)]
    draw = [single.standard_normal if normal else single.random for single in singles]
    rng = np.random.default_rng(0)
    for _ in range(3 * BLOCK):
        rows = np.flatnonzero(rng.random(4) < 0.7)
        assert streams.next(rows).tolist() == [draw[row]() for row in rows]
    for _ in range(BLOCK + 10):
        assert streams.next().tolist() == [one() for one in draw]
        if rng.random() < 0.1:
            assert streams.next(np.array([2])).tolist() == [draw[2]()]


@pytest.mark.parametrize("given", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_streams_saved_anywhere_in_a_block_go_on(given: int) -> None:
    streams, other = (Streams([np.random.SeedSequence(seed) for seed in seeds]) for seeds in ((0, 1), (2, 3)))
    for _ in range(given):
        streams.next()
    other.set_state(streams.state())
    for _ in range(BLOCK + 2):
        assert (streams.next() == other.next()).all()
    streams.seed(1, np.random.SeedSequence(5))  # from here on the two stand at different places of their blocks
    other.set_state(streams.state())
    for number in np.random.default_rng(5).random(BLOCK + 2):
        assert streams.next()[1] == other.next()[1] == number
