"""The finite MDP of a level: the rules applied to every state at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridrl_envs.dynamics import NUM_ACTIONS, PERPENDICULAR, Dynamics
from gridrl_envs.level import Level, LevelError
from gridrl_envs.observations import StateIndex

CHUNK = 65_536  # states that the rules are applied to at once; what that needs on the way then stays small


class Model(NamedTuple):
    """What each action in each state leads to, with which probability.

    `S` states as numbered by `StateIndex`, `A` actions, `K` outcomes: 1, or the 4 moves where actions can slip. The
    arrays may be views in which all actions share their outcomes; do not write to them.
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
    next_state = np.empty((index.num_states, NUM_ACTIONS), np.int32)
    reward = np.empty(next_state.shape)
    terminated = np.empty(next_state.shape, np.bool_)
    for begin in range(0, index.num_states, CHUNK):
        chunk = slice(begin, begin + CHUNK)
        numbers = np.arange(index.num_states)[chunk]
        states = index.decode(numbers)
        over = dynamics.is_over(states)
        for move in range(NUM_ACTIONS):
            following, earned, ends, _ = dynamics.step(states, np.full(numbers.size, move))
            next_state[chunk, move] = np.where(over, numbers, index.encode(following))
            reward[chunk, move] = np.where(over, 0.0, earned)
            terminated[chunk, move] = ends | over

    if level.slip == 0:
        shape = (*next_state.shape, 1)
        return Model(next_state[..., None], np.broadcast_to(1.0, shape), reward[..., None], terminated[..., None])
    # An action that can slip is a lottery over the moves: all share the outcomes and differ in the probabilities.
    probability = np.eye(NUM_ACTIONS) * (1 - level.slip)
    for action, sides in enumerate(PERPENDICULAR):
        probability[action, list(sides)] += level.slip / 2
    shape = (index.num_states, NUM_ACTIONS, NUM_ACTIONS)
    return Model(
        np.broadcast_to(next_state[:, None], shape),
        np.broadcast_to(probability, shape),
        np.broadcast_to(reward[:, None], shape),
        np.broadcast_to(terminated[:, None], shape),
    )
