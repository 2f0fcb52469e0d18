"""Q as four triangles in each cell: where they are, what colour they have, which are outlined, what is written."""

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba

from gridrl.plots import cells, marks, style
from gridrl.plots.triangles import HOW_TO_READ_TRIANGLES, TrianglesPanel, draw_triangles
from gridrl.plots.value_map import ValuePanel, value_map_figure
from gridrl_envs.level import Level

UP, DOWN, LEFT, RIGHT = range(4)
SIDE = {UP: (-1, 0), DOWN: (1, 0), LEFT: (0, -1), RIGHT: (0, 1)}  # row, column; rows grow downwards
CORRIDOR = Level.from_string("#####\n#P $#\n#####", name="corridor")  # floor: cells 6, 7, 8 of row 1
ROOM = Level.from_string("######\n#P$ G#\n# @#X#\n#> $ #\n######", name="room")


def map_axes(width=8.0, height=5.0):
    return style.new_figure(width, height).add_subplot()


def known_values():
    """Q of the corridor: 10 * cell's column + action, but nothing on the coin."""
    q_values = np.full((15, 4), np.nan)
    q_values[6] = 10, 11, 12, 13
    q_values[7] = 23, 21, 23, 20
    return q_values


def triangles(axes):
    """The value of each triangle by (row, column, action), told from where its middle lies."""
    axes.get_figure().canvas.draw()  # colours are worked out when it is drawn
    values, _ = [artist for artist in axes.collections if isinstance(artist, PolyCollection)]
    found = {}
    for path, value, colour in zip(values.get_paths(), values.get_array(), values.get_facecolors(), strict=True):
        found[_place(path)] = (float(value), tuple(colour))
    return found


def outlined(axes):
    _, outlines = [artist for artist in axes.collections if isinstance(artist, PolyCollection)]
    return sorted(_place(path) for path in outlines.get_paths())


def _place(path):
    corners = np.unique(path.vertices, axis=0)
    assert len(corners) == 3
    x, y = corners.mean(axis=0)
    row, column = round(y), round(x)
    toward = {action: down * (y - row) + right * (x - column) for action, (down, right) in SIDE.items()}
    return row, column, max(toward, key=toward.__getitem__)


def test_each_action_has_the_triangle_at_its_side_with_its_value_and_colour():
    axes = map_axes()
    image = draw_triangles(axes, CORRIDOR, known_values())
    found = triangles(axes)
    assert {place: value for place, (value, _) in found.items()} == {
        **{(1, 1, action): 10.0 + action for action in range(4)},
        **dict(zip([(1, 2, action) for action in range(4)], (23.0, 21.0, 23.0, 20.0), strict=True)),
    }
    assert (image.norm.vmin, image.norm.vmax) == (10.0, 23.0)
    for value, colour in found.values():
        assert colour == pytest.approx(style.VALUES((value - 10) / 13))


def test_triangles_fill_their_cell_and_no_more():
    axes = map_axes()
    draw_triangles(axes, CORRIDOR, known_values())
    collection = axes.collections[0]
    area = 0.0
    for path in collection.get_paths():
        (x0, y0), (x1, y1), (x2, y2) = path.vertices[:3]
        area += abs((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)) / 2
        assert np.abs(path.vertices - np.round(path.vertices.mean(axis=0))).max() <= 0.5
    assert area == pytest.approx(2.0)  # two cells have values


def test_the_best_are_outlined_and_none_where_all_are_alike():
    axes = map_axes()
    draw_triangles(axes, CORRIDOR, known_values())
    assert outlined(axes) == [(1, 1, RIGHT), (1, 2, UP), (1, 2, LEFT)]
    alike = known_values()
    alike[7] = 5.0
    axes = map_axes()
    draw_triangles(axes, CORRIDOR, alike)
    assert outlined(axes) == [(1, 1, RIGHT)]


def test_numbers_stand_in_their_triangles():
    axes = map_axes()
    draw_triangles(axes, CORRIDOR, known_values())
    written = {}
    for text in axes.texts:
        x, y = text.get_position()
        row, column = round(y), round(x)
        toward = {action: down * (y - row) + right * (x - column) for action, (down, right) in SIDE.items()}
        written[row, column, max(toward, key=toward.__getitem__)] = text.get_text()
    wanted = {(1, 1, action): f"{10 + action}.0" for action in range(4)}
    wanted |= {(1, 2, action): text for action, text in enumerate(("23.0", "21.0", "23.0", "20.0"))}
    assert written == wanted


