"""Nothing that is written on a figure leaves the page or runs into something else."""

import numpy as np
import pandas as pd
import pytest

from gridrl.intervals import summarise
from gridrl.plots.curves import CurvePanel, TruthPanel, curves_figure
from gridrl.plots.distributions import ReturnPanel, distributions_figure
from gridrl.plots.triangles import HOW_TO_READ_TRIANGLES, TrianglesPanel
from gridrl.plots.value_map import ValuePanel, difference_panel, value_map_figure
from gridrl.plots.variants import Row, variants_figure
from gridrl_envs.level import Level


def rng(seed=0):
    return np.random.default_rng(seed)


def some_values(level, seed=0, scale=100.0):
    return rng(seed).uniform(-scale, 3 * scale, level.rows * level.columns)


def some_greedy(level, seed=1):
    return rng(seed).random((level.rows * level.columns, 4)) < 0.4


def table(agents=("q-learning", "dqn"), metric="return", seed=0):
    generator = rng(seed)
    rows = [
        (agent, run, step, metric, step / 10 + generator.normal())
        for agent in agents
        for run in range(4)
        for step in (100, 200, 300)
    ]
    return pd.DataFrame(rows, columns=["agent", "run", "step", "metric", "value"])


DENSE, SMALL, ROOMS = Level.load("dense"), Level.load("dense-small"), Level.load("four-rooms")
TRUTH = pd.concat([table(metric="max_q_start"), table(metric="greedy_discounted_return", seed=1)])
LONG = "double-dqn, seed 3, 20000 steps, gamma 0.99: step 20000"


def panel(level, title, seed=0):
    return ValuePanel(title, some_values(level, seed, 500.0), some_greedy(level))


def three_small():
    first, second = panel(SMALL, "q-learning, mean of 4 runs"), panel(SMALL, "dqn, mean of 4 runs", 1)
    title = "Value maps of dense-small-v0: the truth, what was learned by which agent, and the difference"
    return value_map_figure([first, second, difference_panel("difference", second, first)], SMALL, title=title)


def triangles():
    q_values = [rng(seed).uniform(-99, 999, (SMALL.rows * SMALL.columns, 4)) for seed in range(4)]
    panels = [TrianglesPanel(f"seed {seed}", q_values[seed]) for seed in range(4)]
    return value_map_figure(panels, SMALL, title="dense-small-v0", note=HOW_TO_READ_TRIANGLES)


def distributions():
    atoms = np.tile(np.linspace(-1000, 5000, 51), (4, 1))
    quantiles = np.sort(rng().normal(500, 300, (4, 32)), axis=1)
    return distributions_figure(
        [
            ReturnPanel("c51, seed 0", atoms, rng().dirichlet(np.ones(51), 4), np.zeros(4), np.ones(4)),
            ReturnPanel("qr-dqn, seed 0", quantiles, np.full((4, 32), 1 / 32), np.full(4, -123.4)),
        ],
        title="Return from row 12, column 12: c51 and qr-dqn on a level with a long name after 1234567 steps",
        unit="discounted return, gamma 0.99",
        note="Left out, for want of a distribution: double-dqn and q-learning.",
    )


def two_curves():
    panels = [CurvePanel("dense-small-v0", table(), "return"), CurvePanel("dense-v0", table(), "return", unit="points")]
    return curves_figure(panels, rng=rng(), title="Two")


def five_truths():
    panels = [TruthPanel(f"{agent} on dense-small-v0", TRUTH, agent, 20.0) for agent in ("q-learning", "dqn")] * 2
    panels.append(TruthPanel("q-learning on dense-small-v0", TRUTH, "dqn", (19.5, 20.0)))
    return curves_figure(panels, rng=rng(), title="Five")


def variants(count, letters):
    labels = [f"{number} {'ab' * letters}"[:letters] for number in range(count)]
    looks = dict(zip(labels, rng().uniform(0, 900, (count, 8)), strict=True))
    averages = {label: summarise(values, rng()) for label, values in looks.items()}
    curves = table(labels).rename(columns={"agent": "variant"})
    rows = [
        Row("max Q at the start", "discounted return", curves, looks, averages, best, truths)
        for best, truths in (((4100, 4100), None), ((2678, 2830), averages))
    ]
    return variants_figure(rows, rng=rng(), title="How often, how slowly, should the target network follow the other?")


FIGURES = {
    "three small maps": three_small,
    "one small map": lambda: value_map_figure([panel(SMALL, "dqn")], SMALL, title="dense-small-v0"),
    "three large maps": lambda: value_map_figure([panel(DENSE, name) for name in "abc"], DENSE, title="dense-v0"),
    "two rooms": lambda: value_map_figure([panel(ROOMS, "a"), panel(ROOMS, "b")], ROOMS, title="four-rooms-v0"),
    "long names": lambda: value_map_figure([panel(DENSE, LONG)] * 4, DENSE, title="names that are too long are cut"),
    "triangles": triangles,
    "distributions": distributions,
    "four curves": lambda: curves_figure(
        [CurvePanel("one", table(["q-learning", "dqn", "c51", "rainbow"]), "return")], rng=rng(), title="One"
    ),
    "two curves": two_curves,
    "five truths": five_truths,
    "two variants": lambda: variants(2, 12),
    "nine variants": lambda: variants(9, 19),
    "four long variants": lambda: variants(4, 38),
    "three middling variants": lambda: variants(3, 25),
}


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_leaves_the_page_or_runs_into_another(name):
    figure = FIGURES[name]()
    figure.canvas.draw()
    boxes = {}
    for axes in figure.axes:
        for text in (axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label, *axes.texts):
            box = text.get_window_extent()
            named = text in axes.texts and axes.get_xticks().size and axes.bbox.contains(box.x0, box.y0)
            if named and axes.bbox.contains(box.x1, box.y1):  # beside its dots, in the picture
                continue
            if text.get_text():
                boxes[f"{text.get_text()} {id(text)}"] = text.get_window_extent()
        if len(axes.get_xticks()) or len(axes.get_yticks()):  # numbers stand within a map, which has no ticks
            boxes[f"axes {id(axes)}"] = axes.get_window_extent()
        if axes.get_legend():
            boxes[f"legend {id(axes)}"] = axes.get_legend().get_window_extent()
    for text in figure.texts:
        boxes[text.get_text()] = text.get_window_extent()
    for each in figure.legends:
        boxes["marks"] = each.get_window_extent()
    page = figure.bbox
    for text, box in boxes.items():
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= page.x1, text
        assert box.y1 <= page.y1, text
    names = list(boxes)
    edges = np.array([boxes[name].extents for name in names])
    apart = (edges[:, None, :2] >= edges[None, :, 2:] - 0.5).any(axis=2)
    overlap = np.triu(~(apart | apart.T), 1)
    assert not overlap.any(), [(names[i], names[j]) for i, j in np.argwhere(overlap)[:5]]
