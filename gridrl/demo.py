"""The demo: a table and a network learn the same grid, and a network one that no table can hold."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridrl.film import caption, write_film
from gridrl.maps.figures import maps_beside_truth, value_map_of
from gridrl.parallel import Job
from gridrl.plots.curves import CurvePanel, TruthPanel, curves_figure
from gridrl.plots.style import save
from gridrl.problem import ProblemSettings
from gridrl.rollout import episode
from gridrl.run import Run
from gridrl.training import start
from gridrl.training_settings import TrainSettings
from gridrl.truth.solution import optimum, solve

if TYPE_CHECKING:
    import pandas

FILM_FPS = 10.0


class Learner(NamedTuple):
    """One row of the demo."""

    agent: str
    env: str
    steps: int
    settings: dict[str, float]


LEARNERS = (
    Learner("q-learning", "dense-small-v0", 40_000, {"epsilon_decay_steps": 20_000, "learning_rate": 0.5}),
    Learner("dqn", "dense-small-v0", 20_000, {"epsilon_decay_steps": 10_000}),
    Learner("dqn", "dense-v0", 20_000, {"epsilon_decay_steps": 10_000}),
)
ORDER = (2, 1, 0)  # in which they are begun: the longest first


class Result(NamedTuple):
    """What one learner came to, as means over its runs; those that broke are left out."""

    learner: Learner
    run: Run
    best: tuple[float, float]  # discounted return that is possible, as bounds
    greedy_return: np.ndarray  # [R]
    exploring_return: np.ndarray
    earned: np.ndarray  # discounted, greedy
    believed: np.ndarray  # max_a Q(start)


def prepare(folder: Path, seeds: int, scale: float) -> list[Job]:
    """Make the run folders; `scale` shortens the training."""
    jobs = []
    for learner in LEARNERS:
        settings = dict(learner.settings)
        settings["epsilon_decay_steps"] = max(1, round(settings["epsilon_decay_steps"] * scale))
        steps = max(100, round(learner.steps * scale))
        run_settings = TrainSettings(
            seeds=seeds, steps=steps, eval_period=max(50, steps // 20), checkpoint_period=steps
        )
        name = f"{learner.agent}-{learner.env}"
        training = start(
            learner.agent, ProblemSettings(env=learner.env), run_settings, settings, out=folder / "runs" / name
        )
        jobs.append(Job(f"{learner.agent} on {learner.env}", training.folder.path, steps))
    return jobs


def collect(jobs: Sequence[Job]) -> list[Result]:
    """Load what was trained, and set the truth beside it."""
    results = []
    for learner, job in zip(LEARNERS, jobs, strict=True):
        run = Run.load(job.folder)
        best = optimum(run.problem.level, run.agent.gamma)
        assert best is not None, "the demo's levels are known"
        metrics = ("greedy_return", "return", "greedy_discounted_return", "max_q_start")
        finals = [run.final(metric) for metric in metrics]
        results.append(Result(learner, run, best, *(values[~np.isnan(values)] for values in finals)))
    return results


def draw(results: Sequence[Result], folder: Path) -> list[Path]:
    """Draw all figures and the film; return the files written."""
    small, large = list(results[:2]), results[2]
    rng = np.random.default_rng(0)  # for the bootstrap of the bands
    written = []

    def keep(figure: object, name: str) -> None:
        save(figure, folder / name)  # type: ignore[arg-type]
        written.append(folder / name)

    small_level, large_level = small[0].run.problem.level, large.run.problem.level
    curves = [
        CurvePanel(
            f"{level.name}: greedy return", _table(group), "greedy_return", lines=[("all coins, no poison", most)]
        )
        for level, group, most in (
            (small_level, small, _most(small[0])),
            (large_level, [large], _most(large)),
        )
    ]
    keep(curves_figure(curves, rng=rng, title="Learning curves"), "learning-curves.png")
    panels = [
        TruthPanel(
            f"{result.learner.agent} on {result.run.problem.level.name}",
            _table([result]),
            result.learner.agent,
            truth=result.best[0] if result.best[0] == result.best[1] else result.best,
        )
        for result in results
    ]
    keep(curves_figure(panels, rng=rng, title="What is believed, what is earned, what is possible"), "max-q.png")
    solution = solve(small_level, small[0].run.agent.gamma)
    keep(maps_beside_truth([result.run for result in small], solution), "value-maps-dense-small.png")
    keep(value_map_of(large.run, [large.run.best]), "value-map-dense.png")
    written.append(film(large.run, folder / "best-policy.gif"))
    return written


def film(run: Run, path: Path) -> Path:
    """Write the best run's greedy episode as a film."""
    frames = episode(run, run.best, epsilon=0.0, key=0)
    pictures = (
        caption(frame.picture, f"{run.config.agent}, greedy   step {frame.step}   return {frame.earned:.0f}")
        for frame in frames
    )
    return write_film(pictures, path, FILM_FPS)


def _most(result: Result) -> float:
    """The undiscounted return of all coins and no poison."""
    level = result.run.problem.level
    return level.rewards.coin * len(level.coins)


def _table(results: Sequence[Result]) -> "pandas.DataFrame":
    import pandas

    return pandas.concat([result.run.metrics.assign(agent=result.learner.agent) for result in results])


def rows(results: Sequence[Result]) -> list[dict[str, str]]:
    """Return the summary as rows of text, one for each learner."""
    return [
        {
            "agent": result.learner.agent,
            "level": result.learner.env,
            "greedy return": _spread(result.greedy_return),
            "at epsilon .05": _spread(result.exploring_return),
            "max Q(start)": _spread(result.believed),
            "it earns": _spread(result.earned),
            "best possible": _bounds(result.best),
        }
        for result in results
    ]


def _spread(values: np.ndarray) -> str:
    mean = f"{values.mean():.0f}"
    return mean if len(values) == 1 else f"{mean} ({values.min():.0f} to {values.max():.0f})"


def _bounds(best: tuple[float, float]) -> str:
    return f"{best[0]:.0f}" if best[0] == best[1] else f"({best[0]:.0f} to {best[1]:.0f})"
