"""How far an agent's values are from agreeing with each other: the TD error of every cell, exactly."""

from typing import TYPE_CHECKING

import numpy as np

from gridrl.maps.beliefs import greedy_of, lay_out, values_at
from gridrl.maps.situations import Situation, on_every_cell
from gridrl_agents.base import Agent

if TYPE_CHECKING:
    from gridrl_envs.dynamics import States
    from gridrl_envs.vector import GridworldVectorEnv


def td_targets(agent: Agent, world: "GridworldVectorEnv", states: "States") -> np.ndarray:
    """Return E[r + gamma (1 - terminated) max_b Q(s', b)] of every action in `states` [N], for each run: [R, N, A].

    By the level's own rules: over slips the expectation, of noisy rewards the mean. The step limit is no end.
    """
    from gridrl_envs.dynamics import NUM_ACTIONS, PERPENDICULAR, States

    num_states, slip = states.cell.size, world.level.slip
    move = np.repeat(np.arange(NUM_ACTIONS), num_states)
    tiled = States(*(np.concatenate([array] * NUM_ACTIONS) for array in states))
    following, reward, terminated, _ = world.dynamics.step(tiled, move)
    value = values_at(agent, world, following).max(axis=-1)
    target = reward + np.where(terminated, 0.0, agent.gamma * value)
    target = np.moveaxis(target.reshape(-1, NUM_ACTIONS, num_states), 1, 2)
    return (1 - slip) * target + slip / 2 * target[..., np.array(PERPENDICULAR)].sum(axis=-1)


def td_errors(agent: Agent, world: "GridworldVectorEnv", situation: Situation) -> np.ndarray:
    """Return td_target - Q of the greedy action (a tie: their mean) on each cell for each run, [R, rows * columns]."""
    states = on_every_cell(world, situation)
    q_values = values_at(agent, world, states)
    td_error = td_targets(agent, world, states) - q_values
    return lay_out(world, situation, td_error.mean(axis=-1, where=greedy_of(q_values)))
