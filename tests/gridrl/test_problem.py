"""Problems: ids, settings, observations, and each mistake with its sentence."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from gridrl.errors import UserError
from gridrl.problem import Problem, ProblemSettings
from gridrl.rollout import episode
from gridrl.training import start
from gridrl.training_settings import TrainSettings
from gridrl_envs.level import LevelError


def test_a_table_sees_the_state_where_it_can_be_had() -> None:
    assert Problem(ProblemSettings(env="dense-small-v0"), prefer_state=True).observation_space.n == 20_480  # type: ignore[attr-defined]
    assert Problem(ProblemSettings(env="dense-small-v0")).observation_space.shape == (6, 8, 6)
    assert Problem(ProblemSettings(env="dense-v0"), prefer_state=True).observation_space.shape == (10, 20, 6)


def test_settings_reach_the_level() -> None:
    problem = Problem(ProblemSettings(env="dense-v0", coins=3, slip=0.25, reward_noise=2.0, max_steps=9))
    level = problem.level
    assert (len(level.coins), level.slip, level.reward_noise, level.max_steps) == (3, 0.25, 2.0, 9)
    assert not problem.is_deterministic
    assert Problem(ProblemSettings(env="dense-v0")).is_deterministic


def test_an_environment_that_is_not_ours() -> None:
    problem = Problem(ProblemSettings(env="CartPole-v1"))
    env = problem.make_vector(3)
    obs, _ = env.reset(seed=[1, 2, 3])
    assert obs.shape == (3, 4)
    assert problem.observation_support is None
    for _ in range(200):
        obs, _, terminated, truncated, _ = env.step(np.zeros(3, dtype=np.int64))
        if (ended := terminated | truncated).any():
            assert (np.abs(obs[ended & terminated, 2]) > 0.2).all(), "the pole's true last angle, not one after a reset"
            env.reset(options={"reset_mask": ended})


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"env": "dnese-v0"}, r"unknown environment 'dnese-v0'; did you mean 'dense-v0'\?"),
        ({"env": "CartPole-v1", "coins": 3}, "--coins is for gridworlds, and CartPole-v1 is none; leave it out"),
        ({"env": "Pendulum-v1"}, "Pendulum-v1 has actions Box.*; agents here choose among Discrete actions only"),
        ({"env": "no_such_module:Env-v0"}, "the module 'no_such_module' cannot be imported"),
    ],
)
def test_mistakes(settings: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        Problem(ProblemSettings(**settings))


@pytest.mark.parametrize(
    "settings", [{"observation": "state"}, {"level": "no-such-file.toml"}, {"coins": 99}, {"slip": 2.0}]
)
def test_mistakes_about_levels(settings: dict) -> None:
    for prefer_state in (False, True):
        with pytest.raises(LevelError):
            Problem(ProblemSettings(**settings), prefer_state=prefer_state)


def test_only_a_gridworld_has_a_level() -> None:
    with pytest.raises(UserError, match="CartPole-v1 is no gridworld"):
        _ = Problem(ProblemSettings(env="CartPole-v1")).level


BLIND = """
import gymnasium, numpy as np
class Blind(gymnasium.Env):
    observation_space, action_space = gymnasium.spaces.Discrete(1), gymnasium.spaces.Discrete(2)
    def __init__(self{argument}): pass
    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {{}}
    def step(self, action):
        return 0, float(action), True, False, {{}}
gymnasium.register("{name}-v0", entry_point="{module}:Blind")
"""


@pytest.mark.parametrize(
    ("module", "argument", "sentence"),
    [("blind_one", "", "cannot be made to be looked at"), ("blind_two", ", render_mode=None", "draws no pictures")],
)
def test_an_environment_of_the_users_trains_and_need_not_draw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, argument: str, sentence: str
) -> None:
    (tmp_path / f"{module}.py").write_text(BLIND.format(argument=argument, name=module, module=module))
    monkeypatch.syspath_prepend(tmp_path)
    settings = TrainSettings(steps=200, eval_period=200, eval_episodes=1)
    run = start("q-learning", ProblemSettings(env=f"{module}:{module}-v0"), settings, {}, out=tmp_path / "run")
    assert run.run()
    assert list(run.final("greedy_return")) == [1.0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Gymnasium's own, that it knows no render modes
        with pytest.raises(UserError, match=sentence):
            list(episode(run, 0, 0.0, key=0))
