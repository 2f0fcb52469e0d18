"""The Atari recipe of Mnih et al. (2015) as Gymnasium wrappers, for any environment that shows pictures."""

from typing import Any, SupportsFloat

import gymnasium
import numpy as np
from gymnasium import spaces

from gridrl.errors import UserError

SIDE = 84  # pixels
LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # of red, green, blue (ITU-R BT.601)


class AtariPictures(gymnasium.Wrapper):
    """Repeats each action and shows the last few pictures, grey and 84 x 84: uint8 [84, 84, frame_stack], newest last.

    A step's reward is the sum over the repetitions, which end with the episode. Its picture is the brighter, at each
    place, of the last two that the repetitions have shown: Atari draws some things in every second picture only. An
    episode begins with its first picture in all places. Raises `UserError` for observations that are no pictures.
    """

    def __init__(self, env: gymnasium.Env, *, action_repeat: int = 4, frame_stack: int = 4) -> None:
        super().__init__(env)
        space = env.observation_space
        if not (isinstance(space, spaces.Box) and space.dtype == np.uint8 and space.shape[2:] == (3,)):
            raise UserError(
                f"the Atari recipe needs pictures, uint8 [height, width, 3], and the observations are {space}; "
                "leave --preprocess out."
            )
        self._action_repeat = action_repeat
        self._rows, self._columns = (_area_weights(side) for side in space.shape[:2])
        self._stack = np.zeros((SIDE, SIDE, frame_stack), dtype=np.uint8)
        self.observation_space = spaces.Box(0, 255, self._stack.shape, np.uint8)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Begin an episode."""
        obs, info = self.env.reset(seed=seed, options=options)
        self._stack = np.repeat(self._small_and_grey(obs)[:, :, None], self._stack.shape[2], axis=2)
        return self._stack.copy(), info

    def step(self, action: Any) -> tuple[np.ndarray, SupportsFloat, bool, bool, dict]:
        """Take an action again and again, until the episode ends or it was taken often enough."""
        pictures: list[np.ndarray] = []
        total = 0.0
        for _ in range(self._action_repeat):
            obs, reward, terminated, truncated, info = self.env.step(action)
            pictures = [*pictures[-1:], np.asarray(obs)]
            total += float(reward)
            if terminated or truncated:
                break
        newest = self._small_and_grey(np.maximum(pictures[0], pictures[-1]))
        self._stack = np.concatenate([self._stack[:, :, 1:], newest[:, :, None]], axis=2)
        return self._stack.copy(), total, terminated, truncated, info

    def _small_and_grey(self, picture: np.ndarray) -> np.ndarray:
        """Return a picture's luminance, each pixel the mean over the area that it covers, uint8 [84, 84]."""
        grey = picture.astype(np.float32) @ LUMINANCE
        return np.rint(self._rows @ grey @ self._columns.T).clip(0, 255).astype(np.uint8)


def clip_rewards(env: gymnasium.Env) -> gymnasium.Env:
    """Return `env` with rewards of -1, 0 or 1, by their sign: for learning only, since it hides what was earned."""
    return gymnasium.wrappers.TransformReward(env, lambda reward: float(np.sign(float(reward))))


def _area_weights(side: int) -> np.ndarray:
    """Return how much each of `side` pixels is part of each of 84 that cover the same length: float32 [84, side]."""
    edges = np.arange(SIDE + 1) * (side / SIDE)
    pixel = np.arange(side)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return (np.clip(overlap, 0, None) * (SIDE / side)).astype(np.float32)
