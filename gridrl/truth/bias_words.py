"""What `gridrl bias` says: its table, and the sentences below it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, SupportsFloat

import numpy as np
from rich import box
from rich.markup import escape
from rich.table import Table

from gridrl.intervals import Summary
from gridrl.truth.bias import Group, at_the_end
from gridrl.truth.known import known
from gridrl.truth.state_samples import STATE_SETS

if TYPE_CHECKING:
    import pandas

COLUMNS = {
    "max Q": "believed",
    "true value": "policy_value",
    "best": "optimal_value",
    "error": "estimate_error",
    "loss": "policy_loss",
}
HOW_TO_READ = (
    "max Q: what the agent believes; true value: what its own greedy policy is worth; best: what the best one is.\n"
    "error of the estimate = max Q - true value; loss of the policy = true value - best.\n"
    "Means over a set of states and over n runs; below each its 95 % bootstrap interval over the runs."
)


def table_of(group: Group, summaries: Mapping[tuple[str, str, str], Summary]) -> Table:
    """Return the bias at the end of training: for each agent a row for each set of states, with 95 % intervals."""
    table = Table(
        title=f"{group.level.name}, gamma {group.gamma:g}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("states", no_wrap=True)
    for column in ("n", *COLUMNS):
        table.add_column(column, justify="right")
    agents = dict.fromkeys(agent for agent, _, _ in summaries)
    for agent in agents:
        table.add_row(f"[bold]{escape(agent)}[/]")
        names = dict.fromkeys(name for other, name, _ in summaries if other == agent)
        for name in names:
            cells = [_cell(summaries, agent, name, metric) for metric in COLUMNS.values()]
            table.add_row(f"  {name}", str(summaries[agent, name, "believed"].n), *cells)
    return table


def legend(tables: Iterable["pandas.DataFrame"]) -> list[str]:
    """Return what the columns are, and which states the sets in `tables` hold."""
    shown = {name for table in tables for name in table["states"].unique()}
    return [HOW_TO_READ, *(f"{name}: {text}." for name, text in STATE_SETS.items() if name in shown)]


def sentences(group: Group, table: "pandas.DataFrame", asked: Sequence[str]) -> list[str]:
    """Return what must be known of a group's table: what is missing and why, how exact the true values are."""
    best, found = known(group.level, group.gamma), []
    if "optimal-path" in asked:
        if best.path is None:
            found.append(f"optimal-path: no good path is known on {group.level.name} at gamma {group.gamma:g}.")
        elif not best.path_is_optimal:
            found.append("The path is the best known, not proven to be optimal.")
    if best.solution is None:
        found.append(f"V*, and with it the loss, is not known of all states: {best.why_unsolved}")
    for label, run in group.runs.items():
        if run.agent.num_runs == 1:
            found.append(f"{label} has one seed, and an interval needs two; train it with --seeds 4 for one.")
    if np.isinf(table["value"]).any():
        found.append("A policy that goes in circles for ever can be worth inf at gamma 1; figures leave that out.")
    return [*found, _exactness(table)]


def _exactness(table: "pandas.DataFrame") -> str:
    keys = ["agent", "run", "states"]
    rows = at_the_end(table).pivot_table(index=keys, columns="metric", values="value")
    share = (rows["share_exact"] * rows["num_states"]).sum() / rows["num_states"].sum()
    if share == 1:
        return "The true values are exact."
    error, tail = rows["std_error"].max(), rows["tail_bound"].max()
    text = f"The true values are exact in {share:.1%} of the states"
    if error > 0:
        text += (
            f"; where ties or slips are left to chance, a mean over states has a standard error of at most {error:.2g}"
        )
    if tail > 0:
        text += f"; beyond the horizon of the rollouts lies at most {tail:.2g}"
    return f"{text}."


def _cell(summaries: Mapping[tuple[str, str, str], Summary], agent: str, name: str, metric: str) -> str:
    if (agent, name, metric) in summaries:
        found = summaries[agent, name, metric]
        if np.isnan(found.low) or found.low == found.high:
            return _texts(found.centre)[0]
        centre, low, high = _texts(found.centre, found.low, found.high)
        return f"{centre}\n{low}, {high}"
    if metric == "optimal_value" and (agent, name, "optimum_low") in summaries:
        ends = [float(summaries[agent, name, end].centre) for end in ("optimum_low", "optimum_high")]
        return " to ".join(_texts(*ends))
    return "-"


def _texts(*values: SupportsFloat) -> list[str]:
    """Return numbers with as many decimals as give the largest three digits."""
    largest = max(abs(float(value)) for value in values)
    decimals = 2 - sum(largest >= limit for limit in (9.995, 99.95))
    texts = [f"{float(value):.{decimals}f}" for value in values]
    return [text.removeprefix("-") if float(text) == 0 else text for text in texts]
