"""One episode of a trained agent, moment by moment."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridrl.errors import UserError
from gridrl.run import Run

if TYPE_CHECKING:
    import gymnasium

    from gridrl_envs.dynamics import State


class Frame(NamedTuple):
    """A moment of an episode, as a picture."""

    picture: np.ndarray  # uint8 [H, W, 3]
    step: int
    earned: float  # undiscounted, so far
    ended: bool


class Moment(NamedTuple):
    """A moment of an episode on a gridworld."""

    state: "State"
    earned: float  # undiscounted, so far
    ended: bool


def episode(run: Run, index: int, epsilon: float, key: int) -> Iterator[Frame]:
    """Yield the frames of one episode of run number `index`; `key` fixes its start and its random actions."""
    for step, (env, earned, ended) in enumerate(_played(run, index, epsilon, key, "rgb_array")):
        yield Frame(_picture(env, run), step, earned, ended)


def moments(run: Run, index: int, epsilon: float, key: int) -> Iterator[Moment]:
    """Yield the moments of the episode that `episode` draws, on a gridworld."""
    for env, earned, ended in _played(run, index, epsilon, key, None):
        world: Any = env.unwrapped
        yield Moment(world.get_state(), earned, ended)


def _played(
    run: Run, index: int, epsilon: float, key: int, render_mode: str | None
) -> "Iterator[tuple[gymnasium.Env, float, bool]]":
    """Yield the environment, what was earned so far and whether it has ended, at the beginning and after each step."""
    agent = run.agent
    policy = agent.policy(epsilon, stream_key=key)
    env = run.problem.make_single(render_mode=render_mode)
    try:
        obs, _ = env.reset(seed=key)
        earned, ended = 0.0, False
        yield env, earned, ended
        while not ended:
            # The policy acts for all runs; each is shown the same, and only this one's answer counts.
            shown = np.broadcast_to(np.asarray(obs), (agent.num_runs, 1, *np.shape(obs)))
            obs, reward, terminated, truncated, _ = env.step(int(policy.act(shown)[index, 0]))
            earned, ended = earned + float(reward), bool(terminated or truncated)
            yield env, earned, ended
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
