"""How far what an agent believes is from the truth, on the grid."""

from typing import TYPE_CHECKING

import numpy as np

from gridrl.maps.beliefs import lay_out, q_grid
from gridrl.maps.situations import Situation, on_every_cell
from gridrl_agents.base import Agent

if TYPE_CHECKING:
    from gridrl.truth.returns import Returns
    from gridrl.truth.solution import Solution
    from gridrl_envs.vector import GridworldVectorEnv


def error_to_optimum(
    agent: Agent, world: "GridworldVectorEnv", situation: Situation, solution: "Solution"
) -> np.ndarray:
    """Return max_a Q - V* with the player put on each cell, for each run: [R, rows * columns]."""
    best = solution.q_at(on_every_cell(world, situation)).max(axis=1)
    return q_grid(agent, world, situation).max(axis=-1) - lay_out(world, situation, best[None])


def error_to_policy(agent: Agent, world: "GridworldVectorEnv", situation: Situation) -> tuple[np.ndarray, "Returns"]:
    """Return max_a Q - V^pi of each run's own greedy policy on each cell, [R, rows * columns], and how V^pi was found.

    The arrays of the latter are [R, floor cells].
    """
    from gridrl.truth.returns import rollout_returns

    states = on_every_cell(world, situation)
    for_all_runs = type(states)(*(np.concatenate([array] * agent.num_runs) for array in states))
    found = rollout_returns(agent, world, for_all_runs)
    return q_grid(agent, world, situation).max(axis=-1) - lay_out(world, situation, found.value), found
