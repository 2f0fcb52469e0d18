"""What is known of one cell, of one mind."""

from typing import TYPE_CHECKING

import numpy as np

from gridrl.maps.beliefs import values_at
from gridrl.maps.situations import Situation, on_every_cell, patrollers
from gridrl.studio.measures.maps import truth_of
from gridrl.studio.measures.rollouts import Rollouts
from gridrl.studio.shown import Facts
from gridrl.studio.truth import Truth

if TYPE_CHECKING:
    from gridrl.studio.minds.mind import Mind
    from gridrl_envs.dynamics import States
    from gridrl_envs.vector import GridworldVectorEnv


def facts(mind: "Mind", cell: int, situation: Situation, truth: Truth, rollouts: Rollouts) -> Facts:
    """Return what is known of a cell of a mind's level, with the player put on it.

    Q is run 0's. Beside it stands Q* where the level is solved; where it cannot be, what the run's own greedy policy
    earns: `rollouts` plays it out over some frames.
    """
    from gridrl_envs.geometry import place

    world = mind.problem.gridworld
    title = f"{place(cell, world.level.columns)}: {words(world, cell, situation)}"
    visits = float(mind.visits[0, cell])
    here = _here(world, cell, situation)
    if here is None:
        return Facts(title, visits=None if cell not in world.level.floor else visits)
    q_values = values_at(mind.agent, world, here)[0, 0]
    true, name = _true(mind, here, truth, rollouts)
    obs = world.observe(here)
    found = mind.agent.return_distribution(np.broadcast_to(obs, (mind.agent.num_runs, *obs.shape)))
    returns, probability = (None, None) if found is None else (found.returns[0, 0], found.probability[0, 0])
    return Facts(
        title,
        q=q_values,
        truth=true,
        truth_name=name,
        visits=visits,
        returns=returns,
        probability=probability,
    )


def words(world: "GridworldVectorEnv", cell: int, situation: Situation) -> str:
    """Say what stands on a cell: "a coin"; "a patroller on a start"."""
    level = world.level
    if cell not in level.floor:
        return "a wall"
    lying = set(world.dynamics.item_cells[np.array(situation.items, dtype=bool)].tolist())
    kinds = (
        ("a coin", level.coins, lying),
        ("poison", level.poisons, lying),
        ("a goal", level.goals, level.goals),
        ("a pit", level.pits, level.pits),
        ("a start", level.starts, level.starts),
    )
    below = next((name for name, cells, there in kinds if cell in cells and cell in there), "")
    if cell in patrollers(world, situation):
        return f"a patroller on {below}" if below else "a patroller"
    return below or "floor"


def _here(world: "GridworldVectorEnv", cell: int, situation: Situation) -> "States | None":
    """Return the state [1] with the player on a cell; None on a wall, and where the episode is over."""
    everywhere = on_every_cell(world, situation)
    (row,) = np.nonzero(everywhere.cell == cell)
    here = everywhere._replace(cell=everywhere.cell[row], step=everywhere.step[row], items=everywhere.items[row])
    return None if not row.size or world.dynamics.is_over(here)[0] else here


def _true(mind: "Mind", here: "States", truth: Truth, rollouts: Rollouts) -> tuple[np.ndarray | None, str]:
    known = truth_of(mind, truth)
    if known is None:
        return None, "Q*: the level is being solved"
    if known.solution is not None:
        return known.solution.q_at(here)[0], "Q*"
    earned = rollouts.earned(mind, here)
    if earned is None:
        return None, "what its own policy earns: being played out"
    when = "" if earned.step == mind.step else f" as of step {earned.step}"
    return earned.q, f"what its own policy earns{when}"
