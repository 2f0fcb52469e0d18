"""The Atari recipe: its pictures by hand, and training, evaluation and resuming with wrapped environments."""

from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from gridrl.atari import AtariPictures, clip_rewards
from gridrl.errors import UserError
from gridrl.evaluation import Evaluator
from gridrl.problem import Problem, ProblemSettings
from gridrl.run import Run
from gridrl.training import Training, start
from gridrl.training_settings import TrainSettings
from gridrl_envs.level import LevelError
from gridrl_envs.rendering import draw


class Flicker(gymnasium.Env):
    """Picture t is uniformly of brightness 10 t; a second thing is seen at every other step. Reward t, 9 steps."""

    observation_space = Box(0, 255, (168, 42, 3), np.uint8)
    action_space = Discrete(2)

    def __init__(self) -> None:
        self.t = 0
        self.actions: list[int] = []

    def picture(self) -> np.ndarray:
        picture = np.full((168, 42, 3), 10 * self.t, dtype=np.uint8)
        if self.t % 2:
            picture[:84] = 200
        return picture

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.t = 0
        return self.picture(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.t += 1
        self.actions.append(action)
        return self.picture(), -float(self.t), False, self.t == 9, {}


def test_pictures_and_rewards_by_hand() -> None:
    """168 rows become 84 pairs, 42 columns are doubled: the upper half of the picture stays the upper half."""
    flicker = Flicker()
    env = AtariPictures(flicker)
    assert env.observation_space == Box(0, 255, (84, 84, 4), np.uint8)
    obs, _ = env.reset()
    assert not obs.any()
    obs, reward, terminated, truncated, _ = env.step(1)
    assert flicker.actions == [1, 1, 1, 1]
    assert (reward, terminated, truncated) == (-10.0, False, False)
    assert not obs[:, :, :3].any(), "the first picture, three times"
    assert (obs[:42, :, 3] == 200).all(), "seen at step 3, not at step 4"
    assert (obs[42:, :, 3] == 40).all()
    obs, reward, _, truncated, _ = env.step(0)
    assert reward == -26.0
    assert (obs[42:, :, 2:] == [40, 80]).all()
    obs, reward, _, truncated, _ = env.step(0)
    assert (reward, truncated) == (-9.0, True), "the episode ended at the first of four"
    assert (obs[42:, :, 1:] == [40, 80, 90]).all(), "and shows its own last picture, none of before"
    obs, _ = env.reset()
    assert not obs.any()


def test_each_step_once() -> None:
    env = AtariPictures(Flicker(), action_repeat=1, frame_stack=2)
    env.reset()
    obs, reward, *_ = env.step(0)
    assert (obs[42:] == [0, 10]).all()
    assert reward == -1.0
    obs, *_ = env.step(0)
    assert (obs[:42] == [200, 20]).all(), "one picture a step: none to take the brighter of"


def test_grey_is_luminance_and_small_is_the_mean() -> None:
    """BT.601: .299 red, .587 green, .114 blue; 4 x 2 pixels of a chequer in one are its mean."""

    class Still(Flicker):
        observation_space = Box(0, 255, (336, 168, 3), np.uint8)

        def picture(self) -> np.ndarray:
            picture = np.zeros((336, 168, 3), dtype=np.uint8)
            picture[:84, :, 0], picture[84:168, :, 1], picture[168:252, :, 2] = 200, 200, 200
            picture[252::2, ::2] = 100
            return picture

    obs, _ = AtariPictures(Still()).reset()
    assert [set(obs[21 * part : 21 * part + 21].ravel().tolist()) for part in range(4)] == [{60}, {117}, {23}, {25}]


def test_rewards_are_clipped_by_their_sign() -> None:
    env = clip_rewards(AtariPictures(Flicker()))
    env.reset()
    assert env.step(0)[1] == -1.0


PIXELS = ProblemSettings(env="dense-small-v0", preprocess="atari", coins=3)


def test_learning_is_clipped_and_evaluation_is_not() -> None:
    problem = Problem(PIXELS)
    assert problem.observation_space.shape == (84, 84, 4)
    assert problem.is_gridworld
    assert problem.is_deterministic
    assert len(problem.level.coins) == 3
    earned = {}
    for learning in (True, False):
        env = problem.make_vector(2, learning=learning)
        env.reset(seed=[0, 1])
        earned[learning] = [env.step(np.array([1, 1]))[1][0] for _ in range(2)]
    assert max(earned[True]) == 1.0
    assert max(earned[False]) == 100.0
    single = problem.make_single(render_mode="rgb_array")
    obs, _ = single.reset(seed=0)
    assert obs.shape == (84, 84, 4)
    assert single.render().shape[2] == 3  # type: ignore[union-attr]


def test_pixels_without_the_recipe() -> None:
    problem = Problem(ProblemSettings(env="dense-small-v0", observation="pixels", tile_size=4))
    env = problem.make_vector(2)
    obs, _ = env.reset(seed=[0, 1])
    assert (obs[0] == draw(problem.level, problem.gridworld.dynamics.reset(1).one(0), tile=4)).all()


def test_an_agent_with_a_memory_is_given_the_window() -> None:
    settings = ProblemSettings(env="dense-v0", window_radius=3)
    assert Problem(settings, prefer_window=True).observation_space.shape == (7, 7, 6)
    with pytest.raises(LevelError, match="window_radius is for the observation 'window'"):
        Problem(settings)
    assert Problem(PIXELS, prefer_window=True).observation_space.shape == (84, 84, 4)
    assert Problem(ProblemSettings(env="CartPole-v1"), prefer_window=True).observation_space.shape == (4,)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"env": "CartPole-v1", "preprocess": "atari"}, r"needs pictures, uint8 .* leave --preprocess out"),
        ({"preprocess": "atari", "observation": "planes"}, r"needs pictures"),
        ({"preprocess": "attari"}, r"unknown preprocess 'attari'; did you mean 'atari'\?"),
        ({"action_repeat": 2}, "--action-repeat is for --preprocess atari; give that too, or leave it out"),
        ({"preprocess": "atari", "frame_stack": 0}, "--frame-stack must be 1 or more, got 0"),
        ({"env": "CartPole-v1", "tile_size": 3}, "--tile-size is for gridworlds"),
    ],
)
def test_mistakes(settings: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        Problem(ProblemSettings(**settings))


def test_no_value_map_of_several_steps_at_once() -> None:
    with pytest.raises(UserError, match="shows several steps at once"):
        _ = Problem(PIXELS).gridworld


SMALL_NET = {"hidden_sizes": (16,), "replay_capacity": 60, "min_replay_size": 32, "batch_size": 4, "learn_period": 4}


def test_wrapped_environments_train_evaluate_and_resume(tmp_path: Path) -> None:
    settings = TrainSettings(seeds=2, steps=60, eval_period=30, eval_episodes=2, checkpoint_period=30)
    training = start("dqn", PIXELS, settings, SMALL_NET, out=tmp_path / "run")
    assert not training.problem.saves_state
    assert training.run()
    before = (tmp_path / "run" / "metrics.csv").read_text()
    run = Run.load(tmp_path / "run")
    assert run.step == 60
    returns = Evaluator(run.problem, run.config.seeds, 2).play(run.agent, 0.05, key=1)
    assert returns.undiscounted.shape == (2, 2)
    assert set(np.unique(returns.undiscounted % 100)) <= {0.0}, "true rewards"
    training = Training.resume(tmp_path / "run")
    training.folder.extend(90)
    training = Training.resume(tmp_path / "run")
    assert training.step == 60
    assert training.run()
    assert (tmp_path / "run" / "metrics.csv").read_text().startswith(before)
    assert training.agent.num_updates > run.agent.num_updates


ROOM = "#######\n#P    #\n#  @  #\n#   $ #\n#######"


def test_dqn_learns_from_pixels(tmp_path: Path) -> None:
    """One coin 5 steps away, worth 65.61 at gamma .9; what a random walk earns is measured beside the agent.

    Both runs find the shortest way at some evaluation. (At one given evaluation a greedy policy can be stuck.)
    """
    path = tmp_path / "room.txt"
    path.write_text(ROOM)
    problem = ProblemSettings(level=str(path), observation="pixels", tile_size=2, max_steps=30)
    settings = TrainSettings(seeds=2, steps=1500, eval_period=150, eval_episodes=10, checkpoint_period=1500)
    agent = {
        "gamma": 0.9, "hidden_sizes": (32,), "learning_rate": 0.0005, "min_replay_size": 200, "batch_size": 16,
        "epsilon_decay_steps": 1080, "epsilon_end": 0.1, "target_update_rate": 0.02, "target_update_period": 1,
        "replay_capacity": 1500,
    }  # fmt: skip
    training = start("dqn", problem, settings, agent, out=tmp_path / "run")
    random = Evaluator(training.problem, [0, 1], 50).play(training.agent, 1.0, key=1).discounted.mean()
    assert random < 25
    assert training.run()
    table = training.metrics
    best = table[table["metric"] == "greedy_discounted_return"].groupby("run")["value"].max()
    np.testing.assert_allclose(best, 100 * 0.9**4)
    assert training.final("discounted_return").mean() > random + 25
