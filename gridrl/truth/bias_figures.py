"""The figures of `gridrl bias`: over training, on the grid, and split into estimate's error and policy's loss."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gridrl.maps.beliefs import on_grid, start_situation, values_at
from gridrl.plots.bias import HOW_TO_READ_MAPS, Summaries, bias_figure, finite, split_figure
from gridrl.plots.style import save
from gridrl.plots.value_map import ValuePanel, difference_panel, value_map_figure
from gridrl.run import Run
from gridrl.truth.bias import Group
from gridrl.truth.known import known
from gridrl.truth.returns import rollout_returns
from gridrl.truth.state_samples import joined

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


def draw(
    group: Group,
    table: "pandas.DataFrame",
    summaries: Summaries,
    folder: Path,
    suffix: str,
    rng: np.random.Generator,
) -> list[Path]:
    """Write the figures of a group into `folder`, their names ending in `suffix`, and return their paths.

    Where nothing is finite, the curves over training are left out.
    """
    where = f"{group.level.name}, gamma {group.gamma:g}"
    why_no_loss = "" if known(group.level, group.gamma).solution else "not known: this level cannot be solved"
    figures = {
        "bias-map": bias_maps(group),
        "bias-split": split_figure(
            summaries, title=f"Error of the estimate, loss of the policy: {where}", why_no_loss=why_no_loss
        ),
    }
    shown = finite(table)
    if not shown.empty:
        figures = {"bias": bias_figure(shown, rng=rng, title=f"What is believed and what is so: {where}")} | figures
    return [save(figure, folder / f"{name}{suffix}.png") for name, figure in figures.items()]


def bias_maps(group: Group) -> "Figure":
    """Draw for each agent max Q, the true value and their difference, as an episode begins, on one scale.

    Shown is each agent's best run at its last snapshot.
    """
    level, is_alone = group.level, len(group.runs) == 1
    return value_map_figure(
        [panel for label, run in group.runs.items() for panel in _panels(label, run)],
        level,
        title=f"What is believed, what is so, and the difference: {level.name}, gamma {group.gamma:g}",
        note=HOW_TO_READ_MAPS,
        unit="return",
        columns=3 if not is_alone else 1 if level.columns > 1.5 * level.rows else 2,
    )


def _panels(label: str, run: Run) -> list[ValuePanel]:
    world, agent, best = run.problem.gridworld, run.agent, run.best
    states = start_situation(world)
    with run.looking_at(run.snapshots[-1]):
        q_values = values_at(agent, world, states)[best]
        worth = rollout_returns(agent, world, joined([states] * agent.num_runs), key=run.step).value[best]
    worth[np.isinf(worth)] = np.nan  # drawn as no value
    found, truth = on_grid(world, q_values), on_grid(world, worth[:, None])
    believed = ValuePanel(f"max Q: {label} (seed {agent.seeds[best]})", found.values, found.greedy)
    earned = ValuePanel(f"true value: {label}", truth.values, found.greedy)
    return [believed, earned, difference_panel(f"difference: {label}", believed, earned)]
