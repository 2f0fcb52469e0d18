"""Curves, numbers and batch: from rows and transitions that were written by hand, and from real learning."""

import time

import numpy as np
import pytest

from gridrl.plots.looks import agent_look
from gridrl.problem import ProblemSettings
from gridrl.studio import measures
from gridrl.studio.measures.curves import Curve, thinned
from gridrl.studio.measures.numbers import amount, signed
from gridrl.studio.minds.mind import Mind
from gridrl.studio.truth import Truth
from gridrl.truth.known import Known
from gridrl.truth.solution import solve
from gridrl_agents.base import Transition

PATIENCE = 30.0
HALL = "#######\n#P   $#\n# ## ##\n#$  @ #\n#######"
DEEP = {"min_replay_size": 40, "replay_capacity": 200, "hidden_sizes": (16,)}


@pytest.fixture
def truth():
    truth = Truth()
    yield truth
    truth.close()


def mind_of(agent="q-learning", seeds=(0,), level=HALL, settings=None, **problem):
    return Mind(agent, ProblemSettings(level=level, **problem), {"gamma": 0.9} | (settings or {}), seeds)


def solved(minds, truth):
    deadline = time.monotonic() + PATIENCE
    while any(measures.truth_of(mind, truth) is None for mind in minds):
        assert time.monotonic() < deadline
        time.sleep(0.002)


def rows(**metrics):
    """Return the rows of seed 0 and seed 1 at steps 100, 200, ..., a pair of values each."""
    return [
        (seed, 0, 100 * (number + 1), metric, value)
        for metric, pairs in metrics.items()
        for number, pair in enumerate(pairs)
        for seed, value in enumerate(pair)
    ]


def lines(plot):
    return {line.label: line for line in plot.lines}


def test_plots_show_the_means_of_the_rows_beside_the_truth(truth):
    mind = mind_of(seeds=(0, 1))
    mind.step = 250
    mind.rows = rows(
        train_return=[(1.0, 3.0)],
        greedy_return=[(0.0, 0.0), (10.0, 20.0)],
        max_q_start=[(5.0, 7.0), (8.0, 9.0)],
        td_error=[(2.0, 2.0)],
        epsilon=[(1.0, 1.0), (0.5, 0.5)],
    )
    solved([mind], truth)
    returns, start, errors, epsilon = measures.plots([mind], truth)
    greedy, training = returns.lines
    np.testing.assert_array_equal(greedy.steps, [100, 200])
    np.testing.assert_array_equal(greedy.values, [0.0, 15.0])
    np.testing.assert_array_equal(training.values, [2.0])
    assert "#{:02x}{:02x}{:02x}".format(*greedy.colour).upper() == agent_look("q-learning").colour
    assert training.colour != greedy.colour
    np.testing.assert_array_equal(lines(start)["q-learning"].values, [6.0, 8.5])
    optimum = lines(start)["V*"]
    assert optimum.dashed
    np.testing.assert_array_equal(optimum.values, [solve(mind.level, 0.9).start_value()] * 2)
    assert optimum.steps[-1] == 250, "as far as it has learned"
    assert (errors.title, list(lines(errors))) == ("TD error, 2 seeds", ["q-learning"])
    np.testing.assert_array_equal(epsilon.lines[0].values, [1.0, 0.5])


def test_curves_follow_the_rows_as_they_grow_and_as_the_mind_goes_back(truth):
    mind = mind_of(seeds=(0, 1))
    mind.rows = rows(epsilon=[(1.0, 1.0), (0.5, 0.5)])
    assert len(measures.plots([mind], truth)[-1].lines[0].steps) == 2
    mind.rows = rows(epsilon=[(1.0, 1.0), (0.5, 0.5), (0.2, 0.2)])
    assert len(measures.plots([mind], truth)[-1].lines[0].steps) == 3
    mind.rows = rows(epsilon=[(1.0, 1.0)])
    assert len(measures.plots([mind], truth)[-1].lines[0].steps) == 1
    mind.rows = []
    assert all(not plot.lines for plot in measures.plots([mind], truth) if not plot.title.startswith("Max Q"))


def test_two_minds_share_each_plot_and_are_told_apart(truth):
    table, network = mind_of("sarsa"), mind_of("dqn", settings=DEEP)
    table.rows, network.rows = rows(td_error=[(1.0, 1.0)], epsilon=[(1, 1)]), rows(loss=[(2.0, 2.0)], epsilon=[(1, 1)])
    solved([table, network], truth)
    plots = measures.plots([table, network], truth)
    assert list(lines(plots[2])) == ["dqn", "sarsa"]
    assert "TD error" in plots[2].title
    assert list(lines(plots[1])) == ["V*"], "one level, one discount, one truth"
    assert agent_look("sarsa").colour == agent_look("dqn").colour, "the same in print, where dashes differ"
    for minds in ([table, network], [network, mind_of("dqn", settings=DEEP)]):
        assert len(set(measures.colours(minds))) == len(set(measures.names(minds))) == 2


def test_where_only_bounds_are_known_both_are_drawn(truth, monkeypatch):
    mind = mind_of()
    monkeypatch.setattr(truth, "known", lambda *_: Known(None, "too large", (3.0, 4.0), None, False))
    low, high = measures.plots([mind], truth)[1].lines
    assert (low.values[0], high.values[0], low.dashed, high.dashed) == (3.0, 4.0, True, True)
    table = dict(measures.numbers([mind], truth))
    assert table["V*, start"] == "3.00\N{EN DASH}4.00"
    assert table["max Q \N{MINUS SIGN} V*"] == "\N{MINUS SIGN}3.00", "max Q is 0"


