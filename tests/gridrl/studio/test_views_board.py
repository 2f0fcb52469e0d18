import numpy as np
import pytest

from gridrl.plots.style import VALUES
from gridrl.studio.shown import Board, CellMap, Scale
from gridrl.studio.views import cells, palette, shapes
from gridrl.studio.views.board import BoardPicture
from gridrl_envs import rendering
from gridrl_envs.dynamics import State
from gridrl_envs.level import Level

TILE = 40
OPEN = "######\n#P   #\n#    #\n#   $#\n######"
UP, DOWN, LEFT, RIGHT = range(4)


@pytest.fixture
def draw(pixels):
    """board -> int [rows, columns, tile, tile, 3]: the pixels of each cell."""

    def draw(board, tile=TILE, zoom=1.0):
        rows, columns = board.level.rows, board.level.columns
        surface = shapes.opaque((columns * tile, rows * tile))
        BoardPicture(surface, 0, 0, tile, zoom).draw(board)
        return pixels(surface).reshape(rows, tile, columns, tile, 3).swapaxes(1, 2)

    return draw


def open_level(text=OPEN, **settings):
    return Level.from_string(text, **settings)


def start(level):
    return State(level.starts[0], 0, (True,) * (len(level.coins) + len(level.poisons)))


def valued(level, values, greedy=None, scale=None, **changes):
    """A board with a map; `values` by cell, all others unknown."""
    wide = np.asarray(next(iter(values.values()))).size
    array = np.full((level.rows * level.columns, 4) if wide == 4 else level.rows * level.columns, np.nan)
    for cell, value in values.items():
        array[cell] = value
    finite = array[np.isfinite(array)]
    scale = scale or Scale(float(finite.min()), float(finite.max()))
    return Board("", level, start(level), map=CellMap("V", array, greedy, scale), **changes)


def mask(level, actions):
    greedy = np.zeros((level.rows * level.columns, 4), bool)
    for cell, several in actions.items():
        greedy[cell, several] = True
    return greedy


@pytest.mark.parametrize("name", ["dense", "four-rooms"])
@pytest.mark.parametrize("tile", [16, 37])
def test_without_a_map_a_board_is_the_picture_of_the_environment(draw, pages, name, tile):
    level = Level.load(name)
    state = pages.state_of(level)
    picture = rendering.draw(level, state, tile=tile).astype(int)
    drawn = draw(Board("", level, state), tile).swapaxes(1, 2).reshape(picture.shape)
    assert np.abs(drawn - picture).max() <= 6  # laid over each other in whole numbers here, in fractions there


def test_each_cell_has_the_colour_of_its_value_and_the_highest_is_the_darkest(draw, pages):
    level = Level.load("dense")
    board = Board("", level, pages.state_of(level), map=pages.map_of(level))
    values, scale = board.map.values, board.map.scale
    corner = draw(board)[:, :, TILE - 4, 2].reshape(-1, 3)  # no sprite, arrow or number comes there
    free = np.isfinite(values)
    free[[board.state.cell]] = False
    expected = np.array(VALUES((values[free] - scale.low) / (scale.high - scale.low)))[:, :3] * 255
    assert np.abs(corner[free] - expected).max() <= 1
    assert np.flatnonzero(free)[corner[free].sum(axis=1).argmin()] in np.flatnonzero(values == np.nanmax(values[free]))


def test_a_cell_without_a_value_keeps_its_floor(draw):
    level = open_level()
    bare = draw(Board("", level, start(level)))
    drawn = draw(valued(level, {8: 0.0, 9: 1.0}))
    untouched = np.ones((level.rows, level.columns), bool)
    untouched.flat[[8, 9]] = False
    assert np.array_equal(drawn[untouched], bare[untouched])
    assert not np.array_equal(drawn[1, 2], bare[1, 2])
    assert not np.array_equal(drawn[1, 3], bare[1, 3])


def test_a_signed_scale_is_white_at_zero_and_has_a_colour_for_each_side(draw):
    level = open_level()
    drawn = draw(valued(level, {14: -8.0, 15: 0.0, 16: 8.0}, scale=Scale(-2.0, 8.0, True)))
    below, zero, above = (drawn[2, column, 3, 3] for column in (2, 3, 4))
    assert zero.min() >= 253
    assert below[0] > below[2] + 60  # orange
    assert above[2] > above[0] + 60  # blue


@pytest.mark.parametrize("action", range(4))
@pytest.mark.parametrize("tile", [14, 40, 81])
def test_an_arrow_points_the_way_of_its_action(draw, action, tile):
    level = open_level()
    cell = 15  # in the middle, no walls beside it
    scale = Scale(0.0, 1.0)
    without = draw(valued(level, {cell: 0.5}, None, scale), tile)[2, 3]
    drawn = draw(valued(level, {cell: 0.5}, mask(level, {cell: [action]}), scale), tile)[2, 3]
    y, x = np.nonzero(np.abs(drawn - without).sum(axis=2) > 90)
    along, across = (y, x) if action in (UP, DOWN) else (x, y)
    assert np.ptp(along) > np.ptp(across)
    # An arrow is wide towards its tip.
    half = along.min() + np.ptp(along) / 2
    ahead = along < half if action in (UP, LEFT) else along > half
    assert np.ptp(across[ahead]) > 1.5 * np.ptp(across[~ahead])


