"""Pictures, compared with the sprites laid over each other by Pillow and with pixels known by hand."""

import os
import runpy
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from PIL import Image

from gridrl_envs.dynamics import Dynamics, State
from gridrl_envs.level import Level
from gridrl_envs.rendering import MAX_PIXELS, draw, frame_tile

ASSETS = Path(__file__).parents[2] / "assets"
EVERY_GLYPH = """
##########
#P $ @ G #
# ## X # #
# > < ^ v#
# $@$#@GX#
##########
"""

# Machado, Oliveira and Fernandes (2009), "A Physiologically-based Model for Simulation of Color Vision Deficiency",
# severity 1.0; the matrices act on linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def start(level: Level) -> State:
    return State(level.starts[0], 0, (True,) * Dynamics(level).num_items)


def cell_picture(frame: np.ndarray, level: Level, cell: int) -> np.ndarray:
    tile = frame.shape[1] // level.columns
    row, column = divmod(cell, level.columns)
    return frame[row * tile : (row + 1) * tile, column * tile : (column + 1) * tile]


def changed_cells(level: Level, before: np.ndarray, after: np.ndarray) -> set[int]:
    return {
        cell
        for cell in range(level.rows * level.columns)
        if (cell_picture(before, level, cell) != cell_picture(after, level, cell)).any()
    }


def lightness(picture: np.ndarray, sight: np.ndarray) -> np.ndarray:
    """CIE 1976 L*, 0 to 100, of sRGB pixels [..., 3] as an eye sees them."""
    srgb = picture / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    luminance = np.clip(linear @ sight.T, 0, 1) @ [0.2126, 0.7152, 0.0722]
    return np.where(luminance <= 216 / 24389, luminance * 24389 / 27, 116 * np.cbrt(luminance) - 16)


def sprite(name: str) -> Image.Image:
    return Image.open(ASSETS / "sprites" / f"{name}.png").convert("RGBA")


def naive_picture(level: Level, state: State) -> np.ndarray:
    """The picture at 128 pixels a tile, cell by cell from the map's glyphs, by Pillow."""
    dynamics = Dynamics(level)
    phase = state.step % dynamics.num_phases
    items = dict(zip(dynamics.item_cells.tolist(), state.items, strict=True))
    picture = Image.new("RGBA", (level.columns * 128, level.rows * 128))
    for row in range(level.rows):
        for column in range(level.columns):
            cell, glyph = row * level.columns + column, level.map[row][column]
            if glyph == "#":
                front = row + 1 < level.rows and level.map[row + 1][column] != "#"
                layers = [sprite("wall_front" if front else "wall")]
            else:
                layers = [sprite("floor" if (row + column) % 2 == 0 else "floor_alternate")]
                if glyph in "GX":
                    layers.append(sprite("goal" if glyph == "G" else "pit"))
                if level.map[row - 1][column] == "#":
                    layers.append(sprite("shade"))
            if glyph in "$@" and items[cell]:
                layers.append(sprite("coin" if glyph == "$" else "poison"))
            for place, heading in zip(dynamics.patroller_cells[phase], dynamics.patroller_headings[phase], strict=True):
                if place == cell:
                    layers.append(sprite("patroller").rotate([90, -90, 180, 0][heading]))
            if cell == state.cell:
                layers.append(sprite("player"))
            pile = layers[0]
            for layer in layers[1:]:
                pile = Image.alpha_composite(pile, layer)
            picture.paste(pile, (column * 128, row * 128))
    return np.asarray(picture.convert("RGB"))


@pytest.mark.parametrize("name", ["every glyph", "dense-small"])
@pytest.mark.parametrize("step", [0, 3])
def test_a_picture_is_the_sprites_laid_over_each_other(name: str, step: int) -> None:
    level = Level.from_string(EVERY_GLYPH) if name == "every glyph" else Level.load(name)
    state = start(level)._replace(step=step)
    state = state._replace(items=(False, *state.items[1:]))
    frame = draw(level, state, tile=128)
    difference = np.abs(frame.astype(int) - naive_picture(level, state))
    assert difference.max() <= 2  # Pillow rounds after every layer


def test_smaller_tiles_are_the_large_picture_made_smaller() -> None:
    level = Level.from_string(EVERY_GLYPH)
    large = naive_picture(level, start(level)).astype(float)
    small = draw(level, start(level), tile=16).astype(float)
    averaged = large.reshape(level.rows * 16, 8, level.columns * 16, 8, 3).mean(axis=(1, 3))
    assert np.abs(small - averaged).max() <= 2  # a dark fringe round a sprite would be far above this


