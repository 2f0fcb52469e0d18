"""The maps of a mind: beside the arrays that `gridrl map` draws, tables whose values are known, counts by hand."""

import time
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from gridrl.maps.beliefs import belief
from gridrl.maps.situations import Situation, beginning, on_every_cell
from gridrl.maps.td_errors import td_errors
from gridrl.problem import ProblemSettings
from gridrl.studio import measures
from gridrl.studio.measures.maps import KINDS, cell_map, difference
from gridrl.studio.measures.places import player_cells
from gridrl.studio.measures.scales import calm_scale, shared_scale
from gridrl.studio.minds.mind import Mind
from gridrl.studio.shown import CellMap, Scale
from gridrl.studio.truth import Truth
from gridrl.truth.known import Known
from gridrl.truth.solution import solve
from gridrl_agents.base import Memory

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


def solved(mind, truth):
    deadline = time.monotonic() + PATIENCE
    while measures.truth_of(mind, truth) is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    return measures.truth_of(mind, truth).solution


def start(mind):
    return beginning(mind.problem.gridworld)


def shown(mind, kind, truth, situation=None):
    found, why = cell_map(mind, kind, situation or start(mind), truth)
    assert (found is None) == bool(why)
    assert why == "" or (why[0].isupper() and why.endswith(".")), why
    return found if found is not None else why


@pytest.mark.parametrize(("agent", "settings"), [("q-learning", {}), ("dqn", DEEP)])
def test_values_and_arrows_are_those_of_run_0_on_the_map_that_the_command_draws(agent, settings, truth):
    mind = mind_of(agent, (3, 4), settings=settings)
    for _ in range(150):
        mind.learn()
    if agent == "q-learning":
        mind.agent.table[:] = np.random.default_rng(0).normal(size=mind.agent.table.shape)
    situation = Situation((False, True, True), 5)  # the first coin is gone
    expected, other = belief(mind.agent, mind.problem.gridworld, situation)
    found = shown(mind, "value", truth, situation)
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(found.greedy, expected.greedy)
    assert not np.array_equal(found.values, other.values, equal_nan=True), "the other run believes something else"
    q_values = shown(mind, "q", truth, situation)
    np.testing.assert_array_equal(q_values.values.max(axis=1), expected.values)
    np.testing.assert_array_equal(q_values.greedy, expected.greedy)
    over = mind.level.coins[1]  # the last one: there the episode would be over
    assert np.isnan(found.values[[0, over]]).all()
    assert not found.greedy[[0, over]].any()


def test_a_table_that_holds_the_truth_shows_no_difference_and_no_td_error(truth):
    mind = mind_of()
    solution = solved(mind, truth)
    mind.agent.table[0] = solution.q_values
    np.testing.assert_array_equal(
        solution.q_values, solve(mind.level, 0.9).q_values
    )  # the very one that `gridrl solve` finds
    found, errors = shown(mind, "difference", truth), shown(mind, "td-error", truth)
    playing = ~np.isnan(found.values)
    assert playing.sum() == len(mind.level.floor)
    np.testing.assert_array_equal(found.values[playing], 0.0)
    np.testing.assert_allclose(errors.values[playing], 0.0, atol=1e-7)
    states = on_every_cell(mind.problem.gridworld, start(mind))
    best = solution.q_at(states) == solution.q_at(states).max(axis=1, keepdims=True)
    np.testing.assert_array_equal(found.greedy[states.cell], best)

    mind.agent.table[0] += 5.0
    raised, errors = shown(mind, "difference", truth), shown(mind, "td-error", truth)
    np.testing.assert_allclose(raised.values[playing], 5.0)
    assert raised.scale.signed
    assert raised.scale.low == -raised.scale.high
    np.testing.assert_array_equal(errors.values, td_errors(mind.agent, mind.problem.gridworld, start(mind))[0])
    # One step further 5 more is believed, too, but discounted; where no step ends the episode that is all.
    assert np.nanmin(errors.values) == pytest.approx(0.9 * 5 - 5)


