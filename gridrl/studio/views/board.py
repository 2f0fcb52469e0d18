"""A board: the level, what stands on it, and a map of numbers under it. Only cells that changed are drawn again."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gridrl.studio.shown import Board, CellMap
from gridrl.studio.views import cells, text, tiles
from gridrl.studio.views.palette import INK, mixed, ramp_colours
from gridrl.studio.views.parts import Rect, same
from gridrl.studio.views.shapes import load_pygame

if TYPE_CHECKING:
    import pygame

    from gridrl_envs.level import Level

_NUMBER_SHARE = 0.27  # size of a number's type, of the tile
_SMALLEST, _LARGEST = 8.5, 15  # sizes of a number's type, in design units
_ASIDE = 0.15  # how far an arrow gives way to an item, of the tile
_MANY = 24  # more changed cells than this are named as one rect


class BoardPicture:
    """Draws boards at one place of a surface; remembers what each cell shows there."""

    def __init__(self, surface: "pygame.Surface", x: int, y: int, tile: int, zoom: float) -> None:
        self._pygame = load_pygame()
        self._surface, self._x, self._y, self._tile, self._zoom = surface, x, y, tile, zoom
        self._rows: NDArray[np.int32] | None = None  # what is drawn, [cells, NUM_COLUMNS]
        self._style: tuple[object, ...] = ()  # what all cells depend on
        self._source: tuple[Level, CellMap | None] | None = None  # what `_still` was made from
        self._still: NDArray[np.int32] = np.zeros((0, 0), np.int32)
        self._columns = 0
        self._colours = ramp_colours(False)
        self._number_px = 0
        self._has_triangles = False
        self._digits: cells.Digits | None = None

    def draw(self, board: Board) -> list[Rect]:
        """Draw a board, with four actions' triangles or one value in each cell; return what was drawn again."""
        level, cell_map = board.level, board.map
        if not same(self._source, (level, cell_map)):
            self._choose_numbers(cell_map)
            self._still = cells.still_rows(level, cell_map, self._digits)
            self._source = (level, cell_map)
        rows = self._still.copy()
        cells.add_pieces(rows, board)
        signed = cell_map is not None and cell_map.scale.signed
        style = (level.rows, level.columns, signed, self._digits, self._number_px, self._has_triangles)
        if self._rows is None or style != self._style:
            changed = np.arange(len(rows))
        else:
            changed = np.flatnonzero((rows != self._rows).any(axis=1))
        self._rows, self._style, self._columns = rows, style, level.columns
        self._colours = ramp_colours(signed)
        for cell in changed.tolist():
            self._draw_cell(cell, rows[cell].tolist())
        return self._rects(changed, level)

    def _choose_numbers(self, cell_map: CellMap | None) -> None:
        """Decide whether numbers are written, with how many digits, and how large."""
        self._digits, self._number_px, self._has_triangles = None, 0, False
        if cell_map is None:
            return
        has_triangles = self._has_triangles = np.ndim(cell_map.values) == 2
        share = 0.15 if has_triangles else _NUMBER_SHARE
        room = self._tile * (0.3 if has_triangles else 0.88)
        px = min(round(self._tile * share), round(_LARGEST * self._zoom))
        if px < _SMALLEST * self._zoom:
            return
        for num_digits in (3, 2):
            digits = cells.digits_of(cell_map, num_digits)
            if text.width(cells.widest(cell_map, digits), px) <= room:
                self._digits, self._number_px = digits, px
                return

    def _draw_cell(self, cell: int, row: list[int]) -> None:
        surface, tile = self._surface, self._tile
        x = self._x + cell % self._columns * tile
        y = self._y + cell // self._columns * tile
        layers = cells.ground_layers(row[cells.GROUND])
        has_map = max(row[cells.COLOUR : cells.COLOUR + 4]) >= 0
        if has_map and not self._has_triangles:
            surface.blit(tiles.value(tile, self._colours[row[cells.COLOUR]]), (x, y))
        else:
            surface.blit(tiles.ground(tile, layers), (x, y))
        if has_map:
            if self._has_triangles:
                self._draw_triangles(x, y, row)
            for name in layers[1:]:
                if name == "shade":
                    surface.blit(tiles.sprite(tile, name), (x, y))
                else:
                    self._draw_corner(x, y, name)
        if row[cells.PIECES] & cells.GLOW:
            surface.blit(tiles.glow(tile), (x, y))
        if row[cells.TRAIL]:
            surface.blit(tiles.trail(tile, row[cells.TRAIL]), (x, y))
        if has_map:
            self._draw_marks(x, y, row)
        self._draw_pieces(x, y, row[cells.PIECES], has_map)

    def _draw_triangles(self, x: int, y: int, row: list[int]) -> None:
        """Draw a triangle of its colour for each action whose value is known."""
        surface, tile, draw, colours = self._surface, self._tile, self._pygame.draw, self._colours
        right, low, middle = x + tile - 1, y + tile - 1, (x + tile / 2, y + tile / 2)
        corners = ((x, y), (right, y), (x, low), (right, low))
        for action, (one, other) in enumerate(((0, 1), (2, 3), (0, 2), (1, 3))):
            number = row[cells.COLOUR + action]
            if number >= 0:
                draw.polygon(surface, colours[number], (corners[one], corners[other], middle))
        line = mixed(colours[max(row[cells.COLOUR : cells.COLOUR + 4])], INK, tiles.LINE)
        draw.aaline(surface, line, corners[0], corners[3])
        draw.aaline(surface, line, corners[1], corners[2])
        if tile >= tiles.LINED:
            surface.fill(line, (x + tile - 1, y, 1, tile))
            surface.fill(line, (x, y + tile - 1, tile, 1))

    def _draw_marks(self, x: int, y: int, row: list[int]) -> None:
        """Draw a cell's greedy actions and its numbers."""
        tile, bits = self._tile, row[cells.GREEDY]
        if row[cells.COLOUR + 1] != -2:
            self._draw_best_triangles(x, y, bits)
            self._draw_four_numbers(x, y, row)
            return
        has_number = row[cells.NUMBER] != cells.NO_NUMBER
        if bits > 0 and tile >= 7:
            size = max(round(tile * (0.42 if has_number else 0.56)), 5)
            middle = y + (tile - self._number_px * 1.05) / 2 if has_number else y + tile / 2
            aside = round(tile * _ASIDE) if self._has_corner(row) else 0
            left = (tile - size) // 2 - aside
            self._surface.blit(tiles.greedy(size, bits), (x + left, round(middle - size / 2)))
        if has_number and self._digits is not None:
            written = text.picture(self._digits.text(row[cells.NUMBER]), self._number_px, INK)
            low = y + tile - max(round(tile * 0.05), 2) - round(self._number_px * 0.15)
            at = (x + (tile - written.get_width()) // 2, low - written.get_height() + round(self._number_px * 0.15))
            if row[cells.TRAIL]:  # which would strike the number through
                self._surface.fill(self._colours[row[cells.COLOUR]], (*at, *written.get_size()))
            self._surface.blit(written, at)

    def _has_corner(self, row: list[int]) -> bool:
        """Return whether something small stands in the upper right corner of a cell with a map."""
        layers = cells.ground_layers(row[cells.GROUND])
        return bool(row[cells.PIECES] & (cells.COIN | cells.POISON)) or "goal" in layers or "pit" in layers

    def _draw_best_triangles(self, x: int, y: int, bits: int) -> None:
        tile = self._tile
        if bits <= 0 or bits == 15 or tile < 12:  # where all are alike, marks would only hide that
            return
        size = max(round(tile * (0.2 if self._digits is None else 0.14)), 5)
        inset = 0.36 if self._digits is None else 0.11
        for action, (dx, dy) in enumerate(((0, -1), (0, 1), (-1, 0), (1, 0))):
            if bits >> action & 1:
                picture = tiles.head(size, action)
                at = (x + tile / 2 + dx * tile * inset - size / 2, y + tile / 2 + dy * tile * inset - size / 2)
                self._surface.blit(picture, (round(at[0]), round(at[1])))

    def _draw_four_numbers(self, x: int, y: int, row: list[int]) -> None:
        if self._digits is None:
            return
        tile, px = self._tile, self._number_px
        pad = max(round(tile * 0.04), 2)
        for action in range(4):
            number = row[cells.NUMBER + action]
            if number == cells.NO_NUMBER:
                continue
            written = text.picture(self._digits.text(number), px, INK)
            w, h = written.get_size()
            left, top = x + (tile - w) // 2, y + (tile - h) // 2
            blank = round(h * 0.14)  # above and below the digits
            places = (
                (left, y + pad - blank),
                (left, y + tile - pad - h + blank),
                (x + pad, top),
                (x + tile - pad - w, top),
            )
            self._surface.blit(written, places[action])

    def _draw_pieces(self, x: int, y: int, pieces: int, has_map: bool) -> None:
        """Draw what stands on a cell, lowest first."""
        surface, tile = self._surface, self._tile
        for kind, name in ((cells.COIN, "coin"), (cells.POISON, "poison")):
            if pieces & kind:
                if has_map:
                    self._draw_corner(x, y, name)
                else:
                    surface.blit(tiles.sprite(tile, name), (x, y))
        line = max(1, round(self._zoom * (2 if tile >= 16 * self._zoom else 1)))
        if pieces & cells.START:
            surface.blit(tiles.sprite(tile, "player", 0.55), (x, y))
            surface.blit(tiles.frame(tile, line, True), (x, y))
        for heading in range(4):
            if pieces & cells.PATROLLER << heading:
                surface.blit(tiles.sprite(tile, f"patroller{heading}"), (x, y))
        if pieces & cells.PLAYER:
            surface.blit(tiles.sprite(tile, "player"), (x, y))
        if pieces & cells.CURSOR:
            surface.blit(tiles.frame(tile, line, False), (x, y))

    def _draw_corner(self, x: int, y: int, name: str) -> None:
        """Draw a sprite small, in the upper right corner of its cell: the map and its arrow stay to be seen."""
        tile = self._tile
        has_four_numbers = self._digits is not None and self._has_triangles
        size = max(round(tile * (tiles.SMALLER if has_four_numbers else tiles.SMALL)), 4)
        self._surface.blit(tiles.sprite(size, name), (x + tile - size, y))

    def _rects(self, changed: NDArray[np.intp], level: "Level") -> list[Rect]:
        tile = self._tile
        if len(changed) > _MANY:
            return [(self._x, self._y, level.columns * tile, level.rows * tile)]
        places = ((self._x + cell % level.columns * tile, self._y + cell // level.columns * tile) for cell in changed)
        return [(int(x), int(y), tile, tile) for x, y in places]
