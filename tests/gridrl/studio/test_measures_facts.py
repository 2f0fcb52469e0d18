"""What is known of a cell: its Q beside the truth or what its policy earns, its distribution, what stands there."""

import itertools
import time
from types import SimpleNamespace

import numpy as np
import pytest

from gridrl.maps.situations import Situation, beginning, on_every_cell
from gridrl.problem import ProblemSettings
from gridrl.studio import measures
from gridrl.studio.measures import rollouts as rollouts_module
from gridrl.studio.measures.facts import facts
from gridrl.studio.measures.rollouts import Rollouts
from gridrl.studio.minds.mind import Mind
from gridrl.studio.truth import Truth
from gridrl.truth.known import Known
from gridrl.truth.returns import action_returns

PATIENCE = 30.0
YARD = "########\n#P > $G#\n#  #  X#\n#$  @  #\n########"
DEEP = {"min_replay_size": 40, "replay_capacity": 200, "hidden_sizes": (16,)}
UNSOLVED = Known(None, "it is too large", None, None, False)


@pytest.fixture
def truth():
    truth = Truth()
    yield truth
    truth.close()


@pytest.fixture
def unsolvable(truth, monkeypatch):
    monkeypatch.setattr(truth, "known", lambda *_: UNSOLVED)
    return truth


def mind_of(agent="q-learning", level=YARD, **settings):
    return Mind(agent, ProblemSettings(level=level), {"gamma": 0.9} | settings, [0])


def at(mind, glyph, number=0):
    return [cell for cell, other in enumerate("".join(mind.level.map)) if other == glyph][number]


def start(mind):
    return beginning(mind.problem.gridworld)


def state_on(mind, cell, situation):
    everywhere = on_every_cell(mind.problem.gridworld, situation)
    row = everywhere.cell == cell
    return type(everywhere)(everywhere.cell[row], everywhere.step[row], everywhere.items[row])


def until(found):
    deadline = time.monotonic() + PATIENCE
    while (value := found()) is None:
        assert time.monotonic() < deadline
    return value


@pytest.mark.parametrize(
    ("glyph", "number", "title", "plays"),
    [
        ("#", 0, "row 1, column 1: a wall", False),
        ("P", 0, "row 2, column 2: a start", True),
        (" ", 0, "row 2, column 3: floor", True),
        (">", 0, "row 2, column 4: a patroller", False),
        ("$", 0, "row 2, column 6: a coin", True),
        ("G", 0, "row 2, column 7: a goal", False),
        ("X", 0, "row 3, column 7: a pit", False),
        ("@", 0, "row 4, column 5: poison", True),
    ],
)
def test_a_cell_is_named_with_what_stands_there_and_has_values_where_an_episode_goes_on(
    glyph, number, title, plays, truth
):
    mind = mind_of()
    found = facts(mind, at(mind, glyph, number), start(mind), truth, Rollouts())
    assert found.title == title
    assert (found.q is not None) == plays
    assert found.returns is None


def test_what_stands_there_is_of_the_situation(truth):
    mind = mind_of()
    coin, phases = at(mind, "$"), mind.problem.gridworld.dynamics.patroller_cells[:, 0].tolist()
    assert coin in phases, "the patroller comes by"
    later = Situation((False, True, True), phases.index(coin))
    assert facts(mind, coin, start(mind), truth, Rollouts()).title.endswith(": a coin")
    assert facts(mind, coin, later, truth, Rollouts()).title.endswith(": a patroller")
    assert facts(mind, at(mind, ">"), later, truth, Rollouts()).title.endswith(": floor")
    back = later._replace(items=(True, True, True))
    assert facts(mind, coin, back, truth, Rollouts()).title.endswith(": a patroller on a coin")


