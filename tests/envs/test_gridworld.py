"""The single environment as Gymnasium knows it: its checks, its errors, its states, its rendering."""

import copy
import subprocess
import sys
import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import error
from gymnasium.utils.env_checker import check_env

from gridrl_envs import LEVELS
from gridrl_envs.ansi import ansi
from gridrl_envs.dynamics import State
from gridrl_envs.gridworld import GridworldEnv
from gridrl_envs.level import Level, LevelError

KWARGS: list[dict[str, Any]] = [{}, {"slip": 0.3, "reward_noise": 2.0}]


@pytest.mark.parametrize("kwargs", KWARGS, ids=["plain", "random"])
@pytest.mark.parametrize("name", LEVELS)
def test_gymnasiums_checks_pass_without_a_warning(
    name: str, kwargs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")  # they open a window, too
    monkeypatch.setitem(GridworldEnv.metadata, "render_fps", 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(f"{name}-v0", **kwargs).unwrapped)
        check_env(gymnasium.make(f"{name}-v0", render_mode="ansi", **kwargs).unwrapped)
        if name != "dense":
            check_env(gymnasium.make(f"{name}-v0", observation="state", **kwargs).unwrapped)


@pytest.mark.parametrize("kwargs", [{}, {"observation": "state", "coins": 2}], ids=["planes", "state"])
def test_stable_baselines_checks_pass(kwargs: dict[str, Any]) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    with warnings.catch_warnings():
        # It takes every array of three axes for a picture, and says so; planes are none.
        warnings.filterwarnings("ignore", message="It seems that your observation")
        warnings.filterwarnings("ignore", message="The minimal resolution for an image")
        checker.check_env(gymnasium.make("dense-v0", **kwargs), warn=True)


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_the_ids_are_known_in_a_fresh_interpreter_with_no_import_but_gymnasium() -> None:
    code = (
        "import gymnasium; env = gymnasium.make('dense-v0'); print(env.reset(seed=0)[0].shape);"
        "print(gymnasium.make_vec('four-rooms-v0', num_envs=3).reset(seed=0)[0].shape)"
    )
    assert run_python(code).split("\n") == ["(10, 20, 6)", "(3, 13, 13, 7)"]


def test_importing_the_package_imports_nothing_else() -> None:
    heavy = "{'torch', 'pygame', 'matplotlib', 'gymnasium', 'numpy'}"
    assert run_python(f"import sys, gridrl_envs; print({heavy} & set(sys.modules))") == "set()"
    used = "import gridrl_envs.vector, gridrl_envs.model, gymnasium; gymnasium.make('dense-v0')"
    assert run_python(f"import sys; {used}; print({{'torch', 'pygame', 'matplotlib'}} & set(sys.modules))") == "set()"


def test_no_wrapper_slows_it_down() -> None:
    env = gymnasium.make("dense-v0")
    assert type(env) is GridworldEnv
    assert env.spec is not None
    assert env.spec.id == "dense-v0"


def test_keywords_replace_the_levels_settings() -> None:
    env = GridworldEnv("dense", coins=3, slip=0.5, reward_noise=1.0, max_steps=9, patrol_period=4)
    level = Level.load("dense").keep_coins(3).replace(slip=0.5, reward_noise=1.0, max_steps=9, patrol_period=4)
    assert env.level == level
    assert GridworldEnv(level, slip=0.0).level.slip == 0.0
    assert GridworldEnv("#####\n#P $#\n#####").level.name == "level"
    with pytest.raises(LevelError, match="slip must be a number from 0 to 1, not 2"):
        GridworldEnv(slip=2)


def test_infos_have_the_same_keys_always() -> None:
    env = GridworldEnv("######\n#P$<$#\n######", patrol_period=1)
    assert env.reset(seed=0)[1] == {"coins_left": 2, "caught": False}
    assert env.step(2)[4] == {"coins_left": 2, "caught": False}
    env.reset()
    assert env.step(3)[4] == {"coins_left": 1, "caught": True}


@pytest.mark.parametrize("action", [4, -1, 1.0, "up", None, np.array([1, 2]), np.float32(2)])
def test_actions_that_are_refused(action: Any) -> None:
    env = GridworldEnv()
    env.reset(seed=0)
    with pytest.raises(error.InvalidAction) as caught:
        env.step(action)
    assert str(caught.value) == f"expected an action from 0 to 3 (up, down, left, right), got {action!r}; give one"
    assert env.get_state().step == 0


@pytest.mark.parametrize("action", [1, np.int64(1), np.uint8(1), np.array(1)])
def test_actions_that_are_accepted(action: Any) -> None:
    env = GridworldEnv("dense-small")
    env.reset(seed=0)
    env.step(action)
    assert env.get_state().cell == 17


def test_a_reset_is_asked_for() -> None:
    env = GridworldEnv("#####\n#P $#\n#####", max_steps=2, render_mode="ansi")
    for method, call in {
        "step": lambda: env.step(0),
        "render": env.render,
        "get_state": env.get_state,
        "observe": env.observe,
    }.items():
        with pytest.raises(error.ResetNeeded) as caught:
            call()
        assert str(caught.value) == f"expected reset() before anything else, got {method}(); call reset() first"
    env.reset(seed=0)
    env.step(0)
    assert env.step(0)[3] is True
    with pytest.raises(
        error.ResetNeeded, match=r"^expected reset\(\) after the end of the episode, got step\(\); call"
    ):
        env.step(0)
    env.reset()
    env.step(0)


def test_unknown_options_and_modes_are_refused() -> None:
    with pytest.raises(error.Error, match=r"^unknown reset option 'fast'; a gridworld has none, so leave it out$"):
        GridworldEnv().reset(options={"fast": True})
    with pytest.raises(error.UnsupportedMode, match=r"^unknown render_mode 'rgb'; give one of human, rgb_array, ansi"):
        GridworldEnv(render_mode="rgb")


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (State(0, 0, (True,)), "a state's cell cannot be the wall at row 1, column 1; give a floor cell"),
        (State(15, 0, (True,)), "expected a state's cell from 0 to 14, got 15; give a floor cell"),
        (State(-1, 0, (True,)), "expected a state's cell from 0 to 14, got -1; give a floor cell"),
        (State(6, 5, (True,)), "expected a state's step from 0 to 4, got 5; correct it"),
        (State(6, -1, (True,)), "expected a state's step from 0 to 4, got -1; correct it"),
        (
            State(6, 0, (True, True)),
            "expected a state with 1 items, True or False, got (True, True); take it from this level",
        ),
        (State(6, 0, (7,)), "expected a state with 1 items, True or False, got (7,); take it from this level"),  # type: ignore[arg-type]
        (State(1.5, 0, (True,)), "expected a State(cell, step, items), got "),  # type: ignore[arg-type]
        ("state", "expected a State(cell, step, items), got 'state'; take it from get_state()"),
    ],
)
def test_states_that_are_refused(state: Any, sentence: str) -> None:
    env = GridworldEnv("#####\n#P $#\n#####", max_steps=4)
    with pytest.raises(LevelError) as caught:
        env.set_state(state)
    assert str(caught.value).startswith(f"level 'level': {sentence}")


