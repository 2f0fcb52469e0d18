import ast
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.quiver import Quiver
from PIL import Image

from gridrl.errors import UserError
from gridrl.plots import cells, marks, style
from gridrl.plots.curves import CurvePanel, TruthPanel, curves_figure, learning_curves, value_against_truth
from gridrl.plots.series import series
from gridrl.plots.value_map import (
    HOW_TO_READ,
    HOW_TO_READ_DIFFERENCES,
    ValuePanel,
    difference_panel,
    draw_value_map,
    value_map_figure,
)
from gridrl_envs.level import Level

ROOT = Path(__file__).parents[2]
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


# --- value maps


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
    draw_value_map(axes, SMALL, some_values(SMALL), items_left=[False, True, False], patrollers=[20])
    left = everything | {"coin": [(3, 3)], "patroller": [(3, 2)]}
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
    draw_value_map(tiny, SMALL, values, signed=True, colour_bar=False)
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
    assert cells._texts(np.array(values), False, 3) == texts


def test_numbers_lose_a_decimal_before_they_are_left_out():
    written = []
    for width in (0.45, 0.3, 0.1):
        shown = SMALL.columns - 2 + 2 * marks.RIM
        axes = map_axes(width * shown / 0.775, 9)  # inches per cell; axes take .775 of their figure
        draw_value_map(axes, SMALL, np.full(30, -33.25), signed=True, colour_bar=False)
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
        draw_value_map(map_axes(), SMALL, np.zeros(30), items_left=[True, False])
    with pytest.raises(ValueError, match="at least one panel"):
        value_map_figure([], SMALL)


# --- curves


def table(agents=("q-learning", "dqn"), runs=4, steps=(100, 200, 300), metric="return", seed=0):
    generator = rng(seed)
    rows = [
        (agent, run, step, metric, step / 10 + generator.normal())
        for agent in agents
        for run in range(runs)
        for step in steps
    ]
    return pd.DataFrame(rows, columns=["agent", "run", "step", "metric", "value"])


def values_of(data, agent):
    rows = data[data["agent"] == agent]
    return np.array([rows[rows["run"] == run].sort_values("step")["value"] for run in sorted(rows["run"].unique())])


def legend(axes):
    return [text.get_text() for text in axes.get_legend().texts]


@pytest.mark.parametrize("average", ["mean", "iqm"])
def test_a_line_is_the_average_and_the_band_its_interval(average):
    data = table(runs=8).sample(frac=1, random_state=1)  # the order of rows does not matter
    data["run"] += 7  # nor where seeds begin
    axes = map_axes()
    learning_curves(axes, data, "return", rng=rng(), average=average, lines=[("best", 40.0)], bands=[("bound", 30, 35)])
    by_label = {line.get_label(): line for line in axes.lines}
    for agent in ("q-learning", "dqn"):
        line = by_label[f"{agent} (n=8)"]
        values = np.sort(values_of(data, agent), axis=0)
        wanted = values[2:6].mean(axis=0) if average == "iqm" else values.mean(axis=0)
        assert line.get_xdata().tolist() == [100, 200, 300]
        np.testing.assert_allclose(line.get_ydata(), wanted)
        assert line.get_color() == style.agent_look(agent).colour
    for band, agent in zip(axes.collections, data["agent"].unique(), strict=True):
        corners = band.get_paths()[0].vertices
        values = values_of(data, agent)
        for column, step in enumerate((100, 200, 300)):
            at_step = corners[corners[:, 0] == step, 1]
            centre = by_label[f"{agent} (n=8)"].get_ydata()[column]
            assert values[:, column].min() <= at_step.min() < centre < at_step.max() <= values[:, column].max()
    assert by_label["best"].get_ydata() == [40.0, 40.0]
    assert sorted(legend(axes)) == ["best", "bound", "dqn (n=8)", "q-learning (n=8)"]
    assert ("interquartile mean" in axes.get_ylabel()) == (average == "iqm")


def test_one_run_has_a_line_and_no_band():
    axes = map_axes()
    learning_curves(axes, table(["dqn"], runs=1), "return", rng=rng())
    assert legend(axes) == ["dqn (n=1)"]
    assert len(axes.collections) == 0


