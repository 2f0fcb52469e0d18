"""Overestimation, measured: what a run believes beside what its own policy earns and, where known, what is possible."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridrl.errors import UserError, unknown
from gridrl.intervals import Summary, summarise
from gridrl.run import Run
from gridrl.truth.known import known
from gridrl.truth.returns import rollout_returns
from gridrl.truth.state_samples import (
    STATE_SETS,
    joined,
    random_states,
    side_by_side,
    start_states,
    visited_states,
)

if TYPE_CHECKING:
    import pandas

    from gridrl_envs.dynamics import States
    from gridrl_envs.level import Level
    from gridrl_envs.vector import GridworldVectorEnv

COLUMNS = ("agent", "run", "step", "states", "metric", "value")
NUM_ROLLOUTS = 8  # from each state whose value is left to chance: a mean over many states needs no more of each
COPIES = {"start": 16}  # of each state of a set that is small: as many times more rollouts where chance has a part
Rows = list[tuple[str, int, int, str, str, float]]


class Group(NamedTuple):
    """Runs of one level and one gamma, whose values can be compared."""

    level: "Level"
    gamma: float
    runs: dict[str, Run]  # by label: the agent's name, or where that is not enough the folder's


def measure(
    run: Run,
    *,
    steps: Sequence[int] | None = None,
    states: Iterable[str] = tuple(STATE_SETS),
    on_step: Callable[[], None] | None = None,
) -> "pandas.DataFrame":
    """Return what a run believed and what was so, tidy: columns agent, run (its seed), step, states, metric, value.

    Measured are the `steps` (default: all snapshots) over the sets of `states`, by their names in `STATE_SETS`; a value
    is the mean over a set. Runs that broke are left out. `on_step` is called after each step. In the end the agent is
    what it was.

    * `believed`: max_a Q(s, a)
    * `policy_value`: V^pi(s), the discounted return of the run's own greedy policy from s on, without a step limit
    * `estimate_error`: believed - policy_value
    * `optimal_value`: V*(s), where the level can be solved
    * `policy_loss`: policy_value - optimal_value, at most 0 (but for the standard error)
    * `optimum_low`, `optimum_high`: bounds of V* at the start, where no more is known
    * `num_states`, and `share_exact`, the share of them whose policy_value is exact
    * `std_error` of the mean policy_value, and `tail_bound`: at most this lies beyond the horizon of the rollouts

    Raises `UserError` for another environment than our gridworlds, an unknown set, a path asked for alone that is not
    known, and a step that was not kept.
    """
    import pandas

    names = list(states)
    for name in names:
        if name not in STATE_SETS:
            raise unknown("set of states", name, STATE_SETS)
    world = run.problem.gridworld
    fixed = _fixed_states(run, names)
    if names == ["optimal-path"] and not fixed:
        raise UserError(
            f"no good path is known on {world.level.name} at gamma {run.agent.gamma:g}; measure other states."
        )
    rows: Rows = []
    for step in run.snapshots if steps is None else steps:
        with run.looking_at(step):
            rows += _measure_now(run, world, names, fixed)
        if on_step:
            on_step()
    table = pandas.DataFrame(rows, columns=list(COLUMNS))
    return table[table["run"].isin(run.whole)].reset_index(drop=True)


def grouped(runs: Sequence[Run]) -> list[Group]:
    """Return the runs by level and gamma, in their order; no two of all runs have the same label."""
    groups: dict[tuple[Level, float], Group] = {}
    for label, run in zip(_labels(runs), runs, strict=True):
        kind = run.problem.level, run.agent.gamma
        groups.setdefault(kind, Group(*kind, {})).runs[label] = run
    return list(groups.values())


def at_the_end(table: "pandas.DataFrame") -> "pandas.DataFrame":
    """Return the rows of each agent's last step."""
    return table[table["step"] == table.groupby("agent")["step"].transform("max")]


