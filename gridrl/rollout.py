"""One episode of a trained agent, picture by picture."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridrl.errors import UserError
from gridrl.run import Run

if TYPE_CHECKING:
    import gymnasium


class Frame(NamedTuple):
    """A moment of an episode."""

    picture: np.ndarray  # uint8 [H, W, 3]
    step: int
    earned: float  # undiscounted, so far
    ended: bool


def episode(run: Run, index: int, epsilon: float, key: int) -> Iterator[Frame]:
    """Yield the frames of one episode of run number `index`; `key` fixes its start and its random actions."""
    agent = run.agent
    policy = agent.policy(epsilon, stream_key=key)
    env = run.problem.make_single(render_mode="rgb_array")
    try:
        obs, _ = env.reset(seed=key)
        step, earned, ended = 0, 0.0, False
        yield Frame(_picture(env, run), step, earned, ended)
        while not ended:
            # The policy acts for all runs; each is shown the same, and only this one's answer counts.
            shown = np.broadcast_to(np.asarray(obs), (agent.num_runs, 1, *np.shape(obs)))
            obs, reward, terminated, truncated, _ = env.step(int(policy.act(shown)[index, 0]))
            step, earned, ended = step + 1, earned + float(reward), bool(terminated or truncated)
            yield Frame(_picture(env, run), step, earned, ended)
    finally:
        env.close()


def _picture(env: "gymnasium.Env", run: Run) -> np.ndarray:
    try:
        picture = np.asarray(env.render())
    except NotImplementedError:
        picture = np.empty(0)
    if picture.dtype != np.uint8 or picture.ndim != 3:
        raise UserError(
            f"{run.config.problem.env} draws no pictures (render_mode 'rgb_array'), so it cannot be watched."
        )
    return picture
