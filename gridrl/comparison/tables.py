"""A comparison as tables of text."""

import math
from typing import TYPE_CHECKING

import numpy as np

from gridrl.comparison.measures import BIAS_STATES, Comparison, Standing
from gridrl.intervals import Summary

if TYPE_CHECKING:
    from rich.console import Console

Rows = list[dict[str, str]]
UNKNOWN = "?"
NEVER = "\N{EM DASH}"


def number(value: float) -> str:
    """Return a number with about three figures."""
    return f"{value:.{max(0, 2 - math.floor(math.log10(max(abs(value), 1))))}f}" if value else "0"


def size(num_bytes: float) -> str:
    """Return a number of bytes in the unit that suits it."""
    for unit in ("B", "kB", "MB"):
        if num_bytes < 1000:
            return f"{number(num_bytes)} {unit}"
        num_bytes /= 1000
    return f"{number(num_bytes)} GB"


def with_interval(summary: Summary | None) -> str:
    """Return an average and its interval as text; the average alone where one run has none."""
    if summary is None:
        return UNKNOWN
    interval = "" if summary.n == 1 else f" [{number(float(summary.low))}, {number(float(summary.high))}]"
    return number(float(summary.centre)) + interval


def greedy_rows(comparison: Comparison) -> Rows:
    """Return what the greedy policies earn, as rows of text."""
    return [
        {
            "agent": standing.label,
            "runs": str(standing.num_runs),
            "greedy return": with_interval(standing.greedy),
            "IQM": with_interval(standing.greedy_iqm),
            "share of the best": with_interval(standing.share),
        }
        for standing in comparison.standings
    ]


def exploring_rows(comparison: Comparison) -> Rows:
    """Return what they earn at epsilon .05, and how far off their values are, as rows of text."""
    return [
        {
            "agent": standing.label,
            "at epsilon .05": with_interval(standing.exploring),
            "IQM at .05": with_interval(standing.exploring_iqm),
            **{f"bias, {states}": with_interval(standing.bias.get(states)) for states in BIAS_STATES},
        }
        for standing in comparison.standings
    ]


def cost_rows(comparison: Comparison) -> Rows:
    """Return what a run takes, to the threshold and in all, as rows of text."""
    to = f"to {comparison.threshold:g}"
    return [
        {
            "agent": standing.label,
            f"came {to}": _of_all(standing),
            f"updates {to}": _median(standing.reached and standing.reached.updates),
            f"seconds {to}": _median(standing.reached and standing.reached.seconds),
            "seconds in all": number(standing.seconds),
            "memory": size(standing.memory),
        }
        for standing in comparison.standings
    ]


def improvement_rows(comparison: Comparison) -> Rows:
    """Return the probability that an entry's run (row) beats another's (column), as rows of text."""
    labels = [standing.label for standing in comparison.standings]
    rows = []
    for ours in labels:
        row = {"beats": ours}
        for theirs in labels:
            found = comparison.improvements.get((ours, theirs))
            interval = "" if found is None or np.isnan(found.low) else f" [{found.low:.2f}, {found.high:.2f}]"
            row[theirs] = "" if found is None else f"{found.probability:.2f}{interval}"
        rows.append(row)
    return rows


def numbered_rows(comparison: Comparison) -> Rows:
    """Return `improvement_rows` for a narrow page: numbers for names, a star where it is hardly chance (p < .05)."""
    rows = []
    for row, ours in enumerate(comparison.standings, start=1):
        cells = {"beats": f"{ours.label} {row}"}
        for column, theirs in enumerate(comparison.standings, start=1):
            found = comparison.improvements.get((ours.label, theirs.label))
            star = "*" if found is not None and found.is_sure else ""
            cells[str(column)] = "" if found is None else f"{found.probability:.2f}{star}"
        rows.append(cells)
    return rows


def _of_all(standing: Standing) -> str:
    return UNKNOWN if standing.reached is None else f"{standing.reached.num_runs} of {standing.num_runs}"


def _median(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return NEVER if math.isinf(value) else number(value)


def print_tables(console: "Console", comparison: Comparison) -> None:
    """Print all tables; an interval stands below its average."""
    from rich.table import Table

    at = f"{comparison.problem}, step {comparison.step}"
    tables = [
        (greedy_rows(comparison), f"{at}: averages over runs [95 % interval]"),
        (exploring_rows(comparison), "with a little exploration, and the bias of the values"),
        (
            cost_rows(comparison),
            f"what a run takes, to {comparison.threshold:g} of the best possible (medians) and in all",
        ),
    ]
    if len(comparison.standings) > 1:
        tables.append(
            (numbered_rows(comparison), "probability that the row beats the column; * hardly chance: p < .05")
        )
    for rows, title in tables:
        table = Table(title=title)
        for column in rows[0]:
            is_name = column in ("agent", "beats")
            table.add_column(column, justify="left" if is_name else "right", no_wrap=is_name)
        for row in rows:
            table.add_row(*(text.replace(" [", "\n[") for text in row.values()))
        console.print(table)
