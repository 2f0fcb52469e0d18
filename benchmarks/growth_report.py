"""What was found of growing costs, as tables for the terminal and for docs/speed.md."""

from collections.abc import Iterator
from statistics import median
from typing import Any

from rich.table import Table

from benchmarks.report import number


def growth_tables(growths: list[dict[str, Any]]) -> Iterator[Table]:
    """Return a table for each growth, a row for each line."""
    for growth in growths:
        table = Table(title=f"{growth['name']}: {caption(growth)}", title_justify="left")
        heads, *rows = growth_rows(growth)
        for place, head in enumerate(heads):
            table.add_column(head, justify="right" if place else "left", no_wrap=not place)
        for row in rows:
            table.add_row(*row)
        yield table


def growth_markdown(growths: list[dict[str, Any]]) -> str:
    """Return the same tables as text."""
    parts = []
    for growth in growths:
        heads, *rows = growth_rows(growth)
        rule = ["---"] + ["---:"] * (len(heads) - 1)
        lines = "\n".join(f"| {' | '.join(row)} |" for row in [heads, rule, *rows])
        parts.append(f"**{growth['name']}**: {growth['about']} Below: {caption(growth)}.\n\n{lines}\n")
    return "\n".join(parts)


def caption(growth: dict[str, Any]) -> str:
    """Return what the numbers of a table are."""
    return (
        f"microseconds of {growth['time']}, median, by {growth['size']}; on the right {slope_head(growth)}, "
        "with its range over the turns"
    )


def slope_head(growth: dict[str, Any]) -> str:
    """Return of what the slopes are, and what is expected of them."""
    expected = ", then ".join(part["expected"] for part in growth["lines"][0]["slopes"])
    return f"slope{' of all runs' if growth['shared'] else ''} (expected: {expected})"


def growth_rows(growth: dict[str, Any]) -> list[list[str]]:
    """Return the heads, then for each line its name, the time at each size and the slope in each part."""
    lines = growth["lines"]
    sizes = sorted({size for line in lines for size in line["sizes"]})
    rows = [["", *map(whole, sizes), *(f"slope {part['part']}".strip() for part in lines[0]["slopes"])]]
    for line in lines:
        times = dict(zip(line["sizes"], shown_times(growth, line), strict=True))
        cells = [number(1e6 * median(times[size])) if size in times else "" for size in sizes]
        rows.append([line["name"], *cells, *(slope_text(part["slope"]) for part in line["slopes"])])
    return rows


def shown_times(growth: dict[str, Any], line: dict[str, Any]) -> list[list[float]]:
    """Return for each size the seconds of every turn; where the work is shared, those of one of the sharers."""
    by_size = zip(line["sizes"], zip(*line["seconds"], strict=True), strict=True)
    return [[seconds / (size if growth["shared"] else 1) for seconds in turns] for size, turns in by_size]


def slope_text(slope: dict[str, float] | None) -> str:
    """Return a slope with its range."""
    return f"{slope['median']:z.2f} ({slope['low']:z.2f} to {slope['high']:z.2f})" if slope else ""


def whole(size: int) -> str:
    """Return a whole number with spaces between the thousands."""
    return f"{size:,}".replace(",", " ")
