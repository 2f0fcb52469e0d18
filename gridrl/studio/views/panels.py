"""What each part of a page shows, and who draws it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from gridrl.studio.shown import Board, Hit, Shown
from gridrl.studio.views import batch, controls, facts, header, help, numbers, palette, plots, status, timeline
from gridrl.studio.views.canvas import Canvas
from gridrl.studio.views.parts import Part


class _Pick(NamedTuple):
    """What the timeline's picture depends on."""

    timeline: Any
    hovered: bool
    selected: bool


def data_of(part: Part, shown: Shown, hovered: Hit, controls_of: dict[tuple[str, str], Any]) -> Any:
    """Return what a part shows, all that its picture depends on; `controls_of` are the controls by kind and name."""
    if part.kind == "button":
        button = controls_of[part.kind, part.name]
        is_hovered = hovered.kind == "button" and hovered.name == part.name
        return controls.ButtonLook(
            button, is_hovered, shown.selected == part.name, part.with_key, part.as_icon, part.behind
        )
    if part.kind == "slider":
        slider = controls_of[part.kind, part.name]
        is_hovered = hovered.kind == "slider" and hovered.name == part.name
        return controls.SliderLook(slider, is_hovered, shown.selected == part.name)
    return _OF_PAGE[part.kind](part, shown, hovered)


def board_of(shown: Shown, index: int) -> Board:
    """Return a board by its place on the page: the difference comes last."""
    if index < len(shown.boards):
        return shown.boards[index]
    assert shown.difference is not None
    return shown.difference


def _header(part: Part, shown: Shown, _hovered: Hit) -> header.Header:
    board = board_of(shown, part.number)
    cell_map = board.map
    if cell_map is None:
        return header.Header(board.title, "", None, board.note)
    return header.Header(board.title, cell_map.name, cell_map.scale, board.note)


def _facts(part: Part, shown: Shown, _hovered: Hit) -> facts.CellFacts:
    mind = shown.boards[part.number].title if len(shown.boards) > 1 else ""
    return facts.CellFacts(mind, shown.facts[part.number] if part.number < len(shown.facts) else None)


def _numbers(_part: Part, shown: Shown, _hovered: Hit) -> numbers.Table:
    return numbers.Table(shown.numbers, tuple(board.title for board in shown.boards))


def _batch(_part: Part, shown: Shown, _hovered: Hit) -> batch.Batch:
    return batch.Batch(shown.batch, shown.boards[0].level.columns)


def help_data(shown: Shown) -> help.HelpData:
    """Return what the help says."""
    cell_map = next((board.map for board in shown.boards if board.map is not None), None)
    return help.HelpData(
        shown.buttons,
        shown.sliders,
        cell_map.name if cell_map is not None else "",
        cell_map.scale if cell_map is not None else None,
        cell_map is not None and cell_map.values.ndim == 2,
    )


_OF_PAGE: dict[str, Callable[[Part, Shown, Hit], Any]] = {
    "board": lambda part, shown, _: board_of(shown, part.number),
    "header": _header,
    "facts": _facts,
    "plot": lambda part, shown, _: shown.plots[part.number],
    "numbers": _numbers,
    "batch": _batch,
    "timeline": lambda _, shown, hovered: _Pick(
        shown.timeline, hovered.kind == "timeline", shown.selected == "timeline"
    ),
    "group": lambda part, _shown, _hovered: part.name,
    "status": lambda _part, shown, _: status.Status(shown.status, shown.message),
}
PAINTERS: dict[str, Callable[[Canvas, Any], None]] = {
    "button": controls.draw_button,
    "slider": controls.draw_slider,
    "header": header.draw,
    "facts": facts.draw,
    "plot": plots.draw,
    "numbers": numbers.draw,
    "batch": batch.draw,
    "timeline": lambda canvas, pick: timeline.draw(canvas, *pick),
    "group": lambda canvas, name: controls.draw_group_title(canvas, name.capitalize(), palette.CARD),
    "status": status.draw,
    "help": help.draw,
}
