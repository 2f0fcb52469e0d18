"""State -> picture. Needs no display, no sound device and no environment variable.

A cell shows layers: its ground, then an item, a patroller, the player. The picture of each pile of layers is made once
per tile size, the bare board once per level; a frame is a copy of the board in which the occupied cells are replaced.
"""

import os
from functools import lru_cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from gridrl_envs.dynamics import State
    from gridrl_envs.level import Level

MAX_PIXELS = 2**28  # 768 MiB
_TURNS = {0: 1, 1: 3, 2: 2, 3: 0}  # heading (up, down, left, right) -> quarter turns of the sprite, which heads right


def draw(level: "Level", state: "State", *, tile: int = 40) -> np.ndarray:
    """Draw one state of a level, a cell `tile` pixels wide: uint8 [rows * tile, columns * tile, 3], RGB, a fresh array.

    Patrollers stand where they are at the state's step. Raises `ValueError` if `tile` is no whole number above 0 or the
    picture would hold more than `MAX_PIXELS` pixels.
    """
    if not isinstance(tile, (int, np.integer)) or tile < 1:
        raise ValueError(f"a tile is a whole number of pixels, 1 or more, got {tile!r}; try tile=40")
    tile = int(tile)
    height, width = level.rows * tile, level.columns * tile
    if height * width > MAX_PIXELS:
        raise ValueError(f"a picture of {width} x {height} pixels is too large; choose a tile smaller than {tile}")
    item_cells, num_coins, patrollers = pieces(level)

    layers: dict[int, tuple[str, ...]] = {}  # what stands on a cell now, lowest first
    for item, (cell, is_left) in enumerate(zip(item_cells, state.items, strict=True)):
        if is_left:
            layers[cell] = ("coin" if item < num_coins else "poison",)
    for cell, heading in patrollers[state.step % len(patrollers)]:
        layers[cell] = (*layers.get(cell, ()), f"patroller{heading}")
    layers[state.cell] = (*layers.get(state.cell, ()), "player")

    layers_of = ground(level)
    frame = _board(level, tile).copy()
    cells = frame.reshape(level.rows, tile, level.columns, tile, 3)
    for cell, names in layers.items():
        row, column = divmod(cell, level.columns)
        cells[row, :, column] = cell_picture(tile, layers_of[cell] + names)
    return frame


