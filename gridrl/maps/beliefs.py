"""What an agent believes, laid out on the grid."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridrl.errors import UserError
from gridrl.maps.situations import Situation, beginning, on_every_cell
from gridrl_agents.base import Agent

if TYPE_CHECKING:
    from gridrl_envs.dynamics import States
    from gridrl_envs.vector import GridworldVectorEnv


class Belief(NamedTuple):
    """Values of one situation with the player put on each cell; NaN and False where it cannot stand."""

    values: np.ndarray  # [rows * columns], max_a Q
    greedy: np.ndarray  # bool [rows * columns, 4], the actions that share the maximum


def start_situation(world: "GridworldVectorEnv") -> "States":
    """Return the states with the player put on each floor cell as an episode begins, in the order of `level.floor`."""
    return on_every_cell(world, beginning(world))


def values_at(agent: Agent, world: "GridworldVectorEnv", states: "States") -> np.ndarray:
    """Return Q of `states` as each run of `agent` believes it, [R, N, A]; one with a memory has seen nothing before."""
    obs = world.observe(states)
    return agent.q_values(np.broadcast_to(obs, (agent.num_runs, *obs.shape)))


def lay_out(world: "GridworldVectorEnv", situation: Situation, values: np.ndarray) -> np.ndarray:
    """Lay out `values` [R, floor cells, ...] on the grid: float [R, rows * columns, ...].

    NaN in walls and where the episode would be over: on goals, pits and patrollers, and on the last coin.
    """
    level = world.level
    grid = np.full((values.shape[0], level.rows * level.columns, *values.shape[2:]), np.nan)
    playing = ~world.dynamics.is_over(on_every_cell(world, situation))
    grid[:, np.array(level.floor)[playing]] = values[:, playing]
    return grid


def greedy_of(q_values: np.ndarray) -> np.ndarray:
    """Return which actions share the maximum of `q_values` [..., A], bool [..., A]; none where they are NaN."""
    return q_values == q_values.max(axis=-1, keepdims=True)


def q_grid(agent: Agent, world: "GridworldVectorEnv", situation: Situation) -> np.ndarray:
    """Return Q as each run of `agent` believes it with the player put on each cell, [R, rows * columns, A]."""
    return lay_out(world, situation, values_at(agent, world, on_every_cell(world, situation)))


def on_grid(world: "GridworldVectorEnv", q_values: np.ndarray, situation: Situation | None = None) -> Belief:
    """Lay out `q_values` [floor cells, A] on the grid; cells where the episode would be over stay empty.

    `situation` is that of the values; the beginning of an episode if not given.
    """
    grid = lay_out(world, situation or beginning(world), q_values[None])[0]
    return Belief(grid.max(axis=1), greedy_of(grid))


def belief(agent: Agent, world: "GridworldVectorEnv", situation: Situation | None = None) -> list[Belief]:
    """Return what each run of `agent` believes in a situation (default: as an episode begins) of each cell."""
    situation = situation or beginning(world)
    q_values = values_at(agent, world, on_every_cell(world, situation))
    return [on_grid(world, q_values[run], situation) for run in range(agent.num_runs)]


def spread(agent: Agent, world: "GridworldVectorEnv", situation: Situation) -> np.ndarray:
    """Return the standard deviation over runs (n - 1 in the divisor) of max_a Q on each cell, [rows * columns].

    Raises `UserError` where there is one run only.
    """
    if agent.num_runs < 2:
        raise UserError("how far seeds differ needs two of them, got one; train with --seeds 2 or more.")
    return q_grid(agent, world, situation).max(axis=-1).std(axis=0, ddof=1)
