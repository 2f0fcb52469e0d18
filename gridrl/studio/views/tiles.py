"""Pictures of what lies on one cell, for one size of tile; each is made once and kept."""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from gridrl.studio.views import shapes
from gridrl.studio.views.palette import GLOW, INK, TRAIL, Colour, mixed
from gridrl_envs import rendering

if TYPE_CHECKING:
    import pygame

SMALL, SMALLER = 0.5, 0.34  # side of an item's sprite where a map, or four numbers, lie under it, of the tile
LINED = 8  # pixels: from this size of tile on there are lines between cells
LINE = 0.13  # how dark they are
_STEPS = ((0, -1), (0, 1), (-1, 0), (1, 0))


@lru_cache(maxsize=256)
def ground(tile: int, layers: tuple[str, ...]) -> "pygame.Surface":
    """Return a pile of ground sprites, as the environment draws them."""
    return shapes.from_pixels(rendering.cell_picture(tile, layers))


@lru_cache(maxsize=256)
def value(tile: int, colour: Colour) -> "pygame.Surface":
    """Return a cell of a map: its colour, and a line towards the cells at its right and below."""
    picture = shapes.opaque((tile, tile))
    picture.fill(colour)
    if tile >= LINED:
        line = mixed(colour, INK, LINE)
        picture.fill(line, (tile - 1, 0, 1, tile))
        picture.fill(line, (0, tile - 1, tile, 1))
    return picture


@lru_cache(maxsize=256)
def sprite(size: int, name: str, opacity: float = 1.0) -> "pygame.Surface":
    """Return one sprite on nothing."""
    pixels = rendering.sprite(size, name)
    if opacity < 1:
        pixels[:, :, 3] = np.rint(pixels[:, :, 3] * opacity)
    return shapes.from_pixels(pixels)


@lru_cache(maxsize=64)
def greedy(size: int, bits: int) -> "pygame.Surface":
    """Return the arrows of the greedy actions; where all four are alike, a dot."""
    if bits == 15:
        picture = shapes.clear((size, size))
        dot = shapes.disc(max(round(size * 0.26), 2), (120, 132, 150))
        picture.blit(dot, ((size - dot.get_width()) // 2, (size - dot.get_height()) // 2))
        return picture
    return shapes.arrows(size, tuple(action for action in range(4) if bits >> action & 1), INK)


@lru_cache(maxsize=256)
def trail(tile: int, code: int) -> "pygame.Surface":
    """Return the piece of the trail on a cell, from its middle to the sides that it runs through."""
    bits, age = code & 15, code >> 4
    half, middle = max(tile * 0.03, 0.6), tile / 2
    pieces = [[(middle + x, middle + y) for x, y in ((-half, -half), (half, -half), (half, half), (-half, half))]]
    for side, (dx, dy) in enumerate(_STEPS):
        if bits >> side & 1:
            x, y = middle + dx * tile, middle + dy * tile
            across = (half * abs(dy), half * abs(dx))
            pieces.append(
                [
                    (middle - across[0], middle - across[1]),
                    (x - across[0], y - across[1]),
                    (x + across[0], y + across[1]),
                    (middle + across[0], middle + across[1]),
                ]
            )
    return shapes.polygons((tile, tile), pieces, TRAIL, {1: 160, 2: 95, 3: 50}[age])


@lru_cache(maxsize=16)
def glow(tile: int) -> "pygame.Surface":
    """Return the glow of a cell that nobody can reach: strong at its edges, hatched within."""
    y, x = np.mgrid[:tile, :tile] + 0.5
    edge = np.minimum(np.minimum(x, tile - x), np.minimum(y, tile - y)) / tile
    period = max(tile / 4, 4)
    hatch = np.clip((period * 0.22 - np.abs((x + y) % period - period / 2)) + 0.5, 0, 1)
    pixels = np.zeros((tile, tile, 4), np.uint8)
    pixels[:, :, :3] = GLOW
    pixels[:, :, 3] = np.clip(70 + 120 * np.exp(-edge / 0.09) + 70 * hatch, 0, 235)
    return shapes.from_pixels(pixels)


@lru_cache(maxsize=32)
def frame(tile: int, line: int, start: bool) -> "pygame.Surface":
    """Return the frame around a cell: of the cursor, white and dark; of a start, thin."""
    picture = shapes.clear((tile, tile))
    radius = max(round(tile * 0.12), 1)
    if start:
        inset = max(round(tile * 0.06), 1)
        shapes.box(picture, (inset, inset, tile - 2 * inset, tile - 2 * inset), radius, None, INK, line)
        return picture
    shapes.box(picture, (0, 0, tile, tile), radius, None, INK, line)
    if tile > 8 * line:
        inner = (line, line, tile - 2 * line, tile - 2 * line)
        shapes.box(picture, inner, max(radius - line, 0), None, (255, 255, 255), max(1, line // 2))
    return picture


@lru_cache(maxsize=64)
def head(size: int, action: int) -> "pygame.Surface":
    """Return a solid arrow head: the mark of a best triangle."""
    dx, dy = _STEPS[action]
    middle, reach = size / 2, size * 0.42
    tip = (middle + dx * reach, middle + dy * reach)
    back = (middle - dx * reach * 0.7, middle - dy * reach * 0.7)
    across = (dy * reach * 1.1, dx * reach * 1.1)
    points = [tip, (back[0] + across[0], back[1] + across[1]), (back[0] - across[0], back[1] - across[1])]
    return shapes.polygon((size, size), points, INK)