def frame_tile(level: "Level", width: int, height: int | None = None) -> int:
    """Largest tile size, at least 1, whose picture of `level` is at most `width` (and `height`) pixels large."""
    tile = width // level.columns
    if height is not None:
        tile = min(tile, height // level.rows)
    return max(1, tile)


def load_pygame() -> Any:
    """Import pygame, when a picture is first drawn and not before, without its greeting on the terminal."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    return import_module("pygame")


def sprite_folder() -> Any:
    """Where the sprites lie: in the installed package, or in `assets/` beside an editable install."""
    shipped = files("gridrl_envs") / "sprites"
    return shipped if shipped.is_dir() else Path(__file__).parents[2] / "assets" / "sprites"


@lru_cache(maxsize=1)
def _full_size_sprites() -> dict[str, np.ndarray]:
    """Every sprite as drawn: float32 [size, size, RGBA], 0 to 1, colours premultiplied by alpha."""
    pygame = load_pygame()
    sprites = {}
    for path in sprite_folder().iterdir():
        if path.name.endswith(".png"):
            with path.open("rb") as file:
                surface = pygame.image.load(file, path.name)
            pixels = np.frombuffer(pygame.image.tobytes(surface, "RGBA"), np.uint8).reshape(*surface.get_size(), 4)
            sprite = pixels.astype(np.float32) / 255
            sprite[:, :, :3] *= sprite[:, :, 3:]  # else the hidden colour of clear pixels would show when scaled
            sprites[path.name.removesuffix(".png")] = sprite
    return sprites


@lru_cache(maxsize=4)
def _sprites(tile: int) -> dict[str, np.ndarray]:
    """Every sprite at `tile` pixels, each pixel the average of the area it covers; the patroller once per heading.

    In NumPy because pygame's own scaling loses brightness and differs between processors.
    """
    sprites = {}
    for name, full in _full_size_sprites().items():
        edges = np.arange(tile + 1) * (len(full) / tile)
        pixel = np.arange(len(full))
        overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
        weight = (np.clip(overlap, 0, None) * (tile / len(full))).astype(np.float32)  # [tile, size], rows sum to 1
        sprites[name] = np.einsum("yv,xu,vuc->yxc", weight, weight, full, optimize=True)
    patroller = sprites.pop("patroller")
    for heading, quarter_turns in _TURNS.items():
        sprites[f"patroller{heading}"] = np.rot90(patroller, quarter_turns)
    return sprites


def sprite(tile: int, name: str) -> np.ndarray:
    """Return one sprite at `tile` pixels: uint8 [tile, tile, RGBA], colours not premultiplied.

    The patroller has a name for each heading, "patroller0" (up) to "patroller3" (right).
    """
    premultiplied = _sprites(tile)[name]
    alpha = premultiplied[:, :, 3:]
    colour = premultiplied[:, :, :3] / np.maximum(alpha, 1e-6)
    return np.rint(np.concatenate([colour, alpha], axis=2) * 255).clip(0, 255).astype(np.uint8)


@lru_cache(maxsize=1024)
def cell_picture(tile: int, layers: tuple[str, ...]) -> np.ndarray:
    """One cell, its layers laid over each other, lowest first: uint8 [tile, tile, 3]; shared, so do not change it."""
    sprites = _sprites(tile)
    picture = np.zeros((tile, tile, 3), np.float32)
    for name in layers:
        sprite = sprites[name]
        picture = sprite[:, :, :3] + (1 - sprite[:, :, 3:]) * picture
    return np.rint(picture * 255).clip(0, 255).astype(np.uint8)


@lru_cache(maxsize=16)
def _board(level: "Level", tile: int) -> np.ndarray:
    """What never changes (ground, walls, goals, pits): uint8 [rows * tile, columns * tile, 3]."""
    board = np.empty((level.rows, tile, level.columns, tile, 3), np.uint8)
    for cell, layers in enumerate(ground(level)):
        row, column = divmod(cell, level.columns)
        board[row, :, column] = cell_picture(tile, layers)
    return board.reshape(level.rows * tile, level.columns * tile, 3)


@lru_cache(maxsize=16)
def ground(level: "Level") -> list[tuple[str, ...]]:
    """Names of the sprites that lie on each cell for good, lowest first."""
    board = level.map
    layers: list[tuple[str, ...]] = []
    for row, line in enumerate(board):
        for column, glyph in enumerate(line):
            if glyph == "#":
                has_front = row + 1 < len(board) and board[row + 1][column] != "#"
                layers.append(("wall_front",) if has_front else ("wall",))
                continue
            # Two shades in a chequer show the cells.
            floor = "floor_alternate" if (row + column) % 2 else "floor"
            fixture = {"G": ("goal",), "X": ("pit",)}.get(glyph, ())
            shade = ("shade",) if row and board[row - 1][column] == "#" else ()
            layers.append((floor, *fixture, *shade))
    return layers


@lru_cache(maxsize=16)
def pieces(level: "Level") -> tuple[list[int], int, list[list[tuple[int, int]]]]:
    """Cells of the items, how many of them are coins, and (cell, heading) of each patroller at each phase."""
    from gridrl_envs.dynamics import Dynamics

    dynamics = Dynamics(level)
    cells, headings = dynamics.patroller_cells.tolist(), dynamics.patroller_headings.tolist()
    patrollers = [list(zip(*phase, strict=True)) for phase in zip(cells, headings, strict=True)]
    return dynamics.item_cells.tolist(), dynamics.num_coins, patrollers