def test_states_go_round_and_make_the_future_the_same() -> None:
    env, other = GridworldEnv(), GridworldEnv()
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for action in rng.integers(0, 4, 60):
        if env.step(action)[2]:
            env.reset()
    state = env.get_state()
    assert hash(state) == hash(other.set_state(state) or other.get_state())
    assert (other.observe() == env.observe()).all()
    for action in rng.integers(0, 4, 200):
        expected, actual = env.step(action), other.step(action)
        assert (expected[0] == actual[0]).all()
        assert expected[1:] == actual[1:]
        if expected[2] or expected[3]:
            break
    env.set_state(state)
    assert env.get_state() == state


def test_the_end_of_an_episode_can_be_set_as_well() -> None:
    env = GridworldEnv("#####\n#P $#\n#####", max_steps=4)
    env.set_state(State(8, 1, (False,)))
    with pytest.raises(error.ResetNeeded, match="after the end of the episode"):
        env.step(0)
    env.set_state(State(7, 1, (True,)))
    assert env.step(3)[1:3] == (100.0, True)


def test_same_seed_same_episodes_and_copies_go_on_alike() -> None:
    level = Level.from_string("#####\n#P P#\n# $ #\n#####", slip=0.5, reward_noise=1.0)
    env = GridworldEnv(level)

    def play(env: GridworldEnv, steps: int) -> list[Any]:
        seen = []
        for _ in range(steps):
            obs, reward, terminated, truncated, _ = env.step(1)
            seen.append((np.asarray(obs).tobytes(), reward))
            if terminated or truncated:
                env.reset()
        return seen

    env.reset(seed=4)
    first = play(env, 50)
    twin = copy.deepcopy(env)
    assert play(env, 50) == play(twin, 50)
    env.reset(seed=4)
    assert play(env, 50) == first
    env.reset(seed=5)
    assert play(env, 50) != first


def test_observations_are_fresh_arrays() -> None:
    env = GridworldEnv()
    obs, _ = env.reset(seed=0)
    kept = np.array(obs)
    obs[:] = 7  # type: ignore[index]
    assert (env.observe() == kept).all()
    assert env.reset()[0] is not obs


def test_ansi_mode() -> None:
    env = gymnasium.make("dense-small-v0", render_mode="ansi")
    env.reset(seed=0)
    env.step(1)
    assert env.render() == ansi(env.unwrapped.level, env.unwrapped.get_state())  # type: ignore[attr-defined]


def test_render_without_a_mode_warns() -> None:
    env = GridworldEnv()
    env.reset(seed=0)
    with pytest.warns(UserWarning, match="give one to gymnasium.make"):
        assert env.render() is None


def test_human_mode_shows_every_step_and_goes_on_when_the_window_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    import gridrl_envs.window

    class FakeWindow:
        def __init__(self, title: str, fps: float) -> None:
            self.title, self.fps, self.closed, self.frames = title, fps, False, 0
            opened.append(self)

        def show(self, frame: np.ndarray) -> None:
            assert frame.ndim == 3
            self.frames += 1

        def close(self) -> None:
            self.closed = True

    opened: list[FakeWindow] = []
    monkeypatch.setattr(gridrl_envs.window, "Window", FakeWindow)
    env = GridworldEnv("dense-small", render_mode="human")
    env.close()  # nothing to close yet
    assert not opened
    env.reset(seed=0)
    env.step(1)
    env.step(1)
    (window,) = opened
    assert (window.title, window.fps, window.frames) == ("gridrl: dense-small", env.metadata["render_fps"], 3)
    window.closed = True
    env.step(1)
    env.reset()
    assert (len(opened), window.frames) == (1, 3)
    env.close()
    env.close()