def test_tied_actions_have_an_arrow_each_and_four_alike_have_none(draw):
    level, scale = open_level(), Scale(0.0, 1.0)
    without = draw(valued(level, {15: 0.5}, None, scale))[2, 3]

    def inked(actions):
        drawn = draw(valued(level, {15: 0.5}, mask(level, {15: actions}), scale))[2, 3]
        y, x = np.nonzero(np.abs(drawn - without).sum(axis=2) > 90)
        return {"up": y.min(), "down": TILE - y.max(), "left": x.min(), "right": TILE - x.max()}, len(y)

    both, _ = inked([UP, RIGHT])
    assert both["up"] < both["down"]
    assert both["right"] < both["left"]
    _, alike = inked([UP, DOWN, LEFT, RIGHT])
    _, alone = inked([UP])
    assert 0 < alike < alone


def test_a_triangle_lies_on_the_side_that_its_action_leads_to(draw):
    level = open_level()
    drawn = draw(valued(level, {15: np.arange(4.0)}, scale=Scale(0.0, 3.0)))[2, 3]
    sides = ((4, 20), (TILE - 5, 20), (20, 4), (20, TILE - 5))  # up, down, left, right
    for number, (y, x) in enumerate(sides):
        assert np.abs(drawn[y, x] - np.array(VALUES(number / 3))[:3] * 255).max() <= 1


def test_an_unknown_action_has_no_triangle(draw):
    level = open_level()
    bare = draw(Board("", level, start(level)))[2, 3]
    drawn = draw(valued(level, {15: np.array([np.nan, 1.0, 2.0, 3.0])}))[2, 3]
    assert np.array_equal(drawn[3, 20], bare[3, 20])
    assert not np.array_equal(drawn[TILE - 4, 20], bare[TILE - 4, 20])


def test_the_best_triangles_are_marked(draw):
    level = open_level()
    values, scale = {15: np.arange(4.0)}, Scale(0.0, 3.0)
    without = draw(valued(level, values, None, scale))[2, 3]
    marked = draw(valued(level, values, mask(level, {15: [RIGHT]}), scale))[2, 3]
    y, x = np.nonzero((marked != without).any(axis=2))
    assert x.min() > TILE / 2
    assert abs(y.mean() - TILE / 2) < 2


def test_values_are_written_where_tiles_are_large_enough(draw, texts):
    level = open_level()
    board = valued(level, {8: 12.34, 9: -432.0, 10: 0.0}, scale=Scale(-432.0, 100.0))
    draw(board, 20)
    assert texts == []
    draw(board, 40)
    assert sorted(texts) == sorted(["12", "\N{MINUS SIGN}432", "0"])
    texts.clear()
    draw(valued(level, {8: 0.5, 9: -0.25}, scale=Scale(-1.0, 1.0, True)), 48)
    assert sorted(texts) == sorted(["+0.50", "\N{MINUS SIGN}0.25"])
    texts.clear()
    draw(valued(level, {15: np.array([1.0, 2.0, 3.0, 4.0])}), 100)
    assert sorted(map(float, texts)) == [1, 2, 3, 4]


def test_small_values_are_written_with_the_decimals_that_they_need(draw, texts):
    level = open_level()
    draw(valued(level, {8: 0.0042, 9: 0.0}, scale=Scale(0.0, 0.0042)), 112)
    assert max(map(float, texts)) == pytest.approx(0.0042, rel=0.02)


def test_digits_write_what_python_would():
    for value, decimals in ((3.14159, 2), (-0.04, 1), (431.5, 0), (0.0, 2)):
        number = round(value * 10**decimals)
        written = cells.Digits(decimals, False).text(number).replace("\N{MINUS SIGN}", "-")
        assert float(written) == pytest.approx(round(value, decimals))
        assert len(written.partition(".")[2]) == decimals


@pytest.mark.parametrize(("glyph", "heading"), [("^", 0), ("v", 1), ("<", 2), (">", 3)])
def test_a_level_without_an_episode_is_drawn_as_in_its_file(draw, glyph, heading):
    level = open_level(f"######\n#P   #\n# {glyph} @#\n#P  $#\n######")
    drawn = draw(Board("", level, None))
    headings = [rendering.cell_picture(TILE, ("floor", f"patroller{number}")) for number in range(4)]
    apart = [np.abs(drawn[2, 2] - picture).mean() for picture in headings]
    assert int(np.argmin(apart)) == heading
    assert apart[heading] < 4  # the floor of that cell may be the other shade
    assert np.abs(drawn[3, 4] - rendering.cell_picture(TILE, ("floor_alternate", "coin"))).mean() < 4
    # Both starts are framed, and nobody stands there yet.
    player = rendering.cell_picture(TILE, ("floor", "player"))
    for row, column in ((1, 1), (3, 1)):
        assert drawn[row, column, 2 : TILE - 2, 2].sum(axis=1).mean() < 300
        assert np.abs(drawn[row, column] - player).mean() > 8


