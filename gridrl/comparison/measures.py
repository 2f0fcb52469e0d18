"""Agents side by side: what their runs earn, how soon, at what cost, and how probably one beats another."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridrl.comparison.improvement import Improvement, probability_of_improvement
from gridrl.comparison.shares import Yardstick, first_reached, yardstick
from gridrl.errors import UserError
from gridrl.intervals import Summary, summarise
from gridrl.plots.series import Series, series
from gridrl.problem import Problem
from gridrl.run import Run
from gridrl.truth.bias import measure

if TYPE_CHECKING:
    import pandas

    from gridrl_agents.base import Agent

METRICS = ("greedy_return", "return")  # a comparison is by these
BIAS_STATES = ("start", "visited")


class Entry(NamedTuple):
    """One of those compared: the runs of a folder, under the name that table and figure call them by."""

    label: str
    run: Run


class Reached(NamedTuple):
    """How many runs came to the threshold, and how soon: medians over all runs, inf where half never did."""

    num_runs: int
    updates: float
    seconds: float


class Standing(NamedTuple):
    """What one entry came to, at the step of the comparison."""

    label: str
    agent: str
    num_runs: int
    greedy: Summary  # mean over runs of the greedy policy's return
    greedy_iqm: Summary  # their interquartile mean
    exploring: Summary  # the same of the return at epsilon .05
    exploring_iqm: Summary
    yardstick: Yardstick | None  # None: the best possible is unknown
    share: Summary | None  # of the best possible, mean over runs
    reached: Reached | None
    seconds: float  # of one run, from the start to the step of the comparison
    memory: float  # bytes of one run, at its own last step
    bias: dict[str, Summary]  # by the set of states; empty where it cannot be had


class Comparison(NamedTuple):
    """Entries beside each other."""

    problem: str  # in words
    step: int
    threshold: float  # a share of the best possible
    standings: tuple[Standing, ...]
    improvements: dict[tuple[str, str], Improvement]  # that a run of the first beats one of the second, greedy
    curves: "pandas.DataFrame"  # what was measured: agent (the label), run, update, step, metric, value
    notes: tuple[str, ...]  # what is missing, one sentence each


def problem_words(problem: Problem) -> str:
    """Return a problem as the options that ask for it, how it is observed left aside."""
    words = [problem.settings.env]
    for field in dataclasses.fields(problem.settings):
        value = getattr(problem.settings, field.name)
        if field.name not in ("env", "observation", "window_radius", "tile_size") and value != field.default:
            words.append(f"--{field.name.replace('_', '-')} {value}")
    return " ".join(words)


def same_problem(one: Problem, other: Problem) -> bool:
    """Say whether two problems are the same task, however each is observed."""
    if all(problem.is_gridworld and problem.settings.preprocess == "none" for problem in (one, other)):
        return one.level == other.level
    return problem_words(one) == problem_words(other)


def load(folders: Mapping[str, Path]) -> tuple[list[Entry], list[str]]:
    """Return the runs in `folders`, by label, that can be compared; and one sentence for each that is left out.

    Left out are runs without a checkpoint or an evaluation, and those of another problem than the first. Raises
    `UserError` where none remains.
    """
    entries: list[Entry] = []
    notes = []
    for label, folder in folders.items():
        try:
            run = Run.load(folder)
            run.final(METRICS[0])
        except UserError as error:
            notes.append(f"{label} is left out: {error}")
            continue
        if entries and not same_problem(entries[0].run.problem, run.problem):
            ours, theirs = problem_words(run.problem), problem_words(entries[0].run.problem)
            notes.append(f"{label} is left out: it learned {ours}, and {entries[0].label} {theirs}; compare it apart.")
            continue
        entries.append(Entry(label, run))
    if not entries:
        raise UserError(" ".join(notes))
    return entries, notes


def compare(
    entries: Sequence[Entry], threshold: float, rng: np.random.Generator, notes: Sequence[str] = ()
) -> Comparison:
    """Compare runs of one problem at the last step that all were evaluated at; `rng` draws the bootstraps."""
    import pandas

    notes = list(notes)
    for entry in entries:
        for failure in entry.run.failures:
            notes.append(f"A run of {entry.label} is left out: {failure.sentence}")
    curves = pandas.concat([_curves(entry) for entry in entries], ignore_index=True)
    steps = [set(series(curves, entry.label, METRICS[0]).steps.astype(int)) for entry in entries]
    step = max(set.intersection(*steps), default=None)
    if step is None:
        raise UserError("these runs were never evaluated at the same step; train them with the same --eval-period.")
    if any(entry.run.step != step for entry in entries):
        lengths = ", ".join(f"{entry.label} to step {entry.run.step}" for entry in entries)
        notes.append(f"Not all are trained as far ({lengths}): compared at step {step}, the last that all have.")
    for entry in entries:
        if len(entry.run.whole) == 1:
            notes.append(f"{entry.label} is one run: no interval can be had from less than two.")
    standings = tuple(_standing(entry, curves, step, threshold, rng, notes) for entry in entries)
    finals = {entry.label: at_step(curves, entry.label, METRICS[0], step) for entry in entries}
    improvements = {
        (ours, theirs): probability_of_improvement(finals[ours], finals[theirs], rng)
        for ours in finals
        for theirs in finals
        if ours != theirs
    }
    words = problem_words(entries[0].run.problem)
    return Comparison(words, step, threshold, standings, improvements, curves, tuple(notes))


def _curves(entry: Entry) -> "pandas.DataFrame":
    """Return what was measured of the runs that did not break."""
    table = entry.run.metrics
    return table[table["run"].isin(entry.run.whole)].assign(agent=entry.label)


def _standing(
    entry: Entry, curves: "pandas.DataFrame", step: int, threshold: float, rng: np.random.Generator, notes: list[str]
) -> Standing:
    label, run = entry
    greedy, exploring = (at_step(curves, label, metric, step) for metric in METRICS)
    stick = yardstick(run.problem.level, run.agent.gamma) if run.problem.is_gridworld else None
    share = reached = None
    if stick is not None:
        earned = series(curves, label, stick.metric)
        until = earned.steps <= step
        shares = Series(earned.steps[until], earned.values[:, until] / stick.best)
        share = summarise(shares.values[:, -1], rng)
        reached = _reached(run, shares, threshold)
    return Standing(
        label=label,
        agent=run.config.agent,
        num_runs=len(greedy),
        greedy=summarise(greedy, rng),
        greedy_iqm=summarise(greedy, rng, average="iqm"),
        exploring=summarise(exploring, rng),
        exploring_iqm=summarise(exploring, rng, average="iqm"),
        yardstick=stick,
        share=share,
        reached=reached,
        seconds=seconds_per_run(run, step),
        memory=memory_per_run(run.agent),
        bias=_bias(entry, step, rng, notes),
    )


def at_step(curves: "pandas.DataFrame", label: str, metric: str, step: int) -> np.ndarray:
    """Return a metric of each run of an entry at a step, [R]."""
    found = series(curves, label, metric)
    return found.values[:, found.steps == step][:, 0]


def memory_per_run(agent: "Agent") -> float:
    """Return the bytes of all that an agent keeps for a run to go on learning: the arrays of its state, over R.

    A table's rows and the observations they stand for; a network's weights twice (online, target), the optimizer's
    moments and the replay as far as it is filled.
    """
    return num_bytes(agent.state_dict()) / agent.num_runs


def num_bytes(state: Mapping[str, Any]) -> int:
    """Return the bytes of all arrays in nested mappings."""
    inner = (value for value in state.values() if isinstance(value, Mapping))
    return sum(value.nbytes for value in state.values() if isinstance(value, np.ndarray)) + sum(map(num_bytes, inner))


def _reached(run: Run, shares: Series, threshold: float) -> Reached:
    first = first_reached(shares.values, threshold)
    there = first < len(shares.steps)
    updates, seconds = np.full(len(first), np.inf), np.full(len(first), np.inf)  # never: later than all who did
    updates_at = run.metrics.groupby("step")["update"].first()
    for index in np.flatnonzero(there):
        step = int(shares.steps[first[index]])
        updates[index], seconds[index] = updates_at[step], seconds_per_run(run, step)
    return Reached(int(there.sum()), float(np.median(updates)), float(np.median(seconds)))


def seconds_per_run(run: Run, step: int) -> float:
    """Return the seconds of one run up to a step: those of the group that learned in lockstep, over R."""
    timing = run.folder.timing
    seconds = timing["seconds"][timing["step"] == step].to_numpy()
    return float(seconds[-1]) / len(run.config.seeds) if seconds.size else np.nan


def _bias(entry: Entry, step: int, rng: np.random.Generator, notes: list[str]) -> dict[str, Summary]:
    label, run = entry
    kept = run.snapshots
    last = max((kept_step for kept_step in kept if kept_step <= step), default=kept[-1])
    try:
        table = measure(run, steps=[last], states=BIAS_STATES)
    except UserError as error:
        notes.append(f"The bias of {label} is left out: {error}")
        return {}
    if last != step:
        notes.append(f"The bias of {label} is that of step {last}, its last snapshot by step {step}.")
    table = table[table["metric"] == "estimate_error"]
    return {
        str(name): summarise(rows.sort_values("run")["value"].to_numpy(), rng) for name, rows in table.groupby("states")
    }
