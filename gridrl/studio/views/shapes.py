"""Shapes with smooth edges: rounded boxes, polygons, arrows, curves, discs. What repeats is kept as a picture."""

from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gridrl.studio.views.palette import Colour
from gridrl_envs import rendering

if TYPE_CHECKING:
    import pygame

load_pygame = cache(rendering.load_pygame)  # an import costs more than a small shape

Point = tuple[float, float]
SAMPLES = 4  # per pixel and side, for polygons
_STEPS: tuple[Point, ...] = ((0, -1), (0, 1), (-1, 0), (1, 0))  # of actions up, down, left, right


def clear(size: tuple[int, int]) -> "pygame.Surface":
    """Return an empty surface, RGBA."""
    module: Any = load_pygame()
    return cast("pygame.Surface", module.Surface(size, module.SRCALPHA))


def opaque(size: tuple[int, int]) -> "pygame.Surface":
    """Return a black surface, RGB, of the kind that pygame draws on fastest."""
    return cast("pygame.Surface", load_pygame().Surface(size, 0, 32))


def from_pixels(pixels: np.ndarray) -> "pygame.Surface":
    """Return a surface of its own from uint8 [H, W, 3 or 4]."""
    mode, like = ("RGB", opaque((1, 1))) if pixels.shape[2] == 3 else ("RGBA", clear((1, 1)))
    surface = load_pygame().image.frombytes(pixels.tobytes(), pixels.shape[1::-1], mode)
    return cast("pygame.Surface", surface.convert(like))  # in the order of colours that is drawn fastest


@lru_cache(maxsize=512)
def _corners(radius: int, fill: Colour | None, edge: Colour | None, line: float) -> "pygame.Surface":
    """Return the four corners of a rounded box, put together: a picture of 2 radius x 2 radius pixels."""
    at = np.arange(2 * radius) + 0.5 - radius
    distance = np.hypot(at[:, None], at) - radius  # below 0 within
    inside = np.clip(0.5 - distance, 0, 1)
    kernel = np.clip(0.5 - (distance + line), 0, 1) if edge is not None else inside
    pixels = np.zeros((2 * radius, 2 * radius, 4))
    pixels[:, :, :3] = edge if edge is not None else fill
    alpha = inside
    if fill is None:
        alpha = inside - kernel
    elif edge is not None:
        share = (kernel / np.maximum(inside, 1e-6))[:, :, None]
        pixels[:, :, :3] = np.array(edge) * (1 - share) + np.array(fill) * share
    pixels[:, :, 3] = alpha * 255
    return from_pixels(np.rint(pixels).clip(0, 255).astype(np.uint8))


