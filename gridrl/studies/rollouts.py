"""Rollouts: one agent plays after little, more and much learning, side by side in one animation."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gridrl.errors import UserError
from gridrl.evaluation import TUTORIAL_EPSILON
from gridrl.film import Frame, caption, side_by_side, write_film
from gridrl.make_run import make_run_folder
from gridrl.problem import ProblemSettings
from gridrl.rollout import episode
from gridrl.run import Run
from gridrl.run_folder import RunFolder
from gridrl.studies.judging import positive, summary
from gridrl.studies.study import Budget, Tables, Verdict
from gridrl.training_settings import TrainSettings
from gridrl_agents.registry import settings_class

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure
    from rich.console import Console

AGENT, ENV = "dqn", "dense-v0"
UPDATES: dict[Budget, tuple[int, int, int]] = {
    "smoke": (50, 200, 500),
    "short": (1_000, 5_000, 20_000),
    "full": (5_000, 40_000, 500_000),  # the tutorial's
}
NUM_SEEDS: dict[Budget, int] = {"smoke": 2, "short": 4, "full": 4}
METRICS = {"return": "return at epsilon .05", "greedy_return": "greedy return"}
FILM = "rollouts.gif"
FPS = 8.0
LINGER = 16  # frames that the end of the longest episode stays
SHRINK = 2  # so that three boards side by side fit a page
EPISODE_KEY = 0  # fixes the random actions, the same after each length


def measure(folder: Path, budget: Budget, num_seeds: int | None, console: "Console") -> Tables:
    """Train in three stretches, film an episode after each, and return what runs earn then: table `returns`.

    A run that is in `folder` already is gone on with.
    """
    import pandas

    updates = UPDATES[budget]
    steps = [number + settings_class(AGENT)().min_replay_size - 1 for number in updates]
    path = folder / "runs" / AGENT
    seeds = NUM_SEEDS[budget] if num_seeds is None else num_seeds
    _make(path, seeds, steps, f"gridrl study run rollouts --budget {budget}")
    for stop_at in steps:
        _train_to(path, stop_at, console)
    run = Run.load(path)
    rows = run.metrics[run.metrics["metric"].isin(METRICS) & run.metrics["step"].isin(steps)]
    returns = rows[["update", "run", "metric", "value"]].rename(columns={"update": "updates"})
    write_film(_film(run, budget), folder / FILM, FPS)
    return {"returns": pandas.DataFrame(returns)}


def _make(path: Path, seeds: int, steps: Sequence[int], command: str) -> None:
    if not (path / "config.toml").is_file():
        settings = TrainSettings(
            seeds=seeds, steps=steps[0], eval_period=max(steps[-1] // 10, 1), snapshot_period=steps[-1]
        )
        make_run_folder(AGENT, ProblemSettings(env=ENV), settings, {}, out=path, command=command, together=True)
    config = RunFolder.open(path).config
    if len(config.seeds) != seeds or config.snapshot_period != steps[-1]:
        raise UserError(f"{path} was made with another budget or --seeds; give the same, or another folder with --out.")


def _train_to(path: Path, steps: int, console: "Console") -> None:
    """Go on to `steps`, where what is believed is kept; nothing where the run is there already."""
    from gridrl.commands.progress import progress_bar
    from gridrl.interrupt import stop_on_signal
    from gridrl.training import Training

    folder = RunFolder.open(path)
    if folder.step >= steps:
        return
    folder.extend(steps)
    with progress_bar(console) as bar, stop_on_signal() as stop:
        training = Training.resume(path)
        task = bar.add_task(f"{AGENT} to step {steps}", total=steps, completed=training.step, note="")
        if not training.run(stop, lambda step, _: bar.update(task, completed=step)):
            console.print(f"Stopped; what was learned is saved. To go on: the same with --out {path.parents[1]}")
            raise KeyboardInterrupt


def _film(run: Run, budget: Budget) -> Iterator[Frame]:
    """Yield pictures of one run's episodes, begun together; one that has ended waits for the others."""
    updates, steps = UPDATES[budget], [step for step in run.snapshots if step]
    shown = int(np.argsort(run.final("greedy_return"), kind="stable")[len(run.config.seeds) // 2])
    boards = [_episode(run, shown, step, number) for step, number in zip(steps, updates, strict=True)]
    words = captions(budget, run.config.seeds[shown], len(run.config.seeds))
    longest = max(map(len, boards))
    for moment in range(longest + LINGER):
        yield caption(side_by_side([board[min(moment, len(board) - 1)] for board in boards]), words, size=16)


def _episode(run: Run, index: int, step: int, updates: int) -> list[Frame]:
    with run.looking_at(step):
        return [
            caption(
                frame.picture[::SHRINK, ::SHRINK],
                f"after {spaced(updates)} updates\nstep {frame.step}   return {frame.earned:.0f}",
                size=16,
            )
            for frame in episode(run, index, epsilon=TUTORIAL_EPSILON, key=EPISODE_KEY)
        ]


def captions(budget: Budget, seed: int, num_seeds: int) -> str:
    """Return what stands under the film: who plays, and where the budget shows less than the tutorial's updates."""
    which = f"seed {seed}" + (f", the middle one of {num_seeds} by greedy return" if num_seeds > 2 else "")
    words = f"{AGENT} on {ENV}, {which}, playing at epsilon .05"
    if budget == "full":
        return f"{words}\n "
    wanted = ", ".join(map(spaced, UPDATES["full"]))
    return f"{words}\nbudget {budget}: fewer updates than the study's {wanted} (--budget full)"


def spaced(number: int) -> str:
    """Return a count with a space between thousands."""
    return f"{number:,}".replace(",", " ")


def _by_run(returns: "pandas.DataFrame", metric: str) -> "pandas.DataFrame":
    """Return a metric, runs (rows) by updates (columns, in their order)."""
    return returns[returns["metric"] == metric].pivot(index="run", columns="updates", values="value")


def judge(tables: Tables) -> Verdict:
    """Say whether runs earn more after the longest stretch than after the shortest, each beside itself."""
    findings = []
    for metric, words in METRICS.items():
        values = _by_run(tables["returns"], metric)
        first, *_, last = values.columns.astype(int).tolist()
        gain = (values[last] - values[first]).to_numpy()
        findings.append(positive(f"{words}: the gain from {spaced(first)} to {spaced(last)} updates", gain))
    return Verdict(tuple(findings))


def draw(tables: Tables) -> "Figure":
    """Draw what runs earn over the updates."""
    from gridrl.plots.curves import curves_figure
    from gridrl.plots.lines import LinesPanel, spare_line

    lines = []
    for number, (metric, words) in enumerate(METRICS.items()):
        values = _by_run(tables["returns"], metric)
        lines.append(spare_line(number, words, values.columns, summary(values.to_numpy())))
    ticks = values.columns.astype(int).tolist()
    panel = LinesPanel("The same agent", "updates", "return", lines, ticks=ticks, doubling=True)
    return curves_figure([panel], rng=np.random.default_rng(0), title="What learning longer is worth", note=HOW_TO_READ)


HOW_TO_READ = (
    f"How to read: means over n runs (seeds), bands 95 % bootstrap intervals. {FILM} shows one of the runs play after "
    "each of these numbers of updates."
)
