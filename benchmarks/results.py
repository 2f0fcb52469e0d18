"""What was found, as data: the JSON file, which the table and the figure are made from."""

from statistics import median
from typing import Any

from benchmarks.contest import Contest, Found, ratio


def rows(contest: Contest, found: dict[str, Found]) -> list[dict[str, Any]]:
    """Return the contest's comparisons; where one side is missing there are reasons in place of numbers.

    Rates are medians over the turns; `ratio` is the median of the ratios turn by turn, with the lowest and highest.
    """
    contenders = {contender.name: contender for contender in contest.contenders}
    table = []
    for row in contest.comparisons:
        names = [name for name in (row.ours, row.peer) if name is not None]
        missing = [package for name in names for package in contenders[name].missing]
        entry: dict[str, Any] = {
            "contest": contest.name,
            "what": row.what,
            "unit": contenders[row.ours].unit + "/s",
            "ours": _rate(found, row.ours),
            "peer": _rate(found, row.peer),
            "aim": row.aim,
            "missing": missing,
        }
        if row.peer is not None and not missing:
            entry["ratio"] = ratio(found[row.ours], found[row.peer])._asdict()
            entry["reached"] = None if row.aim is None else entry["ratio"]["median"] >= row.aim
        table.append(entry)
    return table


def contenders(contest: Contest, found: dict[str, Found]) -> list[dict[str, Any]]:
    """Return what was found of each contender, every turn of it."""
    return [
        {
            "contest": contest.name,
            "name": contender.name,
            "unit": contender.unit + "/s",
            "processes": contender.processes,
            "rates": found[contender.name].rates,
            "ready_seconds": found[contender.name].ready,
            "first_piece_seconds": found[contender.name].first,
        }
        for contender in contest.contenders
        if contender.name in found
    ]


def _rate(found: dict[str, Found], name: str | None) -> dict[str, Any] | None:
    if name is None:
        return None
    return {"name": name, "rate": median(found[name].rates) if name in found else None}