def box(
    surface: "pygame.Surface",
    rect: tuple[int, int, int, int],
    radius: int,
    fill: Colour | None,
    edge: Colour | None = None,
    line: int = 1,
) -> None:
    """Draw a box with round corners: filled, with an edge of `line` pixels inside its rect, or both."""
    x, y, w, h = rect
    r = max(0, min(radius, w // 2, h // 2))
    if r and (fill is not None or edge is not None):
        corners = _corners(r, fill, edge, line)
        for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
            surface.blit(corners, (x + right * (w - r), y + down * (h - r)), (right * r, down * r, r, r))
    if fill is not None:
        surface.fill(fill, (x + r, y, w - 2 * r, r))
        surface.fill(fill, (x, y + r, w, h - 2 * r))
        surface.fill(fill, (x + r, y + h - r, w - 2 * r, r))
    if edge is not None:
        for part in (
            (x + r, y, w - 2 * r, line),
            (x + r, y + h - line, w - 2 * r, line),
            (x, y + r, line, h - 2 * r),
            (x + w - line, y + r, line, h - 2 * r),
        ):
            surface.fill(edge, part)


def polygon(size: tuple[int, int], points: Sequence[Point], colour: Colour, opacity: int = 255) -> "pygame.Surface":
    """Return a picture of a filled polygon, its corners in pixels, with smooth edges."""
    return polygons(size, [points], colour, opacity)


def polygons(
    size: tuple[int, int], outlines: Sequence[Sequence[Point]], colour: Colour, opacity: int = 255
) -> "pygame.Surface":
    """Return one picture of several filled polygons of one colour."""
    pygame: Any = load_pygame()
    large = clear((size[0] * SAMPLES, size[1] * SAMPLES))
    large.fill((*colour, 0))  # the same colour throughout, so that scaling mixes in no other
    for outline in outlines:
        pygame.draw.polygon(large, (*colour, opacity), [(x * SAMPLES, y * SAMPLES) for x, y in outline])
    smooth: pygame.Surface = pygame.transform.smoothscale(large, size)
    return smooth


def arrow_outline(tail: Point, tip: Point, width: float, head: float) -> list[Point]:
    """Return the corners of an arrow; `width` is its shaft's, `head` the length of its head."""
    length = float(np.hypot(tip[0] - tail[0], tip[1] - tail[1])) or 1.0
    dx, dy = (tip[0] - tail[0]) / length, (tip[1] - tail[1]) / length
    neck = (tip[0] - dx * head, tip[1] - dy * head)

    def beside(point: Point, distance: float) -> Point:
        return point[0] - dy * distance, point[1] + dx * distance

    half, wide = width / 2, head * 0.62
    return [
        beside(tail, half),
        beside(neck, half),
        beside(neck, wide),
        tip,
        beside(neck, -wide),
        beside(neck, -half),
        beside(tail, -half),
    ]


@lru_cache(maxsize=1024)
def arrows(size: int, actions: tuple[int, ...], colour: Colour) -> "pygame.Surface":
    """Return a picture, `size` pixels square, of the actions' arrows: alone through the middle, several from it."""
    middle = size / 2
    reach = size * 0.48
    outlines = []
    for action in actions:
        dx, dy = _STEPS[action]
        back = reach if len(actions) == 1 else 0.0
        tail = (middle - dx * back, middle - dy * back)
        tip = (middle + dx * reach, middle + dy * reach)
        outlines.append(arrow_outline(tail, tip, max(size * 0.13, 1.3), size * 0.36))
    return polygons((size, size), outlines, colour)


@lru_cache(maxsize=256)
def disc(diameter: int, fill: Colour, edge: Colour | None = None, line: float = 1.0) -> "pygame.Surface":
    """Return a picture of a disc."""
    at = np.arange(diameter) + 0.5 - diameter / 2
    distance = np.hypot(at[:, None], at) - diameter / 2
    pixels = np.zeros((diameter, diameter, 4))
    share = np.clip(0.5 - (distance + line), 0, 1)[:, :, None] if edge is not None else 1.0
    pixels[:, :, :3] = np.array(fill) * share + np.array(edge or fill) * (1 - share)
    pixels[:, :, 3] = np.clip(0.5 - distance, 0, 1) * 255
    return from_pixels(np.rint(pixels).clip(0, 255).astype(np.uint8))


def curve(surface: "pygame.Surface", points: Sequence[Point], colour: Colour, thickness: float) -> None:
    """Draw a line through points, smooth at any angle, about `thickness` pixels wide."""
    pygame = load_pygame()
    if len(points) < 2:
        return
    # Thin smooth lines beside each other: pygame's own wide ones have caps that stick out at every corner.
    spread = max(thickness - 1.0, 0.0) / 2
    offsets = np.arange(-spread, spread + 0.01, 0.5) if spread else (0.0,)
    for offset in offsets:
        pygame.draw.aalines(surface, colour, False, [(x, y + offset) for x, y in points])
        if offset:
            pygame.draw.aalines(surface, colour, False, [(x + offset, y) for x, y in points])


def dashes(points: Sequence[Point], length: float, gap: float) -> list[list[Point]]:
    """Return a line through points cut into dashes, each again a list of points."""
    pieces: list[list[Point]] = []
    left, drawing = length, True
    piece: list[Point] = [points[0]] if points else []
    for (x0, y0), (x1, y1) in pairwise(points):
        span = float(np.hypot(x1 - x0, y1 - y0))
        done = 0.0
        while span - done > left:
            done += left
            at = (x0 + (x1 - x0) * done / span, y0 + (y1 - y0) * done / span)
            if drawing:
                pieces.append([*piece, at])
            drawing = not drawing
            piece, left = [at], length if drawing else gap
        left -= span - done
        if drawing:
            piece.append((x1, y1))
    if drawing and len(piece) > 1:
        pieces.append(piece)
    return pieces
