"""What a map's figure holds: arrays, numbers, arrows, marks."""

import numpy as np
import pytest
from matplotlib.quiver import Quiver

from gridrl.plots import cells, marks, style
from gridrl.plots.value_map import (
    HOW_TO_READ,
    HOW_TO_READ_DIFFERENCES,
    ValuePanel,
    difference_panel,
    draw_value_map,
    value_map_figure,
)
from gridrl_envs.level import Level

UP, DOWN, LEFT, RIGHT = range(4)
SMALL = Level.from_string("######\n#P$ G#\n# @#X#\n#> $ #\n######", name="small")


def rng(seed=0):
    return np.random.default_rng(seed)


def some_values(level, seed=0, scale=100.0):
    return rng(seed).uniform(-scale, 3 * scale, level.rows * level.columns)


def some_greedy(level, seed=1):
    return rng(seed).random((level.rows * level.columns, 4)) < 0.4


def arrows(axes):
    """The arrows drawn, as (cell's row, cell's column, action)."""
    (quiver,) = [artist for artist in axes.collections if isinstance(artist, Quiver)]
    actions = {(0, -1): UP, (0, 1): DOWN, (-1, 0): LEFT, (1, 0): RIGHT}
    middle = quiver.XY + np.stack([quiver.U, quiver.V], axis=1) / 2  # y grows downwards, as rows do
    return sorted(
        (round(y), round(x), actions[int(np.sign(u)), int(np.sign(v))])
        for (x, y), u, v in zip(middle, quiver.U, quiver.V, strict=True)
    )


def numbers(axes):
    """The numbers written into cells, by (row, column)."""
    return {(int(np.floor(t.get_position()[1] + 0.5)), t.get_position()[0]): t.get_text() for t in axes.texts}


def drawn_marks(axes):
    return {
        line.get_label(): sorted(
            (int(row), int(column)) for column, row in np.floor(line.get_xydata() + 0.5).astype(int)
        )
        for line in axes.lines
        if line.get_label() in marks.MARKS
    }


def map_axes(width=6.0, height=4.0):
    return style.new_figure(width, height).add_subplot()


def test_arrows_point_where_the_greedy_actions_go():
    actions = [set() for _ in range(SMALL.rows * SMALL.columns)]
    actions[7] = {RIGHT}  # row 1, column 1
    actions[8] = {LEFT, DOWN}
    actions[13] = {UP, DOWN, LEFT, RIGHT}
    actions[0] = {UP}  # a wall: nothing is drawn
    axes = map_axes()
    draw_value_map(axes, SMALL, some_values(SMALL), actions)
    wanted = [(1, 1, RIGHT), (1, 2, DOWN), (1, 2, LEFT), *[(2, 1, action) for action in range(4)]]
    assert arrows(axes) == wanted

    mask = np.zeros((len(actions), 4), bool)
    for cell, chosen in enumerate(actions):
        mask[cell, list(chosen)] = True
    for form in (mask, mask.reshape(SMALL.rows, SMALL.columns, 4), mask.tolist()):
        axes = map_axes()
        if isinstance(form, list):
            form = [{action for action in range(4) if row[action]} for row in form]
        draw_value_map(axes, SMALL, some_values(SMALL), form)
        assert arrows(axes) == wanted


def test_arrows_stay_in_their_cells():
    axes = map_axes()
    draw_value_map(axes, SMALL, some_values(SMALL), np.ones((30, 4), bool))
    (quiver,) = [artist for artist in axes.collections if isinstance(artist, Quiver)]
    tips = quiver.XY + np.stack([quiver.U, quiver.V], axis=1)
    assert (np.round(tips) == np.round(quiver.XY)).all()
    assert len(tips) == 4 * len(SMALL.floor)


def test_values_are_drawn_at_their_cells_and_walls_hidden():
    values = np.arange(30.0)
    axes = map_axes()
    image = draw_value_map(axes, SMALL, values)
    shown = image.get_array()
    assert np.ma.getmaskarray(shown)[marks.walls_of(SMALL)].all()
    assert shown[~marks.walls_of(SMALL)].tolist() == [float(cell) for cell in SMALL.floor]
    assert numbers(axes) == {divmod(cell, 6): f"{cell:.1f}" for cell in SMALL.floor}
    assert np.array_equal(
        draw_value_map(map_axes(), SMALL, values.reshape(5, 6)).get_array().filled(-1), shown.filled(-1)
    )
    assert values[0] == 0  # the caller's array is left as it was


def test_unknown_values_are_hatched_without_number_or_arrow():
    values = some_values(SMALL)
    values[[8, 9]] = np.nan
    axes = map_axes()
    draw_value_map(axes, SMALL, values, np.ones((30, 4), bool))
    assert (1, 2) not in numbers(axes)
    assert (1, 2, UP) not in arrows(axes)
    (hatched,) = [artist for artist in axes.collections if artist.get_hatch()]
    assert len(hatched.get_paths()) == 2
    figure = value_map_figure([ValuePanel("map", values)], SMALL)
    assert "no value" in [text.get_text() for text in figure.legends[0].texts]


def test_marks_stand_at_their_things_and_only_what_is_left():
    axes = map_axes()
    draw_value_map(axes, SMALL, some_values(SMALL))
    everything = {
        "coin": [(1, 2), (3, 3)],
        "poison": [(2, 2)],
        "goal": [(1, 4)],
        "pit": [(2, 4)],
        "patroller": [(3, 1)],
    }
    assert drawn_marks(axes) == everything
    axes = map_axes()
    things = marks.things(SMALL, [False, True, False], [20], player=21)
    draw_value_map(axes, SMALL, some_values(SMALL), things=things)
    left = everything | {"coin": [(3, 3)], "patroller": [(3, 2)], "player": [(3, 3)]}
    del left["poison"]
    assert drawn_marks(axes) == left
    frames = [patch for patch in axes.patches if not patch.get_fill()]
    assert [(round(f.get_center()[1]), round(f.get_center()[0])) for f in frames] == [(1, 1)]
    shapes = [mark.shape for mark in marks.MARKS.values()]
    assert len(set(shapes)) == len(shapes)