@pytest.mark.parametrize("tile", [1, 8, 12, 20, 33, 40, 96, 128, 200])
def test_a_picture_has_tile_pixels_per_cell(tile: int) -> None:
    level = Level.load("dense")
    frame = draw(level, start(level), tile=tile)
    assert frame.shape == (10 * tile, 20 * tile, 3)
    assert frame.dtype == np.uint8
    assert frame.flags.c_contiguous


def test_the_colours_of_known_pixels() -> None:
    level = Level.from_string("######\n#P$@ #\n#GX >#\n######")
    frame = draw(level, start(level), tile=128)
    known = {
        ("wall", 0, 0, 64, 64): "5c6981",
        ("front of a wall", 0, 1, 64, 105): "3d475c",
        ("player", 1, 1, 64, 80): "1f78c8",
        ("coin", 1, 2, 64, 64): "f7c93c",
        ("poison", 1, 3, 34, 96): "6b2a86",
        ("floor", 1, 4, 64, 64): "ebe5d8",
        ("goal's pole", 2, 1, 43, 60): "064a38",
        ("pit", 2, 2, 64, 64): "12111a",
        ("floor, other shade", 2, 2 + 1, 64, 64): "ebe5d8",
        ("patroller", 2, 4, 40, 64): "dd5f1c",
    }
    for (what, row, column, x, y), colour in known.items():
        assert frame[row * 128 + y, column * 128 + x].tobytes().hex() == colour, what


def test_a_move_changes_the_two_cells_of_the_player() -> None:
    level = Level.load("dense-small")
    before = start(level)
    after = before._replace(cell=before.cell + 1, step=1)
    assert changed_cells(level, draw(level, before), draw(level, after)) == {before.cell, before.cell + 1}


def test_a_collected_item_is_gone_and_nothing_else_is() -> None:
    level = Level.load("dense-small")
    full = start(level)
    whole = draw(level, full)
    for item, cell in enumerate(level.coins + level.poisons):
        items = tuple(other != item for other in range(len(full.items)))
        frame = draw(level, full._replace(items=items))
        assert changed_cells(level, whole, frame) == {cell}
        bare = level.replace(map=tuple(row.replace("@", " ") for row in level.map)) if cell in level.poisons else None
        if bare is not None:
            there = draw(bare, State(full.cell, 0, (True,) * len(level.coins)))
            assert (cell_picture(frame, level, cell) == cell_picture(there, level, cell)).all()


def test_patrollers_stand_where_the_rules_put_them() -> None:
    level = Level.load("dense")
    dynamics = Dynamics(level)
    first = draw(level, start(level))
    for step in range(1, 2 * dynamics.num_phases + 1):
        phase = step % dynamics.num_phases
        changed = changed_cells(level, first, draw(level, start(level)._replace(step=step)))
        places = set(dynamics.patroller_cells[0].tolist()) | set(dynamics.patroller_cells[phase].tolist())
        assert changed <= places
        if dynamics.patroller_cells[phase].tolist() != dynamics.patroller_cells[0].tolist():
            assert changed


def test_a_patroller_looks_where_it_heads() -> None:
    level = Level.from_string(EVERY_GLYPH)
    frame = draw(level, start(level), tile=64)
    towards = {0: (-1, 0), 1: (1, 0), 2: (0, -1), 3: (0, 1)}  # row, column; up, down, left, right
    headings = set()
    for cell, heading in level.patrollers:
        picture = cell_picture(frame, level, cell)
        pupils = np.argwhere((np.abs(picture.astype(int) - (0x23, 0x29, 0x3A)) < 12).all(axis=-1))
        assert len(pupils)
        ahead = (pupils.mean(axis=0) - 31.5) @ towards[heading]
        assert ahead > 2
        headings.add(heading)
    assert headings == {0, 1, 2, 3}


