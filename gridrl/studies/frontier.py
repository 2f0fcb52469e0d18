"""The frontier: tables and networks on dense-v0 as the number of its coins grows from 1 to 41."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridrl.comparison.contestants import prepare_runs
from gridrl.comparison.improvement import probability_of_improvement
from gridrl.comparison.measures import memory_per_run, num_bytes, seconds_per_run
from gridrl.comparison.tables import number, size, with_interval
from gridrl.intervals import summarise
from gridrl.parallel import Job, train_all
from gridrl.problem import ProblemSettings
from gridrl.run import Run
from gridrl.studies.detour import DETOUR_STEPS, share_after_detour, unseen_share
from gridrl.studies.study import Budget, Finding, Tables, Verdict
from gridrl.training_settings import TrainSettings

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure
    from rich.console import Console

ENV = "dense-v0"
TABLE = "q-learning"
# A plain network, the strongest of docs/agents that sees as much, and the strongest of all, which sees less.
NETWORKS = ("dqn", "dueling-dqn", "drqn")
# The table sees planes, too, and grows: one with a row for every state is out of the question from five coins on.
OBSERVATION = {TABLE: "planes", "dqn": "planes", "dueling-dqn": "planes", "drqn": "window"}
BYTES_OF_ROW = 4 * 8  # four actions in float64
MOST_MEMORY = 1e12  # bytes, more than any machine has that this runs on
EARNED = {
    "share": "on its path, greedy from the start",
    "share_exploring": "a little off it, at epsilon .05",
    "share_after_detour": f"off it, greedy after {DETOUR_STEPS} random steps, of the coins left",
}
BOOTSTRAP_SEED = 0


class Size(NamedTuple):
    """How much a budget pays for."""

    coins: tuple[int, ...]
    steps: int
    num_seeds: int


SIZES: dict[Budget, Size] = {
    "smoke": Size((1, 4), 1_200, 2),
    "short": Size((1, 2, 4, 8, 16, 28, 41), 20_000, 4),
    "full": Size((1, 2, 3, 4, 6, 8, 12, 16, 28, 41), 80_000, 5),
}


def measure(folder: Path, budget: Budget, num_seeds: int | None, console: "Console") -> Tables:
    """Train all agents at all numbers of coins, and measure them: table `frontier`, and `levels` of what is known.

    Runs that are in `folder` already are gone on with, and finished ones left alone.
    """
    import pandas

    coins, steps, seeds = SIZES[budget]
    seeds = num_seeds or seeds
    settings = TrainSettings(
        seeds=seeds, steps=steps, eval_period=max(steps // 8, 1), checkpoint_period=steps, snapshot_period=steps
    )
    folders = {(agent, k): folder / "runs" / f"{agent}-{k}" for k in coins for agent in (TABLE, *NETWORKS)}
    runs = []
    for (agent, k), path in folders.items():
        problem = ProblemSettings(env=ENV, coins=k, observation=OBSERVATION[agent])  # type: ignore[arg-type]
        runs.append((agent, path, problem))
    _train(prepare_runs(runs, settings, f"gridrl study run frontier --budget {budget}"), folder, console)
    rows = [row for (agent, k), path in folders.items() for row in _rows(Run.load(path), agent, k)]
    frontier = pandas.DataFrame(rows, columns=["coins", "agent", "run", "metric", "value"])
    levels = pandas.DataFrame([(k, _num_states(k)) for k in coins], columns=["coins", "states"])
    return {"frontier": frontier, "levels": levels}


def _train(jobs: Sequence[Job], folder: Path, console: "Console") -> None:
    from gridrl.commands.progress import progress_bar

    if not jobs:
        return
    with progress_bar(console) as bar:
        task = bar.add_task(f"{len(jobs)} trainings", total=sum(job.steps for job in jobs), note="")
        reached = [0] * len(jobs)
        try:
            for report in train_all(jobs):
                reached[report.job] = report.step
                bar.update(task, completed=sum(reached), note=f"{jobs[report.job].folder.name}")
        except KeyboardInterrupt:
            bar.stop()
            console.print(f"Stopped; what was learned is saved. To go on: the same command with --out {folder}")
            raise


def _rows(run: Run, agent: str, coins: int) -> list[tuple[int, str, int, str, float]]:
    most = run.problem.level.rewards.coin * coins  # is possible: see gridrl.comparison.shares
    seeds, whole = run.config.seeds, run.whole
    everyone = np.ones(len(seeds))
    found = {
        "share": run.final("greedy_return") / most,
        "share_exploring": run.final("return") / most,
        "share_after_detour": share_after_detour(run),
        "seconds": seconds_per_run(run, run.step) * everyone,
        "memory": memory_per_run(run.agent) * everyone,
    }
    if agent == TABLE:
        found["states"], found["unseen"] = run.final("states"), unseen_share(run)
    else:
        found["weights"] = num_bytes(run.agent.values_dict()) / len(seeds) * everyone
    return [
        (coins, agent, seed, metric, float(values[place]))
        for metric, values in found.items()
        for place, seed in enumerate(seeds)
        if seed in whole
    ]


def _num_states(coins: int) -> float:
    from gridrl_envs.dynamics import Dynamics
    from gridrl_envs.level import Level

    dynamics = Dynamics(Level.load("dense").keep_coins(coins))
    return len(dynamics.level.floor) * dynamics.num_phases * 2.0**dynamics.num_items


def judge(tables: Tables) -> Verdict:
    """Say where the table drowns: beside networks on its path and off it, by what it never met, by memory and time."""
    frontier = tables["frontier"]
    return Verdict(
        (
            _full_table(tables["levels"]),
            *(_beside_networks(frontier, where, metric) for metric, where in EARNED.items()),
            _beside_networks(frontier, "gained or lost by the detour", "share_after_detour", "share"),
            _never_met(frontier),
            _cost(frontier),
        )
    )


def _values(frontier: "pandas.DataFrame", coins: int, agent: str, metric: str) -> np.ndarray:
    """Return a metric of each run, [R]."""
    rows = frontier[(frontier["coins"] == coins) & (frontier["agent"] == agent) & (frontier["metric"] == metric)]
    return rows.sort_values("run")["value"].to_numpy()


def _ends(frontier: "pandas.DataFrame") -> tuple[int, int]:
    return int(frontier["coins"].min()), int(frontier["coins"].max())


def _beside_networks(frontier: "pandas.DataFrame", where: str, metric: str, less: str | None = None) -> Finding:
    """Say whether a network is surely better than the table with the most coins, in `metric` (less another one).

    It holds where one of them is, and does not where all are surely worse.
    """
    rng, most = np.random.default_rng(BOOTSTRAP_SEED), _ends(frontier)[1]

    def values(agent: str) -> np.ndarray:
        return _values(frontier, most, agent, metric) - (_values(frontier, most, agent, less) if less else 0.0)

    words, sure = [f"{TABLE} {with_interval(summarise(values(TABLE), rng))}"], []
    for network in NETWORKS:
        chance = probability_of_improvement(values(network), values(TABLE), rng)
        beats = f"better with probability {chance.probability:.2f}, p = {chance.p_value:.2f}"
        words.append(f"{network} {with_interval(summarise(values(network), rng))} ({beats})")
        sure += [chance.probability > 0.5] if chance.is_sure else []
    holds = True if any(sure) else False if len(sure) == len(NETWORKS) else None
    return Finding(holds, f"share of {most} coins, {where}: {', '.join(words)}.")


def _never_met(frontier: "pandas.DataFrame") -> Finding:
    rng, ends = np.random.default_rng(BOOTSTRAP_SEED), _ends(frontier)
    fewest, most = (_values(frontier, coins, TABLE, "unseen") for coins in ends)
    grown = probability_of_improvement(most, fewest, rng)
    return Finding(
        grown.probability > 0.5 if grown.is_sure else None,
        f"moments at epsilon .05 that the table has no row for: {with_interval(summarise(fewest, rng))} of all with "
        f"{_coins(ends[0])}, {with_interval(summarise(most, rng))} with {_coins(ends[1])}.",
    )


def _full_table(levels: "pandas.DataFrame") -> Finding:
    words = [
        f"{size(states * BYTES_OF_ROW) if states < 1e12 else f'{states * BYTES_OF_ROW:.0e} bytes'} with {_coins(coins)}"
        for coins, states in zip(levels["coins"], levels["states"], strict=True)
    ]
    too_large = float(levels["states"].max()) * BYTES_OF_ROW > MOST_MEMORY
    return Finding(too_large or None, f"a table with a row for every state takes {', '.join(words)}.")


def _coins(number: int) -> str:
    return f"{number} coin{'s' * (number != 1)}"


def _cost(frontier: "pandas.DataFrame") -> Finding:
    ends = _ends(frontier)

    def means(agent: str, metric: str, text: Callable[[float], str]) -> str:
        return " to ".join(text(_values(frontier, coins, agent, metric).mean()) for coins in ends)

    parts = [
        f"{agent} keeps {means(agent, 'memory', size)} and takes {means(agent, 'seconds', number)} s"
        for agent in (TABLE, *NETWORKS)
    ]
    weights = {agent: _values(frontier, ends[1], agent, "weights").mean() for agent in NETWORKS}
    grown = _values(frontier, ends[1], TABLE, "memory").mean()
    return Finding(
        bool(grown > max(weights.values())),
        f"from {ends[0]} to {ends[1]} coins a run of {', of '.join(parts)}; to act alone, a network needs "
        f"its weights alone ({', '.join(f'{agent} {size(taken)}' for agent, taken in weights.items())}).",
    )


def draw(tables: Tables) -> "Figure":
    """Return the figure: what is earned on the path and off it, what was never met, memory and time, over the coins."""
    from gridrl.plots.frontier import frontier_figure

    return frontier_figure(tables["frontier"], tables["levels"], BYTES_OF_ROW)