def test_belief_is_drawn_beside_earnings_and_truth():
    data = pd.concat([table(["dqn"], metric="max_q_start"), table(["dqn"], metric="greedy_discounted_return", seed=1)])
    axes = map_axes()
    value_against_truth(axes, data, "dqn", rng=rng(), truth=20.0)
    assert legend(axes) == ["it believes: max Q (n=4)", "its policy earns (n=4)", "best possible: 20"]
    believed, earned, truth = axes.lines
    np.testing.assert_allclose(believed.get_ydata(), values_of(table(["dqn"]), "dqn").mean(axis=0))
    np.testing.assert_allclose(earned.get_ydata(), values_of(table(["dqn"], seed=1), "dqn").mean(axis=0))
    assert truth.get_ydata() == [20.0, 20.0]
    assert believed.get_linestyle() == "-"
    assert earned.get_linestyle() == "--"
    axes = map_axes()
    value_against_truth(axes, data, "dqn", rng=rng(), truth=(895.1, 903.1))
    assert legend(axes)[2] == "best possible: 895 to 903"
    (span,) = axes.patches
    assert (span.get_y(), span.get_y() + span.get_height()) == pytest.approx((895.1, 903.1))


def test_series_keeps_the_steps_that_all_runs_have():
    data = table(["dqn"], runs=2)
    data = data[(data["run"] == 0) | (data["step"] < 300)]
    steps, values = series(data, "dqn", "return")
    assert steps.tolist() == [100, 200]
    assert values.shape == (2, 2)


def test_series_without_common_steps_averages_in_bins():
    rows = [("dqn", 0, step, "return", step) for step in range(0, 1001, 2)]
    rows += [("dqn", 1, step, "return", 2.0 * step) for step in range(1, 1000, 2)]
    steps, values = series(
        pd.DataFrame(rows, columns=["agent", "run", "step", "metric", "value"]), "dqn", "return", num_bins=10
    )
    assert values.shape == (2, 10)
    assert np.abs(values[0] - steps).max() < 2  # a straight line stays where it was
    assert np.abs(values[1] - 2 * steps).max() < 4
    assert steps[0] == pytest.approx(1 + 998 / 20)  # from 1 to 999, what both cover


def test_curves_say_what_is_missing():
    with pytest.raises(ValueError, match="missing: agent"):
        learning_curves(map_axes(), table().drop(columns="agent"), "return", rng=rng())
    with pytest.raises(ValueError, match="the table has no 'loss'"):
        learning_curves(map_axes(), table(), "loss", rng=rng())
    with pytest.raises(ValueError, match="no 'return' of 'sarsa'"):
        series(table(), "sarsa", "return")
    apart = table(["dqn"], runs=1).assign(run=1, step=lambda t: t["step"] + 1000)
    with pytest.raises(ValueError, match="no steps in common"):
        series(pd.concat([table(["dqn"], runs=1), apart]), "dqn", "return")
    with pytest.raises(ValueError, match="at least one panel"):
        curves_figure([], rng=rng())


# --- the look


def test_known_agents_all_look_different_and_looks_are_stable():
    names = [name for row in style._KNOWN for name in row]
    assert len({(look.colour, str(look.dashes)) for look in map(style.agent_look, names)}) == len(names)
    assert style.agent_look("dqn") == style.agent_look("dqn")
    assert style.agent_look("my-own") == style.agent_look("my-own") != style.agent_look("dqn")


