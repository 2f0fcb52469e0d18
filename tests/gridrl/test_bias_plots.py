"""What is in the figures of the bias: lines, marks and texts."""

import numpy as np
import pandas
import pytest

from gridrl.intervals import Summary
from gridrl.plots.bias import HOW_TO_READ_MAPS, HOW_TO_READ_SPLIT, MARKERS, bias_figure, finite, split_figure
from gridrl.problem import ProblemSettings
from gridrl.training import start
from gridrl.training_settings import TrainSettings
from gridrl.truth.bias import final_summaries, grouped
from gridrl.truth.bias_figures import bias_maps
from gridrl.truth.solution import solve
from gridrl.truth.state_samples import STATE_SETS

MINUS = "\N{MINUS SIGN}"


def rng():
    return np.random.default_rng(0)


def a_table(agents=("q-learning", "dqn"), sets=("start", "visited", "random"), seeds=3, **changed):
    """Believed 100 + step, worth 60 and the best 120, more by the seed's number and ten times the set's."""
    rows = []
    for agent in agents:
        for seed in range(seeds):
            for step in (0, 50, 100):
                for number, name in enumerate(sets):
                    shift = seed + 10 * number
                    found = {"believed": 100 + step, "policy_value": 60, "optimal_value": 120} | changed
                    found["estimate_error"] = found["believed"] - found["policy_value"]
                    rows += [
                        (agent, seed, step, name, metric, value + (shift if metric != "estimate_error" else 0))
                        for metric, value in found.items()
                    ]
    return pandas.DataFrame(rows, columns=["agent", "run", "step", "states", "metric", "value"])


def lines(axes):
    return {line.get_label(): list(line.get_ydata()) for line in axes.lines}


def titles(figure):
    return [axes.get_title(loc="left").replace("\n", " ") for axes in figure.axes]


def notes(figure):
    return " ".join(text.get_text().replace("\n", " ") for text in figure.texts)


def test_over_training_one_panel_for_each_agent_and_the_errors_of_two_sets():
    figure = bias_figure(a_table(), rng=rng(), title="What is so")
    assert titles(figure) == [
        "q-learning: start",
        "dqn: start",
        "error of the estimate: start",
        "error of the estimate: visited",
    ]
    for axes in figure.axes[:2]:
        assert lines(axes) == {
            "it believes: max Q (n=3)": [101, 151, 201],
            "its policy earns (n=3)": [61, 61, 61],
            "best possible: 121": [121, 121, 121],
        }
        solid, dashed, dotted = axes.lines
        assert [line.is_dashed() for line in (solid, dashed, dotted)] == [False, True, True]
        assert len(axes.collections) == 2, "a band each for what is believed and what is earned"
    errors = lines(figure.axes[3])
    assert errors["q-learning (n=3)"] == errors["dqn (n=3)"] == [40, 90, 140]
    assert errors["no error"] == [0, 0]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert figure.axes[2].get_ylim() == figure.axes[3].get_ylim()
    assert "Solid above dashed is overestimation" in notes(figure)
    assert "What is so" in notes(figure)


def test_the_best_changes_with_the_states_and_bounds_are_a_band():
    table = a_table(agents=("dqn",), sets=("visited",))
    moving = table.assign(value=table["value"] + np.where(table["metric"] == "optimal_value", table["step"], 0))
    (axes, _) = bias_figure(moving, rng=rng()).axes
    assert lines(axes)["best possible: 221 at the end"] == [121, 171, 221]

    bounds = table[table["metric"] != "optimal_value"]
    for metric, value in (("optimum_low", 2677.7), ("optimum_high", 2829.5)):
        bounds = pandas.concat([bounds, table[table["metric"] == "believed"].assign(metric=metric, value=value)])
    (axes, _) = bias_figure(bounds, rng=rng()).axes
    (band,) = axes.patches
    assert (band.get_y(), band.get_y() + band.get_height()) == pytest.approx((2677.7, 2829.5))
    assert band.get_label() == "best possible: 2678 to 2830"
    assert len(axes.lines) == 2


def test_infinite_values_are_left_out():
    table = a_table(agents=("dqn", "sarsa"), sets=("start", "random")).astype({"value": float})
    infinite = (table["agent"] == "dqn") & (table["step"] == 0) & (table["run"] == 1)
    table.loc[infinite & (table["metric"] == "policy_value"), "value"] = -np.inf
    figure = bias_figure(finite(table), rng=rng())
    assert lines(figure.axes[0])["its policy earns (n=3)"] == [61, 61]
    assert lines(figure.axes[1])["its policy earns (n=3)"] == [61, 61, 61]
    table.loc[(table["agent"] == "dqn") & (table["states"] == "start"), "value"] = np.inf
    figure = bias_figure(finite(table), rng=rng())
    assert titles(figure) == ["sarsa: start", "error of the estimate: start", "error of the estimate: random"]
    with pytest.raises(ValueError, match="at least one value, got none"):
        bias_figure(finite(table.assign(value=np.inf)), rng=rng())


def some_summaries(with_loss=True):
    def summary(centre, n=4):
        spread = np.nan if n == 1 else 5.0
        return Summary(np.array(centre), np.array(centre - spread), np.array(centre + spread), n)

    found = {}
    for i, (agent, n) in enumerate((("q-learning", 1), ("dqn", 4))):
        for k, name in enumerate(STATE_SETS):
            found[agent, name, "believed"] = summary(500.0, n)
            found[agent, name, "estimate_error"] = summary(100.0 * i + k, n)
            if with_loss:
                found[agent, name, "policy_loss"] = summary(-200.0 * i - k, n)
    return found


