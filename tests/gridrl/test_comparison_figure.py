"""The figures of comparisons and of the frontier: what is drawn, and that nothing runs into anything else."""

import numpy as np
import pandas
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from gridrl.comparison.improvement import probability_of_improvement
from gridrl.comparison.measures import Comparison, Reached, Standing
from gridrl.comparison.shares import Yardstick
from gridrl.intervals import summarise
from gridrl.plots.comparison import comparison_figure, distinct_looks
from gridrl.plots.frontier import PANELS, frontier_figure

AGENTS = (
    *("q-learning", "dqn", "double-dqn", "rainbow", "n-step-dqn", "expected-sarsa", "double-q-learning"),
    "runs-of-mine-with-a-long-name",
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def a_comparison(labels: tuple[str, ...], num_runs: int = 5, best: float | None = 600.0) -> Comparison:
    """Made up, of agents that are better the later they come."""
    draw = rng(len(labels))
    finals = {label: 100.0 * draw.integers(place, place + 4, num_runs) for place, label in enumerate(labels)}
    standings = tuple(
        Standing(
            label=label,
            agent=label,
            num_runs=num_runs,
            greedy=summarise(values, draw),
            greedy_iqm=summarise(values, draw, average="iqm"),
            exploring=summarise(values - 50, draw),
            exploring_iqm=summarise(values - 50, draw, average="iqm"),
            yardstick=best and Yardstick("greedy_return", best),
            share=best and summarise(values / best, draw),
            reached=best and Reached(1, np.inf if place == 0 else 500.0, np.inf if place == 0 else 0.7 + place),
            seconds=10.0 + place,
            memory=10.0 ** (4 + place % 4),
            bias={name: summarise(draw.normal(10, 5, num_runs), draw) for name in ("start", "visited")} if best else {},
        )
        for place, (label, values) in enumerate(finals.items())
    )
    improvements = {
        (ours, theirs): probability_of_improvement(finals[ours], finals[theirs], draw)
        for ours in labels
        for theirs in labels
        if ours != theirs
    }
    rows = [
        (label, run, step, step, "greedy_return", value * step / 2000)
        for label, values in finals.items()
        for run, value in enumerate(values)
        for step in range(0, 2001, 500)
    ]
    curves = pandas.DataFrame(rows, columns=["agent", "run", "update", "step", "metric", "value"])
    return Comparison("dense-small-v0", 2000, 0.5, standings, improvements, curves, ())


def the_frontier(num_runs: int = 3) -> tuple[pandas.DataFrame, pandas.DataFrame]:
    coins, draw = (1, 2, 3, 4, 6, 8, 12, 16, 22, 28, 34, 41), rng()
    metrics = ("share", "share_exploring", "share_after_detour", "seconds", "memory")
    own = {"q-learning": ("unseen", "states"), "dqn": ("weights",), "dueling-dqn": ("weights",), "drqn": ("weights",)}
    rows = [
        (k, agent, run, metric, draw.uniform(0.1, 1) * (1e7 if metric in ("memory", "weights") else 1))
        for k in coins
        for agent, more in own.items()
        for run in range(num_runs)
        for metric in (*metrics, *more)
    ]
    frontier = pandas.DataFrame(rows, columns=["coins", "agent", "run", "metric", "value"])
    return frontier, pandas.DataFrame({"coins": coins, "states": [14_520.0 * 4.0**k for k in coins]})


def texts(figure: Figure) -> list[str]:
    found = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        found += [text.get_text() for text in (*axes.texts, *axes.get_yticklabels(), axes.xaxis.label)]
        found.append(axes.get_title(loc="left"))
    return found


def test_everything_of_a_comparison_is_drawn() -> None:
    comparison = a_comparison(AGENTS[:3])
    figure = comparison_figure(comparison, rng=rng())
    returns, chances = figure.axes[1], figure.axes[2]
    assert "dense-small-v0 at step 2000" in texts(figure)
    assert any(text.startswith("How to read:") for text in texts(figure))
    assert [label.get_text() for label in returns.get_yticklabels()] == ["q-learning  1", "dqn  2", "double-dqn  3"]
    drawn = {line.get_xdata()[0] for line in returns.lines}
    for standing in comparison.standings:
        assert {float(standing.greedy_iqm.centre), float(standing.exploring_iqm.centre)} <= drawn
        assert {float(standing.greedy_iqm.low), float(standing.exploring_iqm.low)} <= drawn
    assert 600 in drawn, "the best possible"
    cells = {text.get_position(): (text.get_text(), text.get_weight()) for text in chances.texts}
    assert len(cells) == 6
    for (ours, theirs), found in comparison.improvements.items():
        text, weight = cells[AGENTS.index(theirs), AGENTS.index(ours)]
        assert float(text) == pytest.approx(found.probability, abs=0.005)
        assert weight == ("bold" if found.is_sure else "normal")
    assert {"10.0 kB", "100 kB", "1.00 MB"} <= set(texts(figure))
    assert {"10.0 s", "11.0 s", "12.0 s"} <= set(texts(figure))


def test_what_is_unknown_is_left_out() -> None:
    figure = comparison_figure(a_comparison(AGENTS[:2], num_runs=1, best=None), rng=rng())
    assert not any("best possible:" in text for text in texts(figure))
    single = comparison_figure(a_comparison(AGENTS[:1], num_runs=1), rng=rng())
    assert not any(text == "P(row beats column)" for text in texts(single)), "there is nobody to beat"
    returns = single.axes[1]
    assert all(len(line.get_xdata()) == 1 for line in returns.lines[:2]), "one run has no interval"


def test_no_two_entries_look_alike() -> None:
    looks = distinct_looks(a_comparison(AGENTS).standings)
    assert len({to_hex(look.colour) for look in looks.values()}) == len(AGENTS)
    many = distinct_looks(a_comparison(tuple(f"run-{n}" for n in range(16))).standings)
    assert len({(look.colour, str(look.dashes)) for look in many.values()}) == 16
    assert distinct_looks(a_comparison(("dqn",)).standings)["dqn"].marker == "s", "its own, as in every figure"


def test_everything_of_the_frontier_is_drawn() -> None:
    frontier, levels = the_frontier()
    figure = frontier_figure(frontier, levels, 32)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [panel.title for panel in PANELS]
    for axes, panel in zip(figure.axes, PANELS, strict=True):
        for agent, rows in frontier[frontier["metric"] == panel.metric].groupby("agent"):
            means = rows.groupby("coins")["value"].mean().to_numpy()
            assert any(np.allclose(line.get_ydata(), means) for line in axes.lines if len(line.get_ydata()) == 12), (
                agent
            )
    memory = figure.axes[4]
    assert any(np.array_equal(line.get_ydata(), levels["states"] * 32) for line in memory.lines)
    assert memory.get_ylim()[1] < levels["states"].max() * 32, "it leaves the picture"
    (legend,) = figure.legends
    assert {text.get_text() for text in legend.get_texts()} == {*frontier["agent"], "a row for every state"}


FIGURES = {
    "1 agent": lambda: comparison_figure(a_comparison(AGENTS[:1]), rng=rng()),
    "3 agents": lambda: comparison_figure(a_comparison(AGENTS[:3]), rng=rng()),
    "8 agents": lambda: comparison_figure(a_comparison(AGENTS), rng=rng()),
    "8 agents, little known": lambda: comparison_figure(a_comparison(AGENTS, num_runs=1, best=None), rng=rng()),
    "frontier": lambda: frontier_figure(*the_frontier(), 32),
}


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_leaves_the_page_or_runs_into_another(name: str) -> None:
    figure = FIGURES[name]()
    figure.canvas.draw()
    boxes = {text.get_text(): text.get_window_extent() for text in figure.texts}
    for number, axes in enumerate(figure.axes):
        low, high = sorted(axes.get_ylim())
        ticks = [
            text for text in axes.get_yticklabels() if low <= text.get_position()[1] <= high
        ]  # others are not drawn
        for text in (axes._left_title, axes.xaxis.label, axes.yaxis.label, *ticks):
            if text.get_text():
                boxes[f"{number} {text.get_text()}"] = text.get_window_extent()
        boxes[f"axes {number}"] = axes.get_window_extent()
    for legend in figure.legends:
        boxes["legend"] = legend.get_window_extent()
    names, edges = list(boxes), np.array([box.extents for box in boxes.values()])
    page = figure.bbox
    inside = (edges[:, :2] >= 0).all(axis=1) & (edges[:, 2] <= page.x1) & (edges[:, 3] <= page.y1)
    assert inside.all(), [names[i] for i in np.flatnonzero(~inside)]
    apart = (edges[:, None, :2] >= edges[None, :, 2:] - 0.5).any(axis=2)
    overlap = np.triu(~(apart | apart.T), 1)
    assert not overlap.any(), [(names[i], names[j]) for i, j in np.argwhere(overlap)[:5]]