def test_thinning_keeps_ends_and_extremes():
    steps = np.arange(10_000)
    values = np.sin(steps / 300.0)
    values[1234], values[7777] = 50.0, -50.0
    found = thinned(Curve(steps, values), 100)
    assert len(found.steps) <= 100
    assert {0, 1234, 7777, 9_999} <= set(found.steps.tolist())
    assert (np.diff(found.steps) > 0).all()
    np.testing.assert_array_equal(found.values, values[found.steps])
    assert np.diff(found.steps).max() < 500, "evenly"
    few = Curve(steps[:100], values[:100])
    assert thinned(few, 100) is few


def test_numbers_tell_how_far_it_came(truth):
    mind = mind_of()
    solved([mind], truth)
    optimum = solve(mind.level, 0.9).start_value()
    mind.agent.table[0] = optimum + 2.0
    mind.step, mind.num_episodes, mind.agent.num_updates = 12_400, 31, 12_400
    mind.rows = rows(greedy_return=[(1.0, 3.0)])
    assert dict(measures.numbers([mind], truth)) == {
        "steps": "12,400",
        "updates": "12,400",
        "episodes": "31",
        "return, learning": "\N{EN DASH}",
        "return, greedy": "2.00",
        "max Q, start": amount(optimum + 2.0),
        "V*, start": amount(optimum),
        "max Q \N{MINUS SIGN} V*": "+2.00",
        "epsilon": f"{mind.agent.epsilon:.2g}",
    }


def test_numbers_of_two_minds_stand_side_by_side(truth):
    minds = [mind_of(observation="planes"), mind_of("dqn", settings=DEEP)]
    for mind in minds:
        for _ in range(60):
            mind.learn()
        mind.rows += mind.recorder.training_rows(mind.agent, mind.step)
    table = measures.numbers(minds, truth)
    assert all(len(row) == 3 for row in table)
    found = {label: texts for label, *texts in table}
    states, none = found["states met"]
    assert int(states) >= (minds[0].visits[0] > 0).sum(), "of a table that looks at planes"
    assert none == "\N{EN DASH}"
    assert found["dead units"][1] == f"{minds[1].agent.dead_units()[0]:.0%}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (546.38, "546"),
        (12_345.6, "12,346"),
        (82.61, "82.6"),
        (-0.314, "\N{MINUS SIGN}0.31"),
        (-0.001, "0.00"),
        (0.0, "0.00"),
        (1.23e9, "1.23e+09"),
        (None, "\N{EN DASH}"),
        (np.nan, "\N{EN DASH}"),
    ],
)
def test_amounts_are_short(value, text):
    assert amount(value) == text


def test_differences_have_a_sign():
    assert [signed(value) for value in (12.44, -12.44, 0.0)] == ["+12.4", "\N{MINUS SIGN}12.4", "0.00"]


# --- what was learned from last


@pytest.mark.parametrize("observation", ["planes", "state"])
def test_a_table_learned_from_its_latest_step(observation):
    mind = mind_of(observation=observation, seeds=(0, 1))
    assert measures.batch(mind) == ()
    for _ in range(30):
        before = mind.state.cell
        ended = mind.learn()
        (row,) = measures.batch(mind)
        latest = mind.last_transition
        assert (row.cell, row.action, row.reward) == (before, latest.action[0], latest.reward[0])
        assert row.ended == latest.terminated[0]
        assert row.weight is None
        assert ended or row.next_cell == mind.state.cell


@pytest.mark.parametrize(("agent", "n_step"), [("dqn", 1), ("per-dqn", 1), ("n-step-dqn", 3)])
def test_a_network_learned_from_transitions_that_were_lived(agent, n_step):
    # Poison and a coin earn something else each: a reward tells what was scaled, and unscaled again.
    settings = DEEP | {"reward_scale": 0.01, "batch_size": 8} | ({"n_step": n_step} if n_step > 1 else {})
    mind, lived = mind_of(agent, settings=settings), []
    for _ in range(60):
        before = mind.state.cell
        mind.learn()
        latest = mind.last_transition
        lived.append((before, int(latest.action[0]), float(latest.reward[0]), bool(latest.terminated[0])))
    found = measures.batch(mind)
    assert len(found) == 8
    sums = {  # by hand: of n steps or as many as the episode has
        (cell, action, round(sum(0.9**k * lived[begin + k][2] for k in range(min(n_step, 60 - begin))), 4))
        for begin, (cell, action, _, _) in enumerate(lived)
        if not any(ended for *_, ended in lived[begin : begin + n_step - 1])
    }
    going_on = [row for row in found if not row.ended]
    assert going_on
    assert {(row.cell, row.action, round(row.reward, 4)) for row in going_on} <= sums
    if agent == "per-dqn":
        assert max(row.weight for row in found) == pytest.approx(1.0)
    else:
        assert {row.weight for row in found} == {None}


def test_nothing_is_shown_of_what_cannot_be_told():
    window = mind_of("drqn", settings={"min_replay_size": 40, "replay_capacity": 200})
    network = mind_of("dqn", settings=DEEP)
    for mind in (window, network):
        mind.learn()
        assert measures.batch(mind) == (), "a network has not learned yet"


def test_a_batch_of_sequences_has_all_of_their_steps():
    mind = mind_of("drqn", settings={"min_replay_size": 40, "replay_capacity": 200}, observation="planes")
    while mind.agent.num_updates == 0:
        mind.learn()
    drawn = mind.agent.last_batch(0)
    found = measures.batch(mind)
    assert len(found) == drawn["action"].size
    assert {row.cell for row in found} <= set(np.flatnonzero(mind.visits[0]))
    assert isinstance(mind.last_transition, Transition)
