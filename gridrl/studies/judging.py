"""From numbers of runs to findings: an average with its interval, in words."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from gridrl.intervals import Summary, summarise
from gridrl.studies.study import Finding

if TYPE_CHECKING:
    import pandas


def summary(values: ArrayLike) -> Summary:
    """Return the mean over runs with its 95 % bootstrap interval, [R, ...] -> [...]; the same values, the same ends."""
    return summarise(values, np.random.default_rng(0))


def in_words(found: Summary) -> str:
    """Return a single average with its interval, and the one run where there is no more."""
    if found.n == 1:
        return f"{found.centre:.3g} (one run, so no interval)"
    return f"{found.centre:.3g} (95 % interval {found.low:.3g} to {found.high:.3g}, n={found.n})"


def positive(what: str, values: ArrayLike) -> Finding:
    """Return whether the mean of `values` [R] is above zero: yes, no, or not to be told from the noise of the runs."""
    found = summary(values)
    holds = True if found.low > 0 else False if found.high < 0 else None
    return Finding(holds, f"{what} is {in_words(found)}")


def within(found: Summary, limit: float) -> bool | None:
    """Say whether an average lies within `limit` of zero, beyond it, or whether its interval leaves that open."""
    if found.low > limit or found.high < -limit:
        return False
    return True if -limit < found.low and found.high < limit else None


def where(table: "pandas.DataFrame", **values: object) -> "pandas.DataFrame":
    """Return the rows of a table that have these values in the columns so named."""
    for column, value in values.items():
        table = table[table[column] == value]
    return table


def by_seed(rows: "pandas.DataFrame", amount: str, value: str = "bias") -> "pandas.DataFrame":
    """Return a quantity of one agent's `rows` by seed (rows) and `amount` (columns); a mean where there are several."""
    return rows.pivot_table(index="seed", columns=amount, values=value, aggfunc="mean")


def rising(what: str, unit: str, values: "pandas.DataFrame") -> Finding:
    """Return whether `values`, by seed and amount, rise with the amount: the slope of each seed's line, per `unit`."""
    centred = values.columns.to_numpy(np.float64) - values.columns.to_numpy(np.float64).mean()
    return positive(f"{what}: the rise per {unit}", values.to_numpy() @ centred / (centred @ centred))
