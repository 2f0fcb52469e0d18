"""A comparison as a page in Markdown, and as numbers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gridrl.comparison.measures import BIAS_STATES, Comparison, Standing
from gridrl.comparison.tables import Rows, cost_rows, exploring_rows, greedy_rows, improvement_rows

if TYPE_CHECKING:
    import pandas


def page(comparison: Comparison, command: str) -> str:
    """Return the comparison as a page in Markdown."""
    sticks = {standing.yardstick.words for standing in comparison.standings if standing.yardstick is not None}
    return PAGE.format(
        problem=comparison.problem,
        step=comparison.step,
        best=" or ".join(sorted(sticks)) or "best possible return, which is unknown here",
        earned=markdown(_joined(greedy_rows(comparison), exploring_rows(comparison))),
        cost=markdown(cost_rows(comparison)),
        improvements=markdown(improvement_rows(comparison)),
        notes="".join(f"* {note}\n" for note in comparison.notes) or "* nothing is missing\n",
        command=command,
    )


def _joined(one: Rows, other: Rows) -> Rows:
    return [ours | theirs for ours, theirs in zip(one, other, strict=True)]


def markdown(rows: Sequence[dict[str, str]]) -> str:
    """Return rows of text as a table in Markdown."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def frame(comparison: Comparison) -> "pandas.DataFrame":
    """Return all numbers, a row for each entry; what is unknown is empty, a threshold never reached is inf."""
    import pandas

    return pandas.DataFrame([_numbers(comparison, standing) for standing in comparison.standings])


def _numbers(comparison: Comparison, standing: Standing) -> dict[str, str | float | None]:
    stick, reached = standing.yardstick, standing.reached
    found: dict[str, str | float | None] = {
        "label": standing.label,
        "agent": standing.agent,
        "runs": standing.num_runs,
        "step": comparison.step,
    }
    summaries = {
        "greedy_return_mean": standing.greedy,
        "greedy_return_iqm": standing.greedy_iqm,
        "return_mean": standing.exploring,
        "return_iqm": standing.exploring_iqm,
        "share": standing.share,
        **{f"bias_{states}": standing.bias.get(states) for states in BIAS_STATES},
    }
    for name, summary in summaries.items():
        ends = (None, None, None) if summary is None else (summary.centre, summary.low, summary.high)
        found |= {f"{name}{suffix}": end for suffix, end in zip(("", "_low", "_high"), ends, strict=True)}  # type: ignore[misc]
    found |= {
        "share_of": stick.metric if stick else None,
        "best_possible": stick.best if stick else None,
        "threshold": comparison.threshold,
        "reached": reached.num_runs if reached else None,
        "updates_to_threshold": reached.updates if reached else None,
        "seconds_to_threshold": reached.seconds if reached else None,
        "seconds": standing.seconds,
        "memory_bytes": standing.memory,
    }
    found |= {
        f"beats_{other.label}": comparison.improvements[standing.label, other.label].probability
        for other in comparison.standings
        if other is not standing
    }
    return found


PAGE = """\
# {problem}, step {step}

## What they earn and believe

{earned}

Averages over runs with 95 % bootstrap intervals. IQM is the interquartile mean, that of the middle half of the runs.
*Share of the best*: the greedy return over the {best}. Bias is max Q minus what the learned policy truly earns
(discounted), at the start and over the states that it visits.

## What it takes

{cost}

Updates and seconds are medians over all runs; those that never came so far count as later than all others, a dash where
half of them did not. Seconds are those of the runs that learned in lockstep, divided by their number, evaluations
included. Memory is all that one run keeps to go on learning.

## Who beats whom

{improvements}

The probability that a run of the row has a higher greedy return than one of the column, ties counted half.

![comparison](comparison.png)

## Notes

{notes}
Made by:

    {command}
"""
