"""What was measured, kept short: old measurements are thinned as new ones come."""

from gridrl.recorder import Row

MOST_STEPS = 1_000  # at which something was measured; some pixels of a curve each


def thinned(rows: list[Row]) -> list[Row]:
    """Return `rows` as they are, or, where they are of too many steps, without every second step of the older half."""
    if len(rows) <= MOST_STEPS:  # of one row each, at most
        return rows
    steps = list(dict.fromkeys(row[2] for row in rows))
    if len(steps) <= MOST_STEPS:
        return rows
    dropped = set(steps[1 : len(steps) // 2 : 2])
    return [row for row in rows if row[2] not in dropped]