def test_a_difference_that_cannot_be_had_says_why(truth, monkeypatch):
    mind = mind_of()
    monkeypatch.setattr(Truth, "ask", lambda *_: None)  # nobody works at it
    assert "being solved" in shown(mind, "difference", truth)
    reason = "level 'level': it has 9 states, more than the 8 that can be solved; keep fewer coins"
    monkeypatch.setattr(Truth, "known", lambda *_: Known(None, reason, None, None, False))
    sentence = shown(mind, "difference", truth)
    assert "it has 9 states" in sentence
    assert "Point at a cell" in sentence
    assert "keep fewer coins" not in sentence, "an advice for the command line"


def test_visits_are_those_that_were_counted_step_by_step(truth):
    mind, counted = mind_of(seeds=(0, 1)), Counter()
    for _ in range(80):
        counted[mind.state.cell] += 1
        mind.learn()
    found = shown(mind, "visits", truth).values
    assert {cell: found[cell] for cell in counted} == counted
    assert np.isnan(found[[cell for cell in range(found.size) if cell not in counted]]).all()


def test_uncertainty_is_the_spread_of_the_seeds_values(truth):
    mind = mind_of(seeds=(0, 1, 2))
    mind.agent.table[:] = np.array([1.0, 2.0, 6.0])[:, None, None]
    mind.agent.table[:, :, 1:] -= 100.0  # of other actions nothing is shown
    found = shown(mind, "uncertainty", truth).values
    np.testing.assert_allclose(found[list(mind.level.floor)], 7**0.5)  # (4 + 1 + 9) / 2
    assert "--seeds" in shown(mind_of(), "uncertainty", truth)


@pytest.mark.parametrize("observation", ["planes", "state"])
def test_priority_is_the_mean_over_what_is_remembered_of_a_cell(observation, truth, monkeypatch):
    mind = mind_of("dqn", settings=DEEP, observation=observation)
    assert "no priorities" in shown(mind, "priority", truth), "it draws evenly"
    world = mind.problem.gridworld
    everywhere = on_every_cell(world, start(mind))
    here = np.array([0, 0, 0, 2])  # three memories of the first floor cell, one of the third
    states = everywhere._replace(**{name: getattr(everywhere, name)[here] for name in everywhere._fields})
    memory = Memory(world.observe(states), np.array([0.1, 0.2, 0.3, 0.4]))
    monkeypatch.setattr(mind.agent, "memory", lambda run: memory)
    found = shown(mind, "priority", truth).values
    first, third = mind.level.floor[0], mind.level.floor[2]
    np.testing.assert_allclose(found[[first, third]], [0.8, 1.6])  # 1 would be a fourth
    assert np.isfinite(found).sum() == 2


def test_priorities_of_a_real_replay_lie_where_the_player_was(truth):
    mind = mind_of("per-dqn", settings=DEEP)
    assert "Nothing is remembered yet" in shown(mind, "priority", truth)
    for _ in range(120):
        mind.learn()
    found = shown(mind, "priority", truth).values
    np.testing.assert_array_equal(np.isfinite(found), mind.visits[0] > 0)
    # The mean over all that is remembered is 1 by its meaning; each transition was remembered once.
    assert np.nansum(found * mind.visits[0]) / 120 == pytest.approx(1.0)


def test_a_window_does_not_tell_where_the_player_stands(truth):
    mind = mind_of("per-dqn", settings=DEEP, observation="window")
    for _ in range(50):
        mind.learn()
    assert "'window'" in shown(mind, "priority", truth)


def test_the_player_is_found_in_observations_and_in_the_rows_that_a_replay_keeps():
    from gridrl_agents.deep.encoder import make_encoder

    for observation in ("planes", "state"):
        problem = mind_of("dqn", settings=DEEP, observation=observation).problem
        states = on_every_cell(problem.gridworld, beginning(problem.gridworld))
        obs = problem.gridworld.observe(states)
        encoder = make_encoder(problem.observation_space, problem.observation_support)
        np.testing.assert_array_equal(player_cells(problem, obs), states.cell)
        np.testing.assert_array_equal(player_cells(problem, encoder.encode(obs[None])[0]), states.cell)


