"""What was found, as tables for the terminal."""

from collections.abc import Iterator
from typing import Any

from rich.table import Table
from rich.text import Text


def tables(results: dict[str, Any]) -> Iterator[Table | Text]:
    """Return the machine, the comparisons and the times to get ready, to be printed one after the other."""
    machine, options = results["machine"], results["options"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items() if version)
    yield Text(
        f"{machine['processor']}, {machine['usable_cores']} of {machine['cores']} cores, {machine['memory_GB']} GB; "
        f"{machine['system']}; Python {machine['python']}; {packages}.\n"
        f"Medians of {options['turns']} turns of {options['seconds']:g} s, one thread for each process. Load average "
        f"{results['load'][0]} at the start, {results['load'][-1]} at the end; the contests' own is 1."
    )
    if results["comparisons"]:
        yield comparisons(results["comparisons"])
        yield readiness(results["contenders"])


def comparisons(rows: list[dict[str, Any]]) -> Table:
    """Return the table of ours beside the peers, with the ratio, its range over the turns and the aim."""
    table = Table(title="Ours beside the peer", title_justify="left", caption_justify="left")
    for head, justify in (
        ("what", "left"),
        ("ours", "right"),
        ("peer", "right"),
        ("", "left"),
        ("peer's name", "left"),
    ):
        table.add_column(head, justify=justify)  # type: ignore[arg-type]
    for head in ("ratio", "(range)", "aim", ""):
        table.add_column(head, justify="right", no_wrap=True)
    contest = None
    for row in rows:
        if contest not in (None, row["contest"]):
            table.add_section()
        contest = row["contest"]
        peer = row["peer"] or {"name": "", "rate": None}
        found, aim = row.get("ratio"), row["aim"]
        table.add_row(
            row["what"],
            number(row["ours"]["rate"]),
            number(peer["rate"]),
            row["unit"],
            peer["name"],
            f"{found['median']:.2f} x" if found else "",
            f"({found['low']:.2f} to {found['high']:.2f})" if found else "",
            "" if aim is None else f"{aim:g} x",
            verdict(row),
        )
    return table


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return the comparisons as a table for docs/speed.md."""
    lines = ["| what | ours | peer | | beside | ratio (range) | aim |", "|---|---:|---:|---|---|---:|---:|"]
    for row in rows:
        found, aim = row.get("ratio"), row["aim"]
        if found:
            cells = [row["what"], number(row["ours"]["rate"]), number(row["peer"]["rate"]), row["unit"]]
            range_ = f"{found['median']:.2f} ({found['low']:.2f} to {found['high']:.2f})"
            cells += [row["peer"]["name"], range_, "" if aim is None else f"{aim:g}, {verdict(row)}"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def verdict(row: dict[str, Any]) -> str:
    """Return whether a row's aim is reached, or why nobody knows."""
    if row["missing"]:
        return f"no {', '.join(row['missing'])}"
    return {True: "reached", False: "short", None: ""}[row.get("reached")]


def readiness(rows: list[dict[str, Any]]) -> Table:
    """Return the table of what no rate holds: the time until each contender was ready."""
    table = Table(title="Before the clock: in no rate above", title_justify="left")
    table.add_column("contest")
    table.add_column("contender")
    table.add_column("ready (s): imports, making, filling", justify="right")
    table.add_column("first piece (s)", justify="right")
    for row in rows:
        ready, first = row["ready_seconds"], row["first_piece_seconds"]
        table.add_row(row["contest"], row["name"], f"{ready:.2f}", f"{first:.3f}")
    return table


def number(rate: float | None) -> str:
    """Return a rate with three digits or more."""
    if rate is None:
        return ""
    return f"{rate:,.0f}".replace(",", " ") if rate >= 100 else f"{rate:.3g}"
