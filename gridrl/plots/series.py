"""One metric of one agent as an array over runs and steps, out of a tidy table."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridrl.intervals import Floats

if TYPE_CHECKING:
    import pandas

COLUMNS = ("agent", "run", "step", "metric", "value")


class Series(NamedTuple):
    """Values of `R` runs at `T` steps they share."""

    steps: Floats  # [T]
    values: Floats  # [R, T]


def agents_in(table: "pandas.DataFrame", metric: str) -> list[str]:
    """Return the agents that have `metric`, in the table's order; raises ValueError where a column is missing."""
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise ValueError(f"a table of curves has the columns {', '.join(COLUMNS)}; missing: {', '.join(missing)}")
    return [str(agent) for agent in table.loc[table["metric"] == metric, "agent"].unique()]


def series(table: "pandas.DataFrame", agent: str, metric: str, *, num_bins: int = 100) -> Series:
    """Return a metric of an agent, runs [R] by steps [T].

    Where all runs were measured at the same steps, these are the steps. Where some stopped early, the steps that all
    have. Where they share none (each run's episodes end at their own steps), the span that all runs cover is cut into
    `num_bins` equal bins and each run is averaged within each; bins that some run has nothing in are left out.
    Raises ValueError where there is nothing to show.
    """
    rows = table[(table["agent"] == agent) & (table["metric"] == metric)].dropna(subset="value")
    if rows.empty:
        raise ValueError(f"the table has no {metric!r} of {agent!r}")
    shared = _by_run(rows, rows["step"]).dropna(axis=1)
    if shared.shape[1] == 0:
        ends = rows.groupby("run")["step"].agg(["min", "max"])
        first, last = float(ends["min"].max()), float(ends["max"].min())
        if first >= last:
            raise ValueError(f"the runs of {agent!r} have no steps in common at which {metric!r} was measured")
        edges = np.linspace(first, last, num_bins + 1)
        rows = rows[rows["step"].between(first, last)]
        bins = np.clip(np.searchsorted(edges, rows["step"], side="right") - 1, 0, num_bins - 1)
        shared = _by_run(rows, (edges[bins] + edges[bins + 1]) / 2).dropna(axis=1)
    return Series(shared.columns.to_numpy(np.float64), shared.to_numpy(np.float64))


def _by_run(rows: "pandas.DataFrame", steps: "pandas.Series | Floats") -> "pandas.DataFrame":
    """Lay rows out as runs by steps; several values of a run at one step are averaged."""
    return rows.assign(step=steps).pivot_table(index="run", columns="step", values="value", aggfunc="mean")
