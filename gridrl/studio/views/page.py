"""The whole page: draws what is shown, again only where it changed, and says what lies at a place."""

from typing import TYPE_CHECKING, Any

from gridrl.studio.shown import Board, Hit, Shown
from gridrl.studio.views import controls, layout, palette, panels, shapes, timeline
from gridrl.studio.views.board import BoardPicture
from gridrl.studio.views.canvas import Canvas
from gridrl.studio.views.parts import Part, Rect, holds, same

if TYPE_CHECKING:
    import pygame

NOTHING = Hit("")


class Page:
    """Draws pages, and remembers the last: a frame costs what changed in it.

    `dirty` holds the rects that the last `draw` changed, in pixels of its surface: all of it after a change of size,
    zoom or parts. Arrays in what is shown are compared by value, so they may be new in every frame; they must not be
    written to once they were shown.
    """

    def __init__(self) -> None:
        self.dirty: list[Rect] = []
        self._base: pygame.Surface | None = None  # all parts, without what lies over them
        self._front: pygame.Surface | None = None  # what is returned
        self._frame: tuple[Any, ...] = ()  # size, zoom and layout of what is drawn
        self._drawn: dict[Part, Any] = {}  # what each part shows
        self._boards: dict[Part, BoardPicture] = {}
        self._note: Rect | None = None  # where a note on hover lies
        self._note_key: Any = None

    def draw(
        self, shown: Shown, size: tuple[int, int], zoom: float = 1.0, pointer: tuple[int, int] | None = None
    ) -> "pygame.Surface":
        """Return the page, `size` pixels large; the surface is the page's own and the next call may draw on it.

        `zoom` is how many pixels a design unit has: 2 on a display of twice the usual density. `pointer` is where the
        mouse is, in pixels: a control under it is lit and explained.
        """
        size = max(size[0], 1), max(size[1], 1)
        plan = layout.layout_of(layout.content_of(shown), size, zoom)
        frame = (size, zoom, plan, shown.help)
        self.dirty, is_new = [], False
        if self._base is None or self._front is None or frame != self._frame:
            if self._base is None or self._base.get_size() != size:
                self._base, self._front = shapes.opaque(size), shapes.opaque(size)
            self._begin(frame, Canvas(self._base, zoom), plan)
            is_new = True
        base, front = self._base, self._front
        assert base is not None
        assert front is not None
        if shown.help:
            hovered = NOTHING
            self._draw_part(Part("help", (0, 0, *size)), panels.help_data(shown), base, zoom)
        else:
            hovered = self._hit_plan(plan, shown, zoom, pointer) if pointer is not None else NOTHING
            controls_of: dict[tuple[str, str], Any] = {("button", button.name): button for button in shown.buttons}
            controls_of |= {("slider", slider.name): slider for slider in shown.sliders}
            for part in plan.parts:
                self._draw_part(part, panels.data_of(part, shown, hovered, controls_of), base, zoom)
        if is_new:
            self.dirty = [(0, 0, *size)]
        self._show(base, front, shown, hovered, size, zoom, pointer)
        return front

    def hit(self, shown: Shown, size: tuple[int, int], zoom: float, pos: tuple[int, int]) -> Hit:
        """Return what lies at a place of the page that `draw` would make; while the help is open, nothing does."""
        if shown.help:
            return NOTHING
        return self._hit_plan(layout.layout_of(layout.content_of(shown), size, zoom), shown, zoom, pos)

    def along(self, shown: Shown, size: tuple[int, int], zoom: float, name: str, pos: tuple[int, int]) -> float:
        """Return how far along a slider, or along the "timeline", a place is, from 0 to 1, wherever it lies.

        For a drag that leaves the control. Raises KeyError where the page has no such control.
        """
        for part in layout.layout_of(layout.content_of(shown), size, zoom).parts:
            if part.name == name or (name == part.kind == "timeline"):
                return _position(part, zoom, pos)
        raise KeyError(name)

    def _begin(self, frame: tuple[Any, ...], canvas: Canvas, plan: layout.Layout) -> None:
        """Clear the page and draw what lies behind the parts."""
        self._frame, self._drawn, self._boards = frame, {}, {}
        canvas.surface.fill(palette.PAPER)
        for card in plan.cards:
            canvas.box(card, 10, palette.CARD, palette.EDGE)

    def _draw_part(self, part: Part, data: Any, base: "pygame.Surface", zoom: float) -> None:
        if part in self._drawn and same(self._drawn[part], data):
            return
        self._drawn[part] = data
        inside = base.get_rect().clip(part.rect)
        if not inside.width or not inside.height:
            return
        if part.kind == "board":
            self.dirty += self._draw_board(part, data, base, zoom)
            return
        # A surface of the part's own, so that nothing is drawn outside it.
        surface = base.subsurface(inside)
        if part.kind in ("facts", "plot", "numbers", "batch"):
            surface.fill(palette.PAPER)  # behind the card's corners
        panels.PAINTERS[part.kind](Canvas(surface, zoom), data)
        self.dirty.append(_rect(inside))

    def _draw_board(self, part: Part, data: Board, base: "pygame.Surface", zoom: float) -> list[Rect]:
        before = base.get_clip()
        base.set_clip(part.rect)
        if part not in self._boards:
            self._boards[part] = BoardPicture(base, part.rect[0], part.rect[1], part.tile, zoom)
        changed = self._boards[part].draw(data)
        base.set_clip(before)
        clips = (base.get_rect().clip(part.rect).clip(rect) for rect in changed)
        return [_rect(clip) for clip in clips]

    def _show(
        self,
        base: "pygame.Surface",
        front: "pygame.Surface",
        shown: Shown,
        hovered: Hit,
        size: tuple[int, int],
        zoom: float,
        pointer: tuple[int, int] | None,
    ) -> None:
        """Bring what changed to the front, and lay the note over it."""
        note, place, key = self._explain(shown, hovered, size, zoom, pointer)
        if key != self._note_key or (note is not None and any(_overlap(place, rect) for rect in self.dirty)):
            if self._note is not None:
                self.dirty.append(self._note)
            if note is not None:
                self.dirty.append(place)
        for rect in self.dirty:
            front.blit(base, rect[:2], rect)
        if note is not None and any(_overlap(place, rect) for rect in self.dirty):
            front.blit(note, place[:2])
        self._note, self._note_key = (place if note is not None else None), key

    def _explain(
        self, shown: Shown, hovered: Hit, size: tuple[int, int], zoom: float, pointer: tuple[int, int] | None
    ) -> "tuple[pygame.Surface | None, Rect, Any]":
        """Return the note on the control under the pointer, where it lies, and a key that tells notes apart."""
        nothing = (None, (0, 0, 0, 0), None)
        if pointer is None or hovered.kind not in ("button", "slider"):
            return nothing
        every: tuple[Any, ...] = shown.buttons if hovered.kind == "button" else shown.sliders
        control = next(each for each in every if each.name == hovered.name)
        key = getattr(control, "key", "")
        picture = controls.note(control.label, key, control.hint, control.why_not, zoom, size[0] - round(16 * zoom))
        part = next(part for part in self._frame[2].parts if part.name == hovered.name and part.kind == hovered.kind)
        w, h = picture.get_size()
        x, y, part_w, part_h = part.rect
        gap, margin = round(6 * zoom), round(4 * zoom)
        left = min(max(x + part_w // 2 - w // 2, margin), max(size[0] - w - margin, 0))
        below = y + part_h + gap
        top = below if below + h <= size[1] - margin else max(y - gap - h, 0)
        place = (left, top, w, h)
        return picture, place, (place, control.label, key, control.hint, control.why_not, zoom)

    def _hit_plan(self, plan: layout.Layout, shown: Shown, zoom: float, pos: tuple[int, int]) -> Hit:
        part = next((part for part in plan.parts if holds(part.rect, pos)), None)
        if part is None:
            return NOTHING
        if part.kind == "board":
            board = panels.board_of(shown, part.number)
            row, column = (pos[1] - part.rect[1]) // part.tile, (pos[0] - part.rect[0]) // part.tile
            if row < board.level.rows and column < board.level.columns:
                return Hit("cell", board=part.number, cell=row * board.level.columns + column)
            return NOTHING
        if part.kind in ("slider", "timeline"):
            return Hit(part.kind, part.name, position=_position(part, zoom, pos))
        return Hit("button", part.name) if part.kind == "button" else NOTHING


def _position(part: Part, zoom: float, pos: tuple[int, int]) -> float:
    _, _, w, h = part.rect
    begin, end = timeline.track(w, zoom) if part.kind == "timeline" else controls.slider_track(w, h, zoom)[:2]
    return min(max((pos[0] - part.rect[0] - begin) / max(end - begin, 1), 0.0), 1.0)


def _rect(rect: "pygame.Rect") -> Rect:
    return rect.x, rect.y, rect.w, rect.h


def _overlap(one: Rect, other: Rect) -> bool:
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    )
