"""Figures of runs: from run folders to what `gridrl.plots` draws."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gridrl.beliefs import belief, on_grid, start_situation
from gridrl.plots.value_map import ValuePanel, difference_panel, value_map_figure
from gridrl.training import Run
from gridrl.truth import Solution

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def value_map_of(run: Run, shown: Sequence[int]) -> "Figure":
    """Return the value maps of the runs number `shown`, on one scale."""
    world = run.problem.gridworld
    beliefs = belief(run.agent, world)
    panels = [
        ValuePanel(f"{run.config.agent}, seed {run.config.seeds[index]}", beliefs[index].values, beliefs[index].greedy)
        for index in shown
    ]
    title = f"What {run.config.agent} believes on {world.level.name} after {run.step} steps"
    return value_map_figure(panels, world.level, title=title, unit=f"discounted return, gamma {run.agent.gamma:g}")


def true_panel(run: Run, solution: Solution) -> ValuePanel:
    """Return the optimal values of a run's level, in the situation that `value_map_of` draws."""
    world = run.problem.gridworld
    return ValuePanel("the truth: V*", *on_grid(world, solution.q_at(start_situation(world))))


def maps_beside_truth(runs: Sequence[Run], solution: Solution) -> "Figure":
    """Return the best run's value map of each agent beside the true one, and below it how far each is off."""
    truth = true_panel(runs[0], solution)
    panels: list[ValuePanel | None] = [truth]
    for run in runs:
        found = belief(run.agent, run.problem.gridworld)[run.best]
        panels.append(ValuePanel(f"{run.config.agent} (seed {run.config.seeds[run.best]})", found.values, found.greedy))
    panels.append(None)  # so that each difference stands below its agent
    panels += [difference_panel(f"{panel.title} \N{MINUS SIGN} V*", panel, truth) for panel in panels[1:-1] if panel]
    level = runs[0].problem.level
    title = f"Value maps of {level.name}: the truth, what was learned, and the difference"
    return value_map_figure(
        panels, level, title=title, unit=f"discounted return, gamma {runs[0].agent.gamma:g}", columns=len(runs) + 1
    )
