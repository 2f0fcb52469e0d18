"""The first episode of each of many environments, beside single ones that are stepped by hand."""

import gymnasium
import numpy as np

from gridrl.play import first_episodes
from gridrl.problem import Problem, ProblemSettings

SHAPE = (2, 3)
MAP = "#######\n#P $ X#\n#######\n"


class Walks:
    """Each episode has its own fixed actions; takes note of what it is told."""

    def __init__(self, actions: np.ndarray) -> None:
        self.actions, self.step, self.forgotten = actions, 0, np.zeros(SHAPE, dtype=int)

    def act(self, obs: np.ndarray) -> np.ndarray:
        self.step += 1
        return self.actions[:, :, self.step - 1]

    def reset(self, mask: np.ndarray) -> None:
        self.forgotten += mask


def test_every_step_of_every_first_episode_and_no_other() -> None:
    problem = Problem(ProblemSettings(level=MAP, max_steps=6))
    actions = np.random.default_rng(0).choice([2, 3, 3, 3], size=(*SHAPE, 6))
    actions[0, 0] = 2  # one that stays until the limit; going right on and on, one ends at the coin, its last
    actions[1, 2] = 3
    env, walks = problem.make_vector(6), Walks(actions)
    obs, _ = env.reset(seed=0)
    moments = [
        (moment.obs, moment.played, moment.playing.copy(), moment.reward)
        for moment in first_episodes(walks, env, obs, SHAPE)
    ]
    for run, episode in np.ndindex(SHAPE):
        single = gymnasium.make("dense-v0", level=MAP, max_steps=6)
        seen, _ = single.reset(seed=0)
        ended = False
        for step, (shown, played, playing, reward) in enumerate(moments):
            assert played[run, episode] == (not ended)
            if ended:
                assert not playing[run, episode]
                assert reward[run, episode] == 0
                continue
            np.testing.assert_array_equal(shown[run, episode], seen)
            seen, earned, terminated, truncated, _ = single.step(int(actions[run, episode, step]))
            ended = terminated or truncated
            assert reward[run, episode] == earned
            assert playing[run, episode] == (not ended)
        assert ended
    assert len(moments) == 6, "as long as the longest"
    assert walks.forgotten[0, 0] == 1
    assert walks.forgotten[1, 2] == 3, "its coin is two steps away, and other episodes follow for company"


def test_what_a_consumer_has_seen_enough_of_counts_no_more() -> None:
    problem = Problem(ProblemSettings(level=MAP, max_steps=6))
    env = problem.make_vector(6)
    obs, _ = env.reset(seed=0)
    counts = np.zeros(SHAPE, dtype=int)
    for moment in first_episodes(Walks(np.full((*SHAPE, 6), 2)), env, obs, SHAPE):
        counts += moment.played
        moment.playing[1] = False
    np.testing.assert_array_equal(counts, [[6, 6, 6], [1, 1, 1]])