def test_the_split_draws_each_mean_and_its_interval():
    figure = split_figure(some_summaries(), title="Split")
    error, loss = figure.axes
    assert titles(figure) == [
        f"error of the estimate: max Q {MINUS} true value",
        f"loss of the policy: true value {MINUS} best possible",
    ]
    for axes, values in ((error, [0, 1, 2, 3, 100, 101, 102, 103]), (loss, [0, -1, -2, -3, -200, -201, -202, -203])):
        marks = [line for line in axes.lines if line.get_marker() in MARKERS.values()]
        assert [float(line.get_xdata()[0]) for line in marks] == values
        assert [line.get_marker() for line in marks] == list(MARKERS.values()) * 2
        bars = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 2 and line.get_marker() == "None"]
        assert [tuple(map(float, bar)) for bar in bars[1:]] == [(value - 5.0, value + 5.0) for value in values[4:]]
        assert list(bars[0]) == [0, 0], "the line of no error"
    assert [label.get_text() for label in error.get_yticklabels()] == ["q-learning\n(n=1)", "dqn\n(n=4)"]
    assert [text.get_text() for text in figure.legends[0].texts] == list(STATE_SETS)
    assert set(MARKERS) == set(STATE_SETS)
    assert HOW_TO_READ_SPLIT in notes(figure)


def test_the_split_says_why_there_is_no_loss():
    figure = split_figure(some_summaries(with_loss=False), why_no_loss="not known: too large")
    assert [text.get_text() for text in figure.axes[1].texts] == ["not known: too large"]
    assert not figure.axes[1].lines
    infinite = {key: found._replace(centre=np.array(np.inf)) for key, found in some_summaries().items()}
    figure = split_figure(infinite)
    assert len(figure.axes[0].lines) == 1
    with pytest.raises(ValueError, match="at least one summary"):
        split_figure({})


@pytest.mark.parametrize("number", range(4))
def test_no_text_leaves_the_page_or_runs_into_another(number):
    tables = [
        a_table(),
        a_table(agents=("dqn",)),
        a_table(agents=("double-q-learning-dense-small-v0-1", "b", "c", "d")),
    ]
    summaries = final_summaries(tables[2], rng())
    figures = [bias_figure(table, rng=rng(), title="Title") for table in tables]
    figures.append(split_figure(summaries, title="A rather long title of what is shown", why_no_loss="why not " * 9))
    figure = figures[number]
    figure.canvas.draw()
    boxes = {}
    for axes in figure.axes:
        for text in (axes._left_title, axes.xaxis.label, axes.yaxis.label, *axes.get_yticklabels(), *axes.texts):
            if text.get_text():
                boxes[f"{text.get_text()} {id(text)}"] = text.get_window_extent()
        if axes.get_legend():
            boxes[f"legend {id(axes)}"] = axes.get_legend().get_window_extent()
    boxes |= {text.get_text(): text.get_window_extent() for text in figure.texts if text.get_text()}
    boxes |= {f"legend {id(each)}": each.get_window_extent() for each in figure.legends}
    names, edges = list(boxes), np.array([box.extents for box in boxes.values()])
    assert (edges[:, :2] >= 0).all(), [names[i] for i in np.flatnonzero((edges[:, :2] < 0).any(axis=1))]
    inside = (edges[:, 2:] <= [figure.bbox.x1, figure.bbox.y1]).all(axis=1)
    assert inside.all(), [names[i] for i in np.flatnonzero(~inside)]
    apart = (edges[:, None, :2] >= edges[None, :, 2:] - 0.5).any(axis=2)
    overlap = np.triu(~(apart | apart.T), 1)
    assert not overlap.any(), [(names[i], names[j]) for i, j in np.argwhere(overlap)[:5]]


def test_maps_of_what_is_believed_what_is_so_and_the_difference(tmp_path):
    runs = []
    for agent in ("q-learning", "sarsa"):
        settings = TrainSettings(seeds=2, steps=20, eval_period=20, eval_episodes=1)
        problem = ProblemSettings(env="dense-small-v0", coins=2)
        run = start(agent, problem, settings, {"gamma": 0.9}, out=tmp_path / agent)
        run.run()
        run.agent.table[:] = solve(run.problem.level, 0.9).q_values + 12.5
        run.folder.save_snapshot(20, run.agent.values_dict())
        runs.append(run)
    (group,) = grouped(runs)
    figure = bias_maps(group)
    maps = [axes for axes in figure.axes if axes.images]
    assert titles(figure)[:6] == [
        f"max Q: q-learning (seed {runs[0].config.seeds[runs[0].best]})",
        "true value: q-learning",
        "difference: q-learning",
        f"max Q: sarsa (seed {runs[1].config.seeds[runs[1].best]})",
        "true value: sarsa",
        "difference: sarsa",
    ]
    believed, worth, difference = (axes.images[0].get_array().compressed() for axes in maps[:3])
    np.testing.assert_allclose(believed - worth, 12.5, atol=1e-6)
    np.testing.assert_allclose(difference, 12.5, atol=1e-6)
    assert maps[0].images[0].norm is maps[4].images[0].norm
    assert HOW_TO_READ_MAPS in notes(figure)