def test_q_stands_beside_the_optimal_one_where_the_level_is_solved(truth):
    mind = mind_of()
    cell, situation = at(mind, "P"), start(mind)
    pending = facts(mind, cell, situation, truth, Rollouts())
    assert pending.truth is None or pending.truth_name == "Q*"
    solution = until(lambda: measures.truth_of(mind, truth)).solution
    here = state_on(mind, cell, situation)
    mind.agent.table[0, solution.state_index.encode(here)[0]] = [1.0, 2.0, 3.0, 4.0]
    mind.visits[0, cell] = 7
    found = facts(mind, cell, situation, truth, Rollouts())
    np.testing.assert_array_equal(found.q, [1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(found.truth, solution.q_at(here)[0])
    assert (found.truth_name, found.visits) == ("Q*", 7.0)


def test_a_learned_distribution_has_the_mean_q(truth):
    mind = mind_of("c51", v_min=-10.0, v_max=50.0, num_atoms=11, **DEEP)
    found = facts(mind, at(mind, "P"), start(mind), truth, Rollouts())
    assert found.returns.shape == found.probability.shape == (4, 11)
    np.testing.assert_allclose((found.returns * found.probability).sum(axis=1), found.q, rtol=1e-5, atol=1e-5)


@pytest.fixture
def one_step_a_frame(monkeypatch):
    """Let each frame have time for one step of play."""
    clock = SimpleNamespace(monotonic=itertools.count().__next__)  # it ticks when it is looked at
    monkeypatch.setattr(rollouts_module, "time", clock)
    monkeypatch.setattr(rollouts_module, "SLICE", 2)


@pytest.mark.parametrize("agent", ["q-learning", "dqn"])
def test_where_the_level_cannot_be_solved_the_policys_own_returns_come_after_some_frames(
    agent, unsolvable, one_step_a_frame
):
    """Meanwhile all that it believes changes in each frame; played is what it believed in the first one."""
    mind = mind_of(agent, **(DEEP if agent == "dqn" else {}))
    for _ in range(60):
        mind.learn()
    cell, situation = at(mind, "$", 1), Situation((True, True, True), 3)
    here, rollouts = state_on(mind, cell, situation), Rollouts()
    expected = action_returns(mind.agent, mind.problem.gridworld, here).value[0, 0]
    begun, frames, generator = mind.step, 0, np.random.default_rng(0)
    while (found := facts(mind, cell, situation, unsolvable, rollouts)).truth is None:
        assert "played out" in found.truth_name
        mind.step += 1
        believed = {name: generator.normal(size=array.shape) for name, array in mind.agent.values_dict().items()}
        mind.agent.load_values({name: array.astype(np.float32) for name, array in believed.items()})
        frames += 1
    assert frames > 3
    np.testing.assert_array_equal(found.truth, expected)
    assert f"as of step {begun}" in found.truth_name


@pytest.mark.parametrize("agent", ["q-learning", "dqn"])
def test_looking_does_not_change_what_is_learned(agent, unsolvable, one_step_a_frame):
    settings = DEEP if agent == "dqn" else {}
    looked_at, alone = mind_of(agent, **settings), mind_of(agent, **settings)
    rollouts, waiting = Rollouts(), 0
    for _ in range(80):
        looked_at.learn()
        waiting += facts(looked_at, at(looked_at, "P"), start(looked_at), unsolvable, rollouts).truth is None
        alone.learn()
    assert waiting > 3
    ours, theirs = looked_at.agent.state_dict(), alone.agent.state_dict()
    for name in ("online", "target") if agent == "dqn" else ("table",):
        np.testing.assert_array_equal(ours[name], theirs[name])


def test_another_cell_another_agent_and_an_earlier_moment_are_played_anew(unsolvable):
    mind, rollouts = mind_of(), Rollouts()
    situation = start(mind)
    for _ in range(30):
        mind.learn()
    moment = mind.moment()

    def found_of(cell):
        return until(lambda: rollouts.earned(mind, state_on(mind, cell, situation)))

    assert found_of(at(mind, "P")).step == 30
    mind.learn()
    assert found_of(at(mind, "$", 1)).step == 31, "another cell"
    mind.learn()
    assert found_of(at(mind, "$", 1)).step == 31, "it rests"
    mind.change(learning_rate=0.5)
    assert found_of(at(mind, "$", 1)).step == 32, "another agent"
    mind.go_back(moment)
    assert found_of(at(mind, "$", 1)).step == 30, "an earlier moment"


def test_a_policy_is_played_again_when_it_has_learned_and_rested(unsolvable, monkeypatch):
    monkeypatch.setattr(rollouts_module, "REST", 0.0)
    mind, rollouts = mind_of(), Rollouts()
    here = state_on(mind, at(mind, "P"), start(mind))
    assert until(lambda: rollouts.earned(mind, here)).step == 0
    for _ in range(10):
        mind.learn()
    assert until(lambda: found if (found := rollouts.earned(mind, here)).step == 10 else None)
