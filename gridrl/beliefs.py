"""What an agent believes, laid out on the grid."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridrl_agents.base import Agent

if TYPE_CHECKING:
    from gridrl_envs.dynamics import States
    from gridrl_envs.vector import GridworldVectorEnv


class Belief(NamedTuple):
    """Values of one situation with the player put on each cell; NaN and False where it cannot stand."""

    values: np.ndarray  # [rows * columns], max_a Q
    greedy: np.ndarray  # bool [rows * columns, 4], the actions that share the maximum


def start_situation(world: "GridworldVectorEnv") -> "States":
    """Return the states with the player put on each floor cell as an episode begins, in the order of `level.floor`.

    What lies on the player's own cell counts as collected: standing there, it has just been picked up.
    """
    from gridrl_envs.dynamics import States

    floor = np.array(world.level.floor)
    items = np.ones((floor.size, world.dynamics.num_items), dtype=bool)
    items &= np.asarray(world.dynamics.item_cells)[None, :] != floor[:, None]
    return States(floor.astype(np.intp), np.zeros(floor.size, dtype=np.intp), items)


def on_grid(world: "GridworldVectorEnv", q_values: np.ndarray) -> Belief:
    """Lay out `q_values` [floor cells, A] on the grid; cells where an episode has ended (goal, pit) stay empty."""
    level = world.level
    cells = level.rows * level.columns
    values, greedy = np.full(cells, np.nan), np.zeros((cells, q_values.shape[1]), dtype=bool)
    ends = np.isin(level.floor, level.goals + level.pits)
    floor, q_values = np.array(level.floor)[~ends], q_values[~ends]
    values[floor] = q_values.max(axis=1)
    greedy[floor] = q_values == q_values.max(axis=1, keepdims=True)
    return Belief(values, greedy)


def belief(agent: Agent, world: "GridworldVectorEnv") -> list[Belief]:
    """Return what each run of `agent` believes at the start of an episode, with the player put on each cell."""
    obs = world.observe(start_situation(world))
    q_values = agent.q_values(np.broadcast_to(obs, (agent.num_runs, *obs.shape)))
    return [on_grid(world, q_values[run]) for run in range(agent.num_runs)]