def test_the_trail_joins_cells_that_were_walked(draw):
    level = open_level()
    without = draw(Board("", level, start(level)))
    drawn = draw(Board("", level, start(level), trail=(20, 14, 15, 9)))  # up, right, up
    changed = (np.abs(drawn - without).sum(axis=4) > 10).any(axis=(2, 3))
    assert set(np.flatnonzero(changed).tolist()) == {20, 14, 15, 9}

    def crosses(cell, side):
        y, x = {"up": (0, TILE // 2), "down": (-1, TILE // 2), "left": (TILE // 2, 0), "right": (TILE // 2, -1)}[side]
        row, column = divmod(cell, level.columns)
        return bool(np.abs(drawn[row, column, y, x] - without[row, column, y, x]).sum() > 10)

    assert crosses(14, "down")
    assert crosses(14, "right")
    assert crosses(15, "left")
    assert crosses(15, "up")
    assert not crosses(14, "left")
    assert not crosses(14, "up")
    assert not crosses(15, "down")


def test_cells_out_of_reach_glow_and_the_cursor_frames_its_cell(draw):
    level = open_level()
    without = draw(Board("", level, start(level)))
    glowing = draw(Board("", level, start(level), unreachable=frozenset({16})))
    warmer = (glowing[2, 4, :, :, 0] - glowing[2, 4, :, :, 2]) - (without[2, 4, :, :, 0] - without[2, 4, :, :, 2])
    assert warmer.min() > 30
    pointed = draw(Board("", level, start(level), cursor=15))
    changed = (pointed != without).any(axis=4)
    assert set(np.flatnonzero(changed.any(axis=(2, 3))).tolist()) == {15}
    assert changed[2, 3, 0, TILE // 2]
    assert not changed[2, 3, TILE // 2, TILE // 2]


def test_sprites_stay_to_be_seen_on_coloured_cells(draw):
    """A coin on the darkest and on the lightest colour still has its own yellow."""
    level = open_level()
    for value in (0.0, 1.0):
        drawn = draw(valued(level, {22: value}, mask(level, {22: [UP]}), Scale(0.0, 1.0)))[3, 4]
        yellow = (drawn[:, :, 0] > 200) & (drawn[:, :, 2] < 120)
        assert yellow.sum() > 0.03 * TILE**2


def test_only_cells_that_changed_are_drawn_again(pages):
    level = Level.load("dense")
    surface = shapes.opaque((level.columns * TILE, level.rows * TILE))
    picture = BoardPicture(surface, 0, 0, TILE, 1.0)
    board = Board("", level, pages.state_of(level), map=pages.map_of(level))
    assert picture.draw(board) == [(0, 0, level.columns * TILE, level.rows * TILE)]
    assert picture.draw(board) == []
    cell = board.state.cell
    moved = board._replace(state=board.state._replace(cell=cell - 1))
    places = {(at % level.columns * TILE, at // level.columns * TILE, TILE, TILE) for at in (cell, cell - 1)}
    assert set(picture.draw(moved)) == places
    values = board.map.values.copy()
    values[cell + level.columns] += 50
    changed = moved._replace(map=board.map._replace(values=values))
    below = cell + level.columns
    assert picture.draw(changed) == [(below % level.columns * TILE, below // level.columns * TILE, TILE, TILE)]
    rows = list(level.map)
    rows[1] = rows[1][:2] + "#" + rows[1][3:]
    walled = changed._replace(level=level.replace(map=tuple(rows)))
    # The wall, and the cell below it, on which its shadow falls.
    assert set(picture.draw(walled)) >= {(2 * TILE, TILE, TILE, TILE), (2 * TILE, 2 * TILE, TILE, TILE)}


def test_the_ramps_are_those_of_the_figures():
    from gridrl.plots.style import DIFFERENCES

    for signed, figure in ((False, VALUES), (True, DIFFERENCES)):
        expected = figure(np.arange(256))[:, :3] * 255
        assert np.abs(palette.ramp(signed) - expected).max() <= 1


def test_colours_beyond_the_scale_are_its_ends_and_one_value_is_its_middle():
    numbers = palette.colour_numbers(np.array([-5.0, 0.0, 10.0, 50.0, np.nan]), Scale(0.0, 10.0))
    assert numbers.tolist() == [0, 0, 255, 255, -1]
    assert palette.colour_numbers(np.array([7.0]), Scale(7.0, 7.0)).tolist() == [128]


def test_an_agent_that_diverges_is_drawn_all_the_same(draw):
    level = open_level()
    values = {8: np.inf, 9: -np.inf, 10: 1e300, 14: 5.0}
    for scale in (Scale(0.0, 10.0), Scale(float("nan"), float("nan")), Scale(0.0, float("inf"), True)):
        drawn = draw(valued(level, values, scale=scale))
        assert np.array_equal(drawn[1, 2], draw(Board("", level, start(level)))[1, 2])  # not a number: bare floor
    drawn = draw(valued(level, values, scale=Scale(0.0, 10.0)))
    assert np.abs(drawn[1, 4, 30, 3] - np.array(VALUES(1.0))[:3] * 255).max() <= 1
