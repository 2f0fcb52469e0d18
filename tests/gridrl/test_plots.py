import ast
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from gridrl.errors import UserError
from gridrl.plots import looks, style
from gridrl.plots.curves import CurvePanel, curves_figure, learning_curves, value_against_truth
from gridrl.plots.series import series
from gridrl.plots.value_map import (
    ValuePanel,
    value_map_figure,
)
from gridrl_agents.registry import agent_names
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


def map_axes(width=6.0, height=4.0):
    return style.new_figure(width, height).add_subplot()


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
        assert line.get_color() == looks.agent_look(agent).colour
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
    names = [name for row in looks._KNOWN for name in row]
    assert set(names) == set(agent_names())
    found = [looks.agent_look(name) for name in names]
    assert len({(look.colour, str(look.dashes)) for look in found}) == len(names), "without markers"
    assert len({(look.colour, look.marker) for look in found}) == len(names), "without dashes"
    assert looks.agent_look("dqn") == looks.agent_look("dqn")
    assert looks.agent_look("my-own") == looks.agent_look("my-own") != looks.agent_look("dqn")


def test_the_scale_of_values_stays_ordered_in_grey_and_light_enough_for_black_text():
    colours = style.VALUES(np.linspace(0, 1, 50))[:, :3]
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) < 0).all()
    ink = np.array(to_rgb(style.INK))
    ink = np.where(ink <= 0.04045, ink / 12.92, ((ink + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
    assert (luminance.min() + 0.05) / (ink + 0.05) > 4.5  # WCAG's contrast for small text
    assert min(style.DIFFERENCES(0.5)) > 0.99


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