@pytest.mark.parametrize("inches", [0.62, 0.46, 0.4])
def test_numbers_stay_within_their_cell_and_apart(inches):
    shown = CORRIDOR.columns - 2 + 2 * marks.RIM
    axes = map_axes(inches * shown / 0.775, 9)  # axes take .775 of their figure
    q_values = np.full((15, 4), np.nan)
    q_values[6:9] = -123.0
    draw_triangles(axes, CORRIDOR, q_values)
    figure = axes.get_figure()
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == (0 if inches < 0.6 else 12)
    assert all(text.get_fontsize() >= cells.SMALLEST_NUMBER for text in axes.texts)
    for number, box in enumerate(boxes):
        (x0, y0), (x1, y1) = axes.transData.inverted().transform([(box.x0, box.y0), (box.x1, box.y1)])
        column = 1 + number // 4
        assert column - 0.5 <= x0 < x1 <= column + 0.5
        assert 0.45 <= min(y0, y1) < max(y0, y1) <= 1.55  # a box is a little higher than its digits
    # left and right of each cell do not touch
    for first in range(0, len(boxes), 4):
        assert boxes[first + LEFT].x1 < boxes[first + RIGHT].x0


def test_small_cells_have_colours_and_outlines_alone():
    axes = map_axes(1.0, 0.8)
    draw_triangles(axes, CORRIDOR, known_values())
    assert not axes.texts
    assert len(triangles(axes)) == 8
    assert len(outlined(axes)) == 3


def test_panels_of_triangles_share_one_scale_and_say_how_to_read_them():
    first, second = known_values(), known_values() + 100
    figure = value_map_figure(
        [TrianglesPanel("one", first), TrianglesPanel("two", second)], CORRIDOR, note=HOW_TO_READ_TRIANGLES
    )
    maps = [axes for axes in figure.axes if axes.get_title(loc="left")]
    norms = [axes.collections[0].norm for axes in maps]
    assert norms[0] is norms[1]
    assert (norms[0].vmin, norms[0].vmax) == (10.0, 123.0)
    legend = [text.get_text() for text in figure.legends[0].texts]
    assert legend == ["start", "coin", "wall", "no value", "best action"]
    assert HOW_TO_READ_TRIANGLES in " ".join(text.get_text().replace("\n", " ") for text in figure.texts)


def test_marks_stand_where_the_things_are():
    q_values = np.random.default_rng(0).normal(size=(30, 4))
    things = marks.things(ROOM, [False, True, True], [21])
    axes = map_axes()
    draw_triangles(axes, ROOM, q_values, things=things)
    found = {
        line.get_label(): [tuple(np.floor(point + 0.5).astype(int)[::-1]) for point in line.get_xydata()]
        for line in axes.lines
    }
    assert found == {"coin": [(3, 3)], "poison": [(2, 2)], "goal": [(1, 4)], "pit": [(2, 4)], "patroller": [(3, 3)]}


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match=r"'corridor' has 3 x 5 cells, got values of shape \(4, 15\)"):
        draw_triangles(map_axes(), CORRIDOR, np.zeros((4, 15)))


def test_a_hatched_cell_has_neither_triangle_nor_number():
    axes = map_axes()
    draw_triangles(axes, CORRIDOR, known_values())
    (hatched,) = [artist for artist in axes.collections if artist.get_hatch()]
    assert len(hatched.get_paths()) == 1
    assert to_rgba(hatched.get_facecolor()[0]) == to_rgba("white")


def test_four_panels_are_two_by_two():
    four_rooms, dense = Level.load("four-rooms"), Level.load("dense")
    for level, panel in (
        (four_rooms, TrianglesPanel("q", np.zeros((169, 4)))),
        (four_rooms, ValuePanel("v", np.zeros(169))),
        (dense, TrianglesPanel("q", np.zeros((200, 4)))),
    ):
        figure = value_map_figure([panel] * 4, level)
        maps = [axes.get_position() for axes in figure.axes if axes.get_title(loc="left")]
        assert len({round(place.x0, 6) for place in maps}) == len({round(place.y0, 6) for place in maps}) == 2
