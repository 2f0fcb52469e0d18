"""The finite MDP of a level: the rules applied to every state at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridrl_envs.dynamics import NUM_ACTIONS, PERPENDICULAR, Dynamics
from gridrl_envs.level import Level, LevelError
from gridrl_envs.observations import StateIndex


class Model(NamedTuple):
    """What each action in each state leads to, with which probability.

    `S` states as numbered by `StateIndex`, `A` actions, `K` outcomes: 1, or 3 where actions can slip.
    """

    next_state: NDArray[np.int32]  # [S, A, K]
    probability: NDArray[np.float64]  # [S, A, K], sums to 1 over K
    reward: NDArray[np.float64]  # [S, A, K], the mean where rewards are noisy
    terminated: NDArray[np.bool_]  # [S, A, K]


def build_model(level: Level) -> Model:
    """Return the model of a level without its step limit.

    A state whose episode is over leads to itself, with reward 0 and terminated. Episodes begin in one of
    `StateIndex.start_states`, evenly. Raises `LevelError` if the level has too many states, or patrollers whose joint
    round is longer than an episode.
    """
    dynamics = Dynamics(level)
    if not dynamics.repeats:
        raise LevelError(
            f"its patrollers are not back in their places within max_steps = {level.max_steps}, "
            "so that there is no finite model; set max_steps higher",
            f"level '{level.name}'",
        )
    index = StateIndex(dynamics)
    num_states = index.num_states
    states = index.decode(np.arange(num_states))
    over = dynamics.is_over(states)

    probabilities = (1 - level.slip, level.slip / 2, level.slip / 2) if level.slip else (1.0,)
    shape = (num_states, NUM_ACTIONS, len(probabilities))
    model = Model(
        np.empty(shape, np.int32),
        np.broadcast_to(np.array(probabilities), shape).copy(),
        np.empty(shape),
        np.empty(shape, np.bool_),
    )
    for move in range(NUM_ACTIONS):
        following, reward, terminated, _ = dynamics.step(states, np.full(num_states, move))
        next_state = index.encode(following)
        next_state[over] = np.flatnonzero(over)
        reward[over] = 0.0
        terminated |= over
        for action in range(NUM_ACTIONS):  # each move is some actions' outcome: as meant, or as a slip
            for k, meant in enumerate((action, *PERPENDICULAR[action])[: len(probabilities)]):
                if meant == move:
                    model.next_state[:, action, k] = next_state
                    model.reward[:, action, k] = reward
                    model.terminated[:, action, k] = terminated
    return model
