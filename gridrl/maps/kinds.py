"""The kinds of maps: what each shows of a scene. Arrays come from the modules named in each, pictures from `plots`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridrl.film import write_film
from gridrl.maps.beliefs import belief, greedy_of, q_grid, spread
from gridrl.maps.distributions import distribution
from gridrl.maps.film_strip import film_frames, film_strip
from gridrl.maps.scene import Scene, Shown
from gridrl.maps.td_errors import td_errors
from gridrl.maps.value_errors import error_to_optimum, error_to_policy
from gridrl.maps.visits import EPSILON, NUM_EPISODES, visits
from gridrl.plots.scales import scale_from_zero, scale_of_counts
from gridrl.plots.style import save
from gridrl.plots.triangles import HOW_TO_READ_TRIANGLES, TrianglesPanel
from gridrl.plots.value_map import HOW_TO_READ, ValuePanel
from gridrl.run import Run
from gridrl.run_folder import writing
from gridrl.truth.known import known

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gridrl.truth.returns import Returns

FILM_ENDINGS = (".gif", ".mp4")
FILM_FPS = 2.0
MINUS, PI = "\N{MINUS SIGN}", "\N{GREEK SMALL LETTER PI}"
HOW_TO_READ_SIGNED = (
    f"How to read: blue (+): {{high}}; orange ({MINUS}): {{low}}; white: {{even}}. Arrows are the best actions in the "
    "agent's eyes."
)
HOW_TO_READ_VISITS = (
    "How to read: colour (and number) are the moments that an episode spends on a cell, on average over {} episodes "
    "with epsilon {:g}, each from its own start; hatched: never there."
)
HOW_TO_READ_SPREAD = (
    "How to read: colour (and number) tell how much the seeds disagree about a cell: the standard deviation over them "
    "of max Q; light: they agree, if only since none has been there."
)


class Kind(NamedTuple):
    """One kind of map."""

    draw: Callable[[Scene], "Figure"]
    stem: str  # of its file's name


def value(scene: Scene) -> "Figure":
    """Draw max_a Q and the greedy actions (`gridrl.maps.beliefs`)."""
    beliefs = scene.each(lambda run: belief(run.agent, run.problem.gridworld, scene.situation))
    panels = [ValuePanel(title, *found) for title, found in zip(scene.titles, beliefs, strict=True)]
    verb = "believes" if len(scene.agents) == 1 else "believe"
    return scene.figure(panels, f"What {scene.who} {verb} {scene.when}", HOW_TO_READ)


def action_values(scene: Scene) -> "Figure":
    """Draw Q of every action (`gridrl.maps.beliefs`)."""
    grids = scene.each(lambda run: q_grid(run.agent, run.problem.gridworld, scene.situation))
    panels = [TrianglesPanel(title, grid) for title, grid in zip(scene.titles, grids, strict=True)]
    return scene.figure(panels, f"Q of each action: {scene.who} {scene.when}", HOW_TO_READ_TRIANGLES)


def difference(scene: Scene) -> "Figure":
    """Draw max_a Q less V* where the level can be solved, else less what the agent's own policy earns.

    (`gridrl.value_errors`.)
    """
    level, reports = scene.world.level, {}

    def errors(run: Run) -> np.ndarray:
        solution = known(level, run.agent.gamma).solution
        if solution is not None:
            return error_to_optimum(run.agent, run.problem.gridworld, scene.situation, solution)
        found, reports[id(run)] = error_to_policy(run.agent, run.problem.gridworld, scene.situation)
        return found

    panels = _signed_panels(scene, scene.each(errors))
    truth, so = (f"V{PI}", "its own greedy policy earns") if reports else ("V*", "the best policy earns")
    note = HOW_TO_READ_SIGNED.format(high=f"the agent expects more than {so}", low="less", even="just that")
    if reports:
        note += f" The level cannot be solved: V{PI} is found by playing{_doubt(list(reports.values()))}."
    return scene.figure(
        panels,
        f"max Q {MINUS} {truth}: {scene.who} {scene.when}",
        note,
        difference_unit=f"max Q {MINUS} {truth} ({scene.unit})",
    )


def td_error(scene: Scene) -> "Figure":
    """Draw the TD error of the greedy action (`gridrl.td_errors`)."""
    errors = scene.each(lambda run: td_errors(run.agent, run.problem.gridworld, scene.situation))
    note = HOW_TO_READ_SIGNED.format(
        high="one step on, more is expected than in the cell", low="less", even="the two agree"
    )
    return scene.figure(
        _signed_panels(scene, errors),
        f"TD error of the best action: {scene.who} {scene.when}",
        note,
        difference_unit=f"r + gamma max Q(s') {MINUS} Q(s, a)",
    )


def visit_counts(scene: Scene) -> "Figure":
    """Draw where the agent's policy spends its time (`gridrl.visits`), whatever the situation."""
    whole = Scene.of(scene.shown)
    counts = [np.where(count > 0, count, np.nan) for count in whole.each(visits)]
    panels = [ValuePanel(title, count, own_digits=True) for title, count in zip(whole.titles, counts, strict=True)]
    return whole.figure(
        panels,
        f"Time spent by {whole.who} {whole.when}",
        HOW_TO_READ_VISITS.format(NUM_EPISODES, EPSILON),
        unit="moments per episode",
        norm=scale_of_counts(counts),
        blank="never there",
    )


