"""An explanation as text for a terminal."""

from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from gridrl_agents.explanation import SECTIONS, Explanation, Line, Table, Values, show

MOST_ROWS = 12  # of a table that are shown


def print_explanation(told: Explanation, console: Console) -> None:
    """Print the equation, and the sections with all that they hold."""
    console.print(Text("The equation", style="bold"))
    for text, source in told.equations:
        console.print(Padding(Text(text), (0, 0, 0, 2), expand=False))
        if source:
            console.print(Padding(Text(f"({source})", style="dim"), (0, 0, 0, 6), expand=False))
    widths = _widths(told)
    for number, (title, items) in enumerate(zip(SECTIONS, told.sections, strict=True), start=1):
        console.print()
        console.print(Text(f"{number}. {title}", style="bold"))
        for group in _groups(items):
            console.print(Padding(_rendered(group, told, widths), (0, 0, 0, 2), expand=False))


def _widths(told: Explanation) -> tuple[int, int]:
    """Return the widths of symbols and of values, the same in all sections."""
    lines = [item for items in told.sections for item in items if isinstance(item, Line)]
    return max(len(line.symbol) for line in lines), max(len(show(line.value)) for line in lines)


def _groups(items: list[Any]) -> list[list[Any]]:
    """Return neighbours of one kind together, so that they are aligned."""
    groups: list[list[Any]] = []
    for item in items:
        if groups and type(item) is type(groups[-1][0]) and isinstance(item, Line | Values):
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


def _rendered(group: list[Any], told: Explanation, widths: tuple[int, int]) -> RenderableType:
    first = group[0]
    if isinstance(first, Line):
        return _lines(group, widths)
    if isinstance(first, Values):
        return _values(group, told)
    return _table(first) if isinstance(first, Table) else Text(first)


def _lines(lines: list[Line], widths: tuple[int, int]) -> RenderableType:
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(min_width=widths[0], no_wrap=True)
    grid.add_column(min_width=widths[1], no_wrap=True, justify="right")
    grid.add_column()
    for line in lines:
        told = f"= {line.working}" if line.working else ""
        both = f"{told}   ({line.words})" if told and line.words else told or line.words
        grid.add_row(Text(line.symbol), Text(show(line.value), style="bold"), Text(both))
    return grid


def _values(rows: list[Values], told: Explanation) -> RenderableType:
    """Draw a row for each, a column for each action; what counts stands in brackets."""
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    for _ in told.action_names:
        grid.add_column(no_wrap=True, justify="right")
    grid.add_column()
    names = [name if name != str(action) else f"action {name}" for action, name in enumerate(told.action_names)]
    grid.add_row("", *(Text(name, style="dim") for name in names), "")
    for row in rows:
        shown = [f"[{show(value)}]" if action == row.marked else show(value) for action, value in enumerate(row.values)]
        grid.add_row(Text(row.symbol), *(Text(value) for value in shown), Text(row.words))
    return grid


def _table(table: Table) -> RenderableType:
    columns = {name: list(values) for name, values in table.columns.items()}
    count = len(next(iter(columns.values())))
    chosen = _chosen(table, count)
    grid = Grid(box=None, padding=(0, 1), pad_edge=False, header_style="dim")
    for name in columns:
        grid.add_column(Text(name), justify="right", no_wrap=True)
    for row, following in zip(chosen, [*chosen[1:], None], strict=True):
        grid.add_row(*(Text(show(values[row])) for values in columns.values()))
        if table.weight is None and following is not None and following > row + 1:
            grid.add_row(*("..." for _ in columns))
    left_out = f" ({len(chosen)} of {count} rows are shown)" if len(chosen) < count else ""
    return Group(Text(f"{table.words}{left_out}"), grid)


def _chosen(table: Table, count: int) -> list[int]:
    """Return which rows to show, in their order: those that matter most."""
    if count <= MOST_ROWS:
        return list(range(count))
    if table.weight is None:
        half = MOST_ROWS // 2
        return [*range(half), *range(count - half, count)]
    weight = table.weight
    return sorted(sorted(range(count), key=lambda row: -weight[row])[:MOST_ROWS])