def test_legend_names_what_is_drawn_and_no_more():
    level = Level.from_string("#####\n#P $#\n#####")
    figure = value_map_figure([ValuePanel("map", np.zeros(15), np.ones((15, 4), bool))], level)
    assert [text.get_text() for text in figure.legends[0].texts] == ["start", "coin", "wall", "best action"]
    figure = value_map_figure([ValuePanel("map", np.zeros(15))], level)
    assert [text.get_text() for text in figure.legends[0].texts] == ["start", "coin", "wall"]


def test_all_panels_share_one_scale_and_differences_another():
    truth = ValuePanel("truth", some_values(SMALL, 0))
    belief = ValuePanel("belief", some_values(SMALL, 1, 200.0), some_greedy(SMALL))
    panels = [truth, belief, None, difference_panel("error", belief, truth)]
    figure = value_map_figure(panels, SMALL, columns=2, title="All", unit="points")
    maps = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title(loc="left") for axes in maps] == ["truth", "belief", "error"]
    first, second, difference = (axes.images[0] for axes in maps)
    assert first.norm is second.norm
    floor = list(SMALL.floor)
    both = np.concatenate([truth.values[floor], belief.values[floor]])
    assert (first.norm.vmin, first.norm.vmax) == (both.min(), both.max())
    error = (belief.values - truth.values)[floor]
    assert difference.norm.vmax == -difference.norm.vmin == np.abs(error).max()
    np.testing.assert_allclose(difference.get_array().compressed(), error)
    bars = [axes.get_ylabel() for axes in figure.axes if not axes.images]
    assert bars == ["points", "difference"]
    left = [axes.get_position().x0 for axes in maps]
    assert left[0] < left[1] == left[2]  # None left the place below the first one empty
    notes = " ".join(text.get_text().replace("\n", " ") for text in figure.texts)
    assert HOW_TO_READ in notes
    assert HOW_TO_READ_DIFFERENCES in notes
    assert "All" in notes
    assert arrows(maps[2]) == arrows(maps[1])


def test_differences_show_their_sign_in_grey_too():
    values = np.zeros(30)
    values[[7, 8, 9]] = -120.0, 3.0, -0.2
    axes = map_axes()
    draw_value_map(axes, SMALL, values, signed=True)
    written = numbers(axes)
    assert (written[1, 1], written[1, 2], written[1, 3]) == ("\N{MINUS SIGN}120", "+3", "0")
    tiny = map_axes(0.8, 0.7)
    draw_value_map(tiny, SMALL, values, signed=True)
    assert not tiny.texts
    (dashes,) = [line for line in tiny.lines if line.get_marker() == "_"]
    assert np.floor(dashes.get_xydata() + 0.5).astype(int).tolist() == [[1, 1], [3, 1]]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1234.5, -99.0], ["1234", "\N{MINUS SIGN}99"]),
        ([99.6, 1.0], ["100", "1"]),
        ([99.4, 1.0], ["99.4", "1.0"]),
        ([9.94, -0.001], ["9.94", "0.00"]),
    ],
)
def test_numbers_have_three_digits_and_more_only_before_the_point(values, texts):
    assert cells.texts_of(np.array(values), False, 3) == texts


def test_numbers_lose_a_decimal_before_they_are_left_out():
    written = []
    for width in (0.45, 0.3, 0.1):
        shown = SMALL.columns - 2 + 2 * marks.RIM
        axes = map_axes(width * shown / 0.775, 9)  # inches per cell; axes take .775 of their figure
        draw_value_map(axes, SMALL, np.full(30, -33.25), signed=True)
        written.append({text.get_text() for text in axes.texts})
    assert written == [{"\N{MINUS SIGN}33.2"}, {"\N{MINUS SIGN}33"}, set()]


def test_dense_level_keeps_readable_numbers_and_a_crowd_of_panels_none():
    level = Level.load("dense")
    panel = ValuePanel("map", some_values(level, 2, 800.0), some_greedy(level))
    figure = value_map_figure([panel], level)
    assert len(figure.axes[0].texts) == len(level.floor)
    assert all(text.get_fontsize() >= 6.5 for text in figure.axes[0].texts)
    crowd = value_map_figure([panel] * 4, level, columns=4)
    assert all(not axes.texts for axes in crowd.axes if axes.images)


def test_one_value_everywhere_and_none_at_all_are_drawn():
    for value in (0.0, 5.0, np.nan):
        figure = value_map_figure([ValuePanel("map", np.full(30, value), some_greedy(SMALL))], SMALL)
        figure.canvas.draw()
        norm = figure.axes[0].images[0].norm
        assert norm.vmin < norm.vmax


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match=r"'small' has 5 x 6 cells, got values of shape \(6, 5\)"):
        draw_value_map(map_axes(), SMALL, np.zeros((6, 5)))
    with pytest.raises(ValueError, match="has 30 cells, got actions for 29"):
        draw_value_map(map_axes(), SMALL, np.zeros(30), np.ones((29, 4), bool))
    with pytest.raises(ValueError, match="has 3 items, but items_left tells of 2"):
        marks.things(SMALL, [True, False])
    with pytest.raises(ValueError, match="at least one panel"):
        value_map_figure([], SMALL)
