"""Pictures: frames a second of `rgb_array`, each after a step with a random action."""

from typing import Any

from benchmarks.contest import Comparison, Contender, Contest, Work
from benchmarks.environments import MINIGRID

PIECE = 20  # frames


def frames(env_id: str, tile: int | None = None, **settings: Any) -> Work:
    """Return work of an environment's `render`, or of our `draw` with cells of `tile` pixels."""
    import gymnasium
    import numpy as np

    if env_id.startswith("MiniGrid"):
        import minigrid  # noqa: F401  (registers its ids)
    env: Any = gymnasium.make(env_id, render_mode="rgb_array", **settings)
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 4, PIECE).tolist()

    def work() -> int:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
            picture(env, tile)
        return PIECE

    return work


def picture(env: Any, tile: int | None) -> Any:
    """Return what an environment looks like now, uint8 [H, W, 3]."""
    if tile is None:
        return env.render()
    from gridrl_envs.rendering import draw

    return draw(env.unwrapped.level, env.unwrapped.get_state(), tile=tile)


LAKE, MAZE = "FrozenLake-v1, 512 x 512", "MiniGrid-Empty-16x16-v0, 512 x 512"
CONTEST = Contest(
    "rendering",
    "Frames a second, a step with a random action before each. dense-v0 of 400 x 200 pixels is drawn by "
    "gridrl_envs.rendering.draw; all others come from env.render().",
    (
        Contender("dense-v0, 400 x 200", "frames", frames, {"env_id": "dense-v0", "tile": 20}),
        Contender(LAKE, "frames", frames, {"env_id": "FrozenLake-v1", "map_name": "8x8"}),
        Contender("four-rooms-v0, 520 x 520", "frames", frames, {"env_id": "four-rooms-v0"}),
        Contender("dense-v0, 800 x 400", "frames", frames, {"env_id": "dense-v0"}),
        Contender(MAZE, "frames", frames, {"env_id": "MiniGrid-Empty-16x16-v0"}, needs=MINIGRID),
    ),
    (
        Comparison("pictures, 400 pixels wide", "dense-v0, 400 x 200", LAKE, 8),
        Comparison("pictures, 520 x 520 beside 512 x 512", "four-rooms-v0, 520 x 520", LAKE),
        Comparison("pictures, 800 x 400 beside 512 x 512", "dense-v0, 800 x 400", LAKE),
        Comparison("pictures, 520 x 520 beside MiniGrid's", "four-rooms-v0, 520 x 520", MAZE),
    ),
)