def test_every_kind_has_a_name_a_key_and_a_sentence_of_its_own(truth):
    mind = mind_of("per-dqn", (0, 1), settings=DEEP)
    mind.learn()
    solved(mind, truth)
    for field in ("name", "label", "key", "hint"):
        assert len({getattr(kind, field) for kind in KINDS}) == len(KINDS)
    names = {kind.name: shown(mind, kind.name, truth).name for kind in KINDS}
    assert len(set(names.values())) == len(KINDS)


# --- two minds, and scales


def of(values, low=0.0, high=1.0, signed=False):
    return CellMap("", np.array(values), np.zeros((len(values), 4), bool), Scale(low, high, signed))


def test_the_difference_of_two_minds_and_the_scale_that_they_share():
    left, right = of([1.0, 4.0, np.nan], 0.0, 4.0), of([3.0, 3.0, np.nan], -2.0, 3.0)
    found = difference(left, right)
    np.testing.assert_array_equal(found.values, [-2.0, 1.0, np.nan])
    assert found.scale == Scale(-2.0, 2.0, True)
    assert shared_scale([left, right]) == Scale(-2.0, 4.0)


@pytest.mark.parametrize(
    ("values", "options", "expected"),
    [
        ([0.0, 97.3], {}, Scale(0.0, 100.0)),
        ([-3.1, 97.3], {}, Scale(-20.0, 100.0)),
        ([1.04, 1.31], {}, Scale(1.0, 1.35)),
        ([-12.0, 3.0], {"signed": True}, Scale(-15.0, 15.0, True)),
        ([3.0, 8.2], {"from_zero": True}, Scale(0.0, 9.0)),
        ([0.0, 0.0], {}, Scale(0.0, 1.0)),
        ([0.0], {"signed": True}, Scale(-1.0, 1.0, True)),
        ([np.nan], {}, Scale(0.0, 1.0)),
        ([50.0, 50.0], {}, Scale(44.0, 56.0)),
        ([1.0] * 99 + [3.0], {"signed": True, "share": 0.98}, Scale(-1.0, 1.0, True)),
        ([1.0] * 99 + [-1000.0], {"signed": True, "share": 0.98}, Scale(-300.0, 300.0, True)),
        ([0.0] * 99 + [80.0], {"from_zero": True, "share": 0.9}, Scale(0.0, 20.0)),
        ([-80.0, -20.0], {}, Scale(-80.0, -20.0)),
    ],
)
def test_a_scale_has_round_ends_about_its_values(values, options, expected):
    found = calm_scale(np.array(values), **options)
    assert found == pytest.approx(expected)
    assert found.signed is expected.signed


def test_a_scale_keeps_still_until_values_leave_it_or_fill_less_than_half_of_it():
    generator = np.random.default_rng(0)
    scale = calm_scale(np.array([0.0, 95.0]))
    for _ in range(200):  # values that tremble about a round number
        assert calm_scale(np.array([0.0, 80.0 + generator.normal(0.0, 5.0)]).clip(0, 100), scale) is scale
    assert calm_scale(np.array([0.0, 130.0]), scale).high >= 130.0, "at once"
    assert calm_scale(np.array([0.0, 51.0]), scale) is scale
    assert calm_scale(np.array([0.0, 49.0]), scale).high == 50.0
    assert calm_scale(np.array([np.nan]), scale) is scale, "an episode that is over"
    assert calm_scale(np.array([1.0]), scale, signed=True).signed, "another kind"


def test_a_map_takes_the_scale_of_the_frame_before(truth):
    mind = SimpleNamespace(**{"visits": np.array([[10, 8, 0]])})
    found, _ = cell_map(mind, "visits", Situation(()), truth)
    mind.visits = np.array([[11, 9, 0]])
    again, _ = cell_map(mind, "visits", Situation(()), truth, Scale(0.0, 12.0))
    assert found.scale.high == 10.0
    assert again.scale == Scale(0.0, 12.0)
