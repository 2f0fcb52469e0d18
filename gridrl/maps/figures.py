"""Figures of runs: from run folders to what `gridrl.plots` draws."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gridrl.maps import kinds
from gridrl.maps.beliefs import belief, on_grid, start_situation
from gridrl.maps.scene import Scene, Shown
from gridrl.plots.value_map import HOW_TO_READ, ValuePanel, difference_panel, value_map_figure
from gridrl.run import Run
from gridrl.truth.solution import Solution, optimal

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def value_map_of(run: Run, shown: Sequence[int]) -> "Figure":
    """Return the value maps of the runs number `shown`, on one scale."""
    return kinds.value(Scene.of([Shown(run, index) for index in shown]))


def true_panel(run: Run, solution: Solution) -> ValuePanel:
    """Return the optimal values of a run's level, in the situation that `value_map_of` draws."""
    world = run.problem.gridworld
    return ValuePanel("the truth: V*", *on_grid(world, solution.q_at(start_situation(world))))


def solution_map(solution: Solution) -> "Figure":
    """Return the map of V* and of all optimal actions, as an episode begins."""
    from gridrl_envs.vector import GridworldVectorEnv

    level = solution.level
    world = GridworldVectorEnv(1, level=level)
    q_values = solution.q_at(start_situation(world))
    values = on_grid(world, q_values).values
    greedy = on_grid(world, optimal(q_values).astype(float)).greedy  # equal but for the solver's error
    title = f"What is so on {level.name}: the optimal values V*, as an episode begins"
    unit = f"discounted return, gamma {solution.gamma:g}"
    note = f"{HOW_TO_READ} What lies on the player's own cell counts as collected."
    return value_map_figure([ValuePanel("V*", values, greedy)], level, title=title, note=note, unit=unit)


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