def final_summaries(table: "pandas.DataFrame", rng: np.random.Generator) -> dict[tuple[str, str, str], Summary]:
    """Return each metric at the end of training as a summary over runs, by agent, set of states and metric."""
    return {
        (str(agent), str(name), str(metric)): _summary(rows["value"].to_numpy(), rng)
        for (agent, name, metric), rows in at_the_end(table).groupby(["agent", "states", "metric"], sort=False)
    }


def _summary(values: np.ndarray, rng: np.random.Generator) -> Summary:
    if np.isfinite(values).all():
        return summarise(values, rng)
    with np.errstate(invalid="ignore"):
        return Summary(values.mean(), np.array(np.nan), np.array(np.nan), len(values))


def _labels(runs: Sequence[Run]) -> list[str]:
    """Return a label for each run: its agent's name, its folder's where agents repeat, its path where these do too."""
    choices = [[run.config.agent, run.folder.path.name, str(run.folder.path)] for run in runs]
    labels = [names[0] for names in choices]
    for column in (1, 2):
        labels = [
            names[column] if labels.count(label) > 1 else label for names, label in zip(choices, labels, strict=True)
        ]
    return labels


def _fixed_states(run: Run, names: Sequence[str]) -> "dict[str, States]":
    """Return the sets of states that are the same for all runs and steps, those that can be had."""
    dynamics = run.problem.gridworld.dynamics
    fixed = {}
    if "start" in names:
        fixed["start"] = joined([start_states(dynamics)] * COPIES["start"])
    if "optimal-path" in names and (path := known(dynamics.level, run.agent.gamma).path) is not None:
        fixed["optimal-path"] = path
    if "random" in names:
        fixed["random"] = random_states(dynamics)
    return fixed


def _measure_now(run: Run, world: "GridworldVectorEnv", names: Sequence[str], fixed: "dict[str, States]") -> Rows:
    """Return the rows of one step: all sets of all runs in one batch [R, M]."""
    agent, num_runs = run.agent, run.agent.num_runs
    sets = {name: [states] * num_runs for name, states in fixed.items()}
    if "visited" in names:
        sets["visited"] = visited_states(agent, run.problem, key=run.step)
    shown = [name for name in names if name in sets]
    states, set_of = side_by_side([sets[name] for name in shown])
    shape = set_of.shape
    obs = world.observe(states)
    believed = agent.q_values(obs.reshape(*shape, *obs.shape[1:])).max(axis=2)
    returns = rollout_returns(agent, world, states, num_rollouts=NUM_ROLLOUTS, key=run.step)
    measured = {
        "believed": believed,
        "policy_value": returns.value,
        "estimate_error": believed - returns.value,
        "share_exact": returns.exact,
        "tail_bound": returns.tail_bound,
    }
    best = known(world.level, agent.gamma)
    if best.solution is not None:
        measured["optimal_value"] = best.solution.q_at(states).max(axis=1).reshape(shape)
        measured["policy_loss"] = returns.value - measured["optimal_value"]
    rows: Rows = []
    for k, name in enumerate(shown):
        for i, seed in enumerate(agent.seeds):
            mine = set_of[i] == k
            values = {metric: float(array[i, mine].mean()) for metric, array in measured.items()}
            values["std_error"] = float(np.sqrt(np.square(returns.std_error[i, mine]).sum()) / mine.sum())
            values["num_states"] = float(mine.sum() / COPIES.get(name, 1))
            if name == "start" and best.solution is None and best.bounds is not None:
                values |= _beside_bounds(values["policy_value"], *best.bounds)
            rows += [(run.config.agent, seed, run.step, name, metric, value) for metric, value in values.items()]
    return rows


def _beside_bounds(policy_value: float, low: float, high: float) -> dict[str, float]:
    """Return what is known at the start of a level that cannot be solved: V* and the loss, or bounds alone."""
    if low < high:
        return {"optimum_low": low, "optimum_high": high}
    return {"optimal_value": low, "policy_loss": policy_value - low}