def test_the_scale_of_values_stays_ordered_in_grey_and_light_enough_for_black_text():
    colours = style.VALUES(np.linspace(0, 1, 50))[:, :3]
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) < 0).all()
    ink = np.array(to_rgb(style.INK))
    ink = np.where(ink <= 0.04045, ink / 12.92, ((ink + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
    assert (luminance.min() + 0.05) / (ink + 0.05) > 4.5  # WCAG's contrast for small text
    assert min(style.DIFFERENCES(0.5)) > 0.99


def full_figures():
    dense, small = Level.load("dense"), Level.load("dense-small")
    four_rooms = Level.load("four-rooms")

    def panel(level, title, seed=0):
        return ValuePanel(title, some_values(level, seed, 500.0), some_greedy(level))

    first, second = panel(small, "q-learning, mean of 4 runs"), panel(small, "dqn, mean of 4 runs", 1)
    difference = difference_panel("difference", second, first)
    truth_table = pd.concat([table(metric="max_q_start"), table(metric="greedy_discounted_return", seed=1)])
    yield value_map_figure(
        [first, second, difference],
        small,
        title="Value maps of dense-small-v0: the truth, what was learned by which agent, and the difference",
    )
    yield value_map_figure([first], small, title="dense-small-v0")
    yield value_map_figure([panel(dense, "a"), panel(dense, "b"), panel(dense, "c")], dense, title="dense-v0")
    yield value_map_figure([panel(four_rooms, "a"), panel(four_rooms, "b")], four_rooms, title="four-rooms-v0")
    yield curves_figure(
        [CurvePanel("one", table(["q-learning", "dqn", "c51", "rainbow"]), "return")], rng=rng(), title="One"
    )
    yield curves_figure(
        [CurvePanel("dense-small-v0", table(), "return"), CurvePanel("dense-v0", table(), "return", unit="points")],
        rng=rng(),
        title="Two",
    )
    yield curves_figure(
        [TruthPanel(f"{agent} on dense-small-v0", truth_table, agent, 20.0) for agent in ("q-learning", "dqn")] * 2
        + [TruthPanel("q-learning on dense-small-v0", truth_table, "dqn", (19.5, 20.0))],
        rng=rng(),
        title="Five",
    )


@pytest.mark.parametrize("number", range(7))
def test_no_text_leaves_the_page_or_runs_into_another(number):
    figure = list(full_figures())[number]
    figure.canvas.draw()
    boxes = {}
    for axes in figure.axes:
        for text in (axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label, *axes.texts):
            if text.get_text():
                boxes[f"{text.get_text()} {id(text)}"] = text.get_window_extent()
        if not axes.images:
            boxes[f"axes {id(axes)}"] = axes.get_window_extent()
        if axes.get_legend():
            boxes[f"legend {id(axes)}"] = axes.get_legend().get_window_extent()
    for text in figure.texts:
        boxes[text.get_text()] = text.get_window_extent()
    for each in figure.legends:
        boxes["marks"] = each.get_window_extent()
    page = figure.bbox
    for name, box in boxes.items():
        assert box.x0 >= 0, name
        assert box.y0 >= 0, name
        assert box.x1 <= page.x1, name
        assert box.y1 <= page.y1, name
    names = list(boxes)
    edges = np.array([boxes[name].extents for name in names])
    apart = (edges[:, None, :2] >= edges[None, :, 2:] - 0.5).any(axis=2)
    overlap = np.triu(~(apart | apart.T), 1)
    assert not overlap.any(), [(names[i], names[j]) for i, j in np.argwhere(overlap)[:5]]


def test_figures_do_not_depend_on_or_change_matplotlibs_settings(tmp_path):
    def picture(name):
        before = dict(matplotlib.rcParams)
        figure = value_map_figure([ValuePanel("map", some_values(SMALL), some_greedy(SMALL))], SMALL, title="t")
        curves = curves_figure([CurvePanel("one", table(), "return")], rng=rng())
        path = style.save(figure, tmp_path / f"{name}.png")
        path2 = style.save(curves, tmp_path / f"{name}2.svg")
        assert dict(matplotlib.rcParams) == before
        return path.read_bytes(), path2.read_bytes()

    plain = picture("plain")
    with matplotlib.rc_context({"axes.facecolor": "black", "font.size": 20, "lines.linewidth": 9, "savefig.dpi": 10}):
        assert picture("odd") == plain


def test_save_writes_what_the_suffix_says(tmp_path):
    figure = style.new_figure(4, 2)
    for suffix, begin in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        path = style.save(figure, tmp_path / f"figure.{suffix}")
        assert path.read_bytes().startswith(begin)
    with Image.open(tmp_path / "figure.png") as picture:
        assert picture.size == (600, 300)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["figure.pdf", "figure.png", "figure.svg"]
    with pytest.raises(UserError, match=r"\.png, \.svg or \.pdf, got 'figure\.jpg'"):
        style.save(figure, tmp_path / "figure.jpg")
    with pytest.raises(UserError, match="there is no folder"):
        style.save(figure, tmp_path / "nowhere" / "figure.png")
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(UserError, match=r"cannot write the figure '.*taken\.png'"):
        style.save(figure, tmp_path / "taken.png")


def test_matplotlib_only_in_plots_and_pyplot_nowhere():
    plots = list(ROOT.glob("gridrl/plots*/**/*.py"))
    others = [
        file for part in ("gridrl", "envs", "agents") for file in (ROOT / part).rglob("*.py") if file not in plots
    ]
    assert len(plots) > 5
    assert len(others) > 10
    for file in plots + others:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        assert not any("pyplot" in name.split(".") for name in imported(tree)), file
        for_types = [
            node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        ]
        harmless = [name for node in for_types for name in imported(node)]
        drawn_with = [name for name in imported(tree) if name.split(".")[0] == "matplotlib" and name not in harmless]
        assert file in plots or not drawn_with, file


def imported(tree):
    """Every name that a syntax tree imports, with its module."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names