def test_the_player_is_on_top_of_whatever_it_meets() -> None:
    level = Level.from_string(EVERY_GLYPH)
    for cell in (level.patrollers[0][0], level.goals[0], level.pits[0], level.coins[0]):
        frame = draw(level, start(level)._replace(cell=cell), tile=128)
        assert cell_picture(frame, level, cell)[80, 64].tobytes().hex() == "1f78c8"


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("tile", [12, 40])
def test_every_two_glyphs_differ_in_lightness_or_shape(sight: str, tile: int) -> None:
    level = Level.from_string("##########\n#  >   < #\n#P $ @ G #\n# ^  X v #\n#        #\n##########")
    frame = draw(level, start(level), tile=tile)
    cells = {"player": level.starts[0], "coin": level.coins[0], "poison": level.poisons[0], "goal": level.goals[0]}
    cells |= {"pit": level.pits[0], "wall": 0, "floor": level.columns * 4 + 2}
    cells |= {f"patroller {heading}": cell for cell, heading in level.patrollers}
    seen = {name: lightness(cell_picture(frame, level, cell), SIGHT[sight]) for name, cell in cells.items()}
    for one, other in combinations(seen, 2):
        # Lightness alone, so hue counts for nothing: 5 of 100 on the average over all pixels of a cell.
        assert np.abs(seen[one] - seen[other]).mean() >= 5, (one, other)
    body = slice(tile // 2, tile * 3 // 4), slice(tile * 3 // 8, tile * 5 // 8)
    assert np.median(seen["coin"][body]) - np.median(seen["poison"][body]) >= 25
    assert np.median(seen["goal"]) - np.median(seen["pit"]) >= 50


def test_each_picture_is_the_callers_own() -> None:
    level = Level.load("dense")
    first = draw(level, start(level), tile=8)
    kept = first.copy()
    first[:] = 0
    assert (draw(level, start(level), tile=8) == kept).all()


@pytest.mark.parametrize("tile", [0, -4, 2.5, "40"])
def test_a_tile_must_be_a_whole_number_of_pixels(tile: object) -> None:
    level = Level.load("dense")
    with pytest.raises(ValueError, match="a tile is a whole number of pixels"):
        draw(level, start(level), tile=tile)  # type: ignore[arg-type]


def test_a_picture_too_large_is_refused_before_it_is_drawn() -> None:
    level = Level.load("dense")
    tile = int((MAX_PIXELS / 200) ** 0.5) + 1
    with pytest.raises(ValueError, match="is too large; choose a tile smaller than"):
        draw(level, start(level), tile=tile)


def test_frame_tile_is_the_largest_that_fits() -> None:
    level = Level.load("dense")  # 10 rows, 20 columns
    assert frame_tile(level, 400) == 20
    assert frame_tile(level, 419) == 20
    assert frame_tile(level, 400, 150) == 15
    assert frame_tile(level, 7) == 1


@pytest.mark.parametrize("name", ["dense", "dense-small"])
def test_the_environment_shows_this_picture(name: str) -> None:
    env = gymnasium.make(f"{name}-v0", render_mode="rgb_array")
    env.reset(seed=0)
    for action in (3, 3, 1):
        env.step(action)
        frame = env.render()
        inner = env.unwrapped
        tile = frame.shape[1] // inner.level.columns  # type: ignore[attr-defined, union-attr]
        assert (frame == draw(inner.level, inner.get_state(), tile=tile)).all()  # type: ignore[attr-defined]
    env.close()


def test_drawing_opens_no_display_and_no_sound_and_says_nothing() -> None:
    code = """
import sys
import gridrl_envs, gridrl_envs.rendering, gridrl_envs.window, gridrl_envs.gridworld
assert "pygame" not in sys.modules
from gridrl_envs.dynamics import Dynamics, State
from gridrl_envs.level import Level
level = Level.load("dense")
assert "pygame" not in sys.modules
gridrl_envs.rendering.draw(level, State(level.starts[0], 0, (True,) * Dynamics(level).num_items))
import pygame
assert not pygame.display.get_init() and not pygame.get_init()
assert pygame.mixer.get_init() is None
"""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "SDL_AUDIODRIVER", "PYGAME_HIDE_SUPPORT_PROMPT")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_sprites_are_what_their_script_draws(tmp_path: Path) -> None:
    runpy.run_path(str(ASSETS / "make_sprites.py"))["main"](tmp_path)
    drawn, kept = sorted(tmp_path.glob("*.png")), sorted((ASSETS / "sprites").glob("*.png"))
    assert [path.name for path in drawn] == [path.name for path in kept]
    assert sum(path.stat().st_size for path in kept) < 200_000
    for path in drawn:
        new, old = np.asarray(Image.open(path)), np.asarray(sprite(path.stem))
        assert new.shape == (128, 128, 4)
        # Another release of Pillow may set a pixel of an edge differently.
        assert np.abs(new.astype(int) - old).mean() < 0.5
