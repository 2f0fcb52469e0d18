"""The distributions of the return from one cell, as agents believe in them, beside what is so."""

from typing import TYPE_CHECKING

import numpy as np

from gridrl.errors import UserError
from gridrl.maps.scene import Scene
from gridrl.maps.situations import on_every_cell
from gridrl.plots.distributions import ReturnPanel, distributions_figure
from gridrl.run import Run
from gridrl.truth.known import known

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gridrl_envs.dynamics import States


def return_panels(run: Run, here: "States") -> list[ReturnPanel]:
    """Return what each run of a folder believes of the return from a state [1], with Q^pi and, where known, Q*.

    Empty for agents that learn a mean alone.
    """
    from gridrl.truth.returns import action_returns

    world = run.problem.gridworld
    obs = world.observe(here)
    found = run.agent.return_distribution(np.broadcast_to(obs, (run.agent.num_runs, *obs.shape)))
    if found is None:
        return []
    earned = action_returns(run.agent, world, here).value[:, 0]
    solution = known(world.level, run.agent.gamma).solution
    best = None if solution is None else solution.q_at(here)[0]
    return [
        ReturnPanel("", returns, probability, true, best)
        for returns, probability, true in zip(found.returns[:, 0], found.probability[:, 0], earned, strict=True)
    ]


def distribution(scene: Scene) -> "Figure":
    """Draw the distributions of the return from the scene's cell beside its true values.

    Raises `UserError` where the episode is over there, and where no run has learned a distribution.
    """
    from gridrl_envs.geometry import place

    where = place(scene.cell, scene.world.level.columns)
    everywhere = on_every_cell(scene.world, scene.situation)
    here = type(everywhere)(*(array[everywhere.cell == scene.cell] for array in everywhere))
    if scene.world.dynamics.is_over(here).any():
        raise UserError(f"on {where} the episode is over, so that no return follows; give another --cell.")
    by_run = {id(run): return_panels(run, here) for run in scene.runs}
    without = " and ".join(dict.fromkeys(run.config.agent for run in scene.runs if not by_run[id(run)]))
    reduced = Scene(tuple(each for each in scene.shown if by_run[id(each.run)]), scene.situation, scene.cell)
    if not reduced.shown:
        verb = "learn" if " and " in without else "learns"
        raise UserError(f"{without} {verb} a mean and no distribution; train c51, qr-dqn or rainbow for that.")
    panels = [
        by_run[id(run)][which]._replace(title=title)
        for title, (run, which) in zip(reduced.titles, reduced.shown, strict=True)
    ]
    return distributions_figure(
        panels,
        title=f"Return from {where}: {reduced.who} {reduced.when}",
        unit=reduced.unit,
        note=f"Left out, for want of a distribution: {without}." if without else "",
    )