def uncertainty(scene: Scene) -> "Figure":
    """Draw the standard deviation of max_a Q over the seeds of each run folder that has two (`gridrl.maps.beliefs`)."""
    several = [run for run in scene.runs if run.agent.num_runs > 1] or scene.runs
    grids = [spread(run.agent, run.problem.gridworld, scene.situation) for run in several]
    reduced = Scene(tuple(Shown(run, 0) for run in several), scene.situation, scene.cell)
    titles = [
        title.replace(f"seed {run.config.seeds[0]}", f"{run.agent.num_runs} seeds")
        for title, run in zip(reduced.titles, several, strict=True)
    ]
    panels = [ValuePanel(title, grid) for title, grid in zip(titles, grids, strict=True)]
    alone = ", ".join(name for name, (run, _) in zip(scene.names, scene.shown, strict=True) if run not in several)
    return reduced.figure(
        panels,
        f"How far the seeds of {reduced.who} disagree {reduced.when}",
        HOW_TO_READ_SPREAD + (f" Left out, having one seed: {alone}." if alone else ""),
        unit=f"standard deviation of max Q ({reduced.unit})",
        norm=scale_from_zero(grids),
    )


# In the order in which they are drawn one after the other.
KINDS = {
    "value": Kind(value, "value-map"),
    "q": Kind(action_values, "q-map"),
    "difference": Kind(difference, "difference-map"),
    "td-error": Kind(td_error, "td-error-map"),
    "visits": Kind(visit_counts, "visits-map"),
    "uncertainty": Kind(uncertainty, "uncertainty-map"),
    "distribution": Kind(distribution, "return-distribution"),
    "film": Kind(film_strip, "value-film"),
}


def write(scene: Scene, name: str, path: Path) -> None:
    """Draw the kind called `name` to `path`; a film ending in .gif or .mp4 becomes one, all else is a figure.

    Raises `UserError` for what cannot be shown or written.
    """
    with writing(path):
        if name == "film" and path.suffix.lower() in FILM_ENDINGS:
            write_film(film_frames(scene), path, FILM_FPS)
        else:
            save(KINDS[name].draw(scene), path)


def _signed_panels(scene: Scene, errors: Sequence[np.ndarray]) -> list[ValuePanel]:
    greedy = scene.each(lambda run: greedy_of(q_grid(run.agent, run.problem.gridworld, scene.situation)))
    return [
        ValuePanel(title, error, actions, signed=True)
        for title, error, actions in zip(scene.titles, errors, greedy, strict=True)
    ]


def _doubt(reports: "Sequence[Returns]") -> str:
    """Say how exact rollouts are: "" where they are."""
    parts = []
    for name, words in (
        ("std_error", "standard error at most {:.2g}"),
        ("tail_bound", "beyond its horizon at most {:.2g}"),
    ):
        most = max(float(np.nan_to_num(getattr(report, name)).max()) for report in reports)
        parts += [words.format(most)] if most > 0 else []
    return f" ({', '.join(parts)})" if parts else ", exactly"
