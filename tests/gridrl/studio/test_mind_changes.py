"""What hands change, a mind goes on with: settings, chance, and the level under its feet."""

import dataclasses
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridrl.problem import ProblemSettings
from gridrl.studio.measures import batch
from gridrl.studio.minds.mind import Mind
from gridrl_agents.errors import SettingsError
from gridrl_envs.dynamics import State, States
from gridrl_envs.level import Level
from gridrl_envs.vector import GridworldVectorEnv

MAP = "########\n#P $   #\n#  @ $ #\n#>     #\n########\n"
SMALL_NET = {"hidden_sizes": (16,), "replay_capacity": 90, "min_replay_size": 40, "target_update_period": 25}
START, COIN, POISON, COIN2, PATROLLER = 9, 11, 19, 21, 25  # cells


def paint(level: Level, glyph: str, *cells: int) -> Level:
    drawing = list("".join(level.map))
    for cell in cells:
        drawing[cell] = glyph
    rows = ["".join(drawing[begin : begin + level.columns]) for begin in range(0, len(drawing), level.columns)]
    return dataclasses.replace(level, map=tuple(rows))


@pytest.fixture
def level(tmp_path: Path) -> str:
    (tmp_path / "small.txt").write_text(MAP)
    return str(tmp_path / "small.txt")


def mind_of(level: str, agent: str, steps: int, seeds: tuple[int, ...] = (0, 1), **problem: Any) -> Mind:
    net = SMALL_NET if agent in ("dqn", "rainbow", "c51", "drqn") else {}
    mind = Mind(agent, ProblemSettings(level=level, max_steps=40, **problem), net, seeds, eval_period=10_000)
    for _ in range(steps):
        mind.learn()
    return mind


def all_q(mind: Mind, states: list[State]) -> np.ndarray:
    """Return Q of states of the mind's level, [N, R, A]."""
    world = GridworldVectorEnv(1, level=mind.level, observation=mind.problem.observation)
    obs = world.observe(States.of(states))
    return mind.agent.q_values(np.broadcast_to(obs, (len(mind.seeds), *obs.shape))).swapaxes(0, 1)


def q_of(mind: Mind, state: State) -> np.ndarray:
    """Return Q of one state of the mind's level, [R, A]."""
    return all_q(mind, [state])[0]


def test_a_change_goes_on_from_all_that_was(level: str) -> None:
    """To other settings and back again at once is as if nothing had been."""
    for agent in ("q-learning", "rainbow"):
        left, right = (mind_of(level, agent, 60) for _ in range(2))
        right.change(learning_rate=0.02, epsilon=0.3)
        assert right.agent.epsilon == 0.3
        assert (right.settings["learning_rate"], right.settings["epsilon_end"]) == (0.02, 0.3)
        right.change(**{name: left.settings[name] for name in ("learning_rate", "epsilon_begin", "epsilon_end")})
        for _ in range(60):
            assert left.learn() == right.learn()
        values = q_of(left, left.state)
        assert np.array_equal(values, q_of(right, right.state))
        assert len(right.touches) == 2
        assert right.touches[0][0] == 60
        assert "learning_rate" in right.touches[0][1]


def test_what_does_not_fit_is_refused_and_nothing_changes(level: str) -> None:
    mind = mind_of(level, "dqn", 50)
    agent, settings = mind.agent, dict(mind.settings)
    for wrong in ({"dueling": True}, {"learning_rate": -1.0}, {"learning_rat": 1.0}, {"hidden_sizes": (9,)}):
        with pytest.raises(SettingsError):
            mind.change(**wrong)
    assert (mind.agent, mind.settings, mind.touches) == (agent, settings, ())
    mind.begin_anew(dueling=True)
    assert (mind.step, mind.settings["dueling"], mind.rows) == (0, True, [])
    assert mind.agent.num_updates == 0
    mind.learn()


def test_chance_can_come_and_go_and_everything_stays(level: str) -> None:
    mind = mind_of(level, "dqn", 60)
    agent, state, visits = mind.agent, mind.state, mind.visits.copy()
    assert mind.change_level(mind.level.replace(slip=1.0, reward_noise=3.0)) == []
    assert mind.agent is agent
    assert (mind.state, mind.step) == (state, 60)
    assert np.array_equal(mind.visits, visits)
    slipped = rewards = 0
    for _ in range(40):
        before = mind.state.cell
        mind.learn()
        assert mind.last_transition is not None
        action = int(mind.last_transition.action[0])
        slipped += mind.state.cell not in (before, before + (-8, 8, -1, 1)[action], START)
        rewards += mind.last_transition.reward[0] % 1 != 0
    assert slipped > 5
    assert rewards == 40
    assert mind.change_level(mind.level.replace(slip=0.0, reward_noise=0.0)) == []
    assert mind.problem.is_deterministic
    assert [step for step, _ in mind.touches] == [60, 100]
    assert mind.touches[0][1] == "slip 0.0 -> 1.0, reward_noise 0.0 -> 3.0"


def test_random_streams_go_on_in_the_other_world(level: str) -> None:
    left, right = (mind_of(level, "q-learning", 60, slip=0.3, reward_noise=2.0) for _ in range(2))
    right.change_level(right.level.replace(name="the same, but for its name"))
    for _ in range(60):
        left.learn()
        right.learn()
    assert left.state == right.state
    assert np.array_equal(q_of(left, left.state), q_of(right, left.state))


@pytest.mark.parametrize(
    ("agent", "observation"),
    [
        ("monte-carlo", "state"),
        ("q-lambda", "window"),
        ("fitted-q", "state"),
        ("rainbow", "window"),
        ("dqn", "pixels"),
    ],
)
def test_all_that_can_be_painted_can_be_lived_in(level: str, agent: str, observation: str) -> None:
    mind = mind_of(level, agent, 45, observation=observation)
    step = mind.step
    for glyph, cell in (("#", 12), ("$", 14), ("G", 22), ("X", 29), ("@", 13), (" ", PATROLLER), ("<", 30), (" ", 22)):
        lost = mind.change_level(paint(mind.level, glyph, cell))
        step = 3 if any("begins anew" in sentence for sentence in lost) else step + 3
        for _ in range(3):
            mind.learn()
        assert mind.step == step
        assert mind.problem.observation == observation
    assert (agent == "fitted-q") == (step == 3)


def states_of(level: Level) -> list[State]:
    """Return every state of a level with the player on floor, at each step of the patrollers' round."""
    num_items = len(level.coins) + len(level.poisons)
    phases = 1 if not level.patrollers else 24
    return [
        State(cell, step, items)
        for cell in level.floor
        for step in range(phases)
        for items in product([False, True], repeat=num_items)
    ]


def items_of(level: Level, state: State) -> dict[tuple[str, int], bool]:
    names = [("coin", cell) for cell in level.coins] + [("poison", cell) for cell in level.poisons]
    return dict(zip(names, state.items, strict=True))


@pytest.mark.parametrize(
    ("glyph", "cells"), [("#", (12,)), ("$", (14,)), (" ", (COIN,)), ("$", (POISON,)), ("G", (22,))]
)
def test_each_state_of_a_table_keeps_the_value_of_the_one_that_means_the_same(
    level: str, glyph: str, cells: tuple[int, ...]
) -> None:
    mind = mind_of(level, "q-learning", 800)
    assert mind.problem.observation == "state"
    before = mind.level
    old = dict(zip(states_of(before), all_q(mind, states_of(before)), strict=True))
    assert mind.change_level(paint(before, glyph, *cells)) == []
    names = list(items_of(before, State(0, 0, (True,) * 3)))
    known = 0
    for state, values in zip(states_of(mind.level), all_q(mind, states_of(mind.level)), strict=True):
        lying = items_of(mind.level, state)
        there = [
            old[State(state.cell, state.step, tuple(lying.get(name, gone) for name in names))]
            for gone in (True, False)  # what is gone lies there still, or else it was collected
        ]
        for run in range(2):
            learned = [values_there[run] for values_there in there if np.any(values_there[run] != 0)]
            assert np.array_equal(values[run], learned[0] if learned else np.zeros(4)), state
            known += bool(learned)
    assert known > 50
    for _ in range(50):
        mind.learn()


def test_without_its_patroller_a_state_keeps_what_was_learned_at_any_step_of_the_round(level: str) -> None:
    mind = mind_of(level, "q-learning", 800)
    before = mind.level
    old = dict(zip(states_of(before), all_q(mind, states_of(before)), strict=True))
    assert mind.change_level(paint(before, " ", PATROLLER)) == []
    for state, values in zip(states_of(mind.level), all_q(mind, states_of(mind.level)), strict=True):
        for run in range(2):
            there = [old[state._replace(step=step)][run] for step in range(24)]
            learned = [each for each in there if np.any(each != 0)]
            assert np.array_equal(values[run], learned[0] if learned else np.zeros(4)), state
    found = mind.change_level(before)
    assert found == []
    again = all_q(mind, [State(10, step, (True,) * 3) for step in range(24)])
    assert (again == again[0]).all()  # every step of the round means what the one step there was meant
    assert np.any(again != 0)


def test_a_new_cell_begins_with_the_initial_value(level: str) -> None:
    mind = mind_of(level, "q-learning", 300)
    mind.begin_anew(initial_value=5.0)
    walled = paint(mind.level, "#", 12)
    mind.change_level(walled)
    for _ in range(300):
        mind.learn()
    mind.change_level(paint(walled, " ", 12))
    assert np.array_equal(q_of(mind, State(12, 0, (True,) * 3)), np.full((2, 4), 5.0))
    assert not np.array_equal(q_of(mind, State(10, 1, (True,) * 3)), np.full((2, 4), 5.0))


@pytest.mark.parametrize("agent", ["q-learning", "dqn"])
def test_planes_say_the_same_of_states_without_what_is_new(level: str, agent: str) -> None:
    mind = mind_of(level, agent, 400, observation="planes")
    before = mind.level
    asked = [state for state in states_of(before) if state.cell not in (14, 22, *before.coins, *before.poisons)]
    asked = [state for state in asked if any(state.items[:2])][::7]
    old = all_q(mind, asked)
    lost = mind.change_level(paint(before, "$", 14))  # of the coins in reading order it is the second
    assert bool(lost) == (agent == "dqn")
    without = [state._replace(items=(state.items[0], False, *state.items[1:])) for state in asked]
    assert np.allclose(all_q(mind, without), old, rtol=1e-5, atol=1e-4)
    if agent == "q-learning":  # with it there, too, they mean what they meant without
        lying = [state._replace(items=(state.items[0], True, *state.items[1:])) for state in asked]
        assert np.array_equal(all_q(mind, lying), old)
    assert np.any(old != 0)
    mind.change_level(paint(mind.level, "G", 22))  # the planes get one more
    assert mind.problem.observation_space.shape == (5, 8, 7)
    for _ in range(60):
        mind.learn()


def test_a_network_learns_on_in_the_new_world_alone(level: str) -> None:
    mind = mind_of(level, "dqn", 100)
    updates = mind.agent.num_updates
    (lost,) = mind.change_level(paint(mind.level, "$", 14))
    assert "replay was emptied" in lost
    for _ in range(SMALL_NET["min_replay_size"] - 1):  # type: ignore[operator]
        mind.learn()
    assert mind.agent.num_updates == updates
    for _ in range(5):
        mind.learn()
    assert mind.agent.num_updates == updates + 5
    assert mind.step == 144


def test_an_episode_goes_on_where_it_can(level: str) -> None:
    mind = mind_of(level, "q-learning", 0, seeds=(0, 1, 2))
    world = mind.env.unwrapped
    states = [State(12, 3, (False, True, True)), State(14, 4, (True, False, True)), State(10, 5, (True, True, True))]
    world.set_states(States.of(states))
    level_now = paint(mind.level, "#", 12)  # run 0 stands there
    recorded = mind.recorder.state_dict()
    mind.recorder.load_state_dict(recorded | {"episode_return": np.array([50.0, 50.0, 50.0])})
    mind.episode_return = 50.0
    mind.change_level(paint(level_now, "@", 22))
    assert mind.recorder.state_dict()["episode_return"].tolist() == [0.0, 50.0, 50.0]
    moved = [mind.env.unwrapped.get_states().one(run) for run in range(3)]
    assert moved[0] == State(START, 0, (True,) * 4)
    assert moved[1] == State(14, 4, (True, False, True, True))
    assert moved[2] == State(10, 5, (True, True, True, True))
    assert (mind.trail, mind.episode_return) == ((START,), 0.0)
    mind.change_level(paint(mind.level, " ", COIN))  # run 1 has collected the other one
    assert mind.env.unwrapped.get_states().one(1).cell == START
    assert mind.env.unwrapped.get_states().one(2).cell == 10
    mind.learn()


def test_another_size_of_map_begins_anew(level: str) -> None:
    mind = mind_of(level, "q-learning", 50)
    (lost,) = mind.change_level(Level.from_string("#####\n#P$ #\n#####\n"))
    assert "another size" in lost
    assert "begins anew" in lost
    assert (mind.step, mind.level.rows, mind.visits.shape) == (0, 3, (2, 15))
    assert mind.touches[-1][1].startswith("another map")
    mind.learn()


def test_a_distribution_keeps_its_support(level: str) -> None:
    mind = mind_of(level, "c51", 60)
    limits = mind.agent.return_limits
    lost = mind.change_level(paint(mind.level, "$", 14))
    assert any("are cut off" in sentence for sentence in lost)
    assert mind.agent.return_limits == limits
    assert mind.change(gamma=0.5) == []
    assert mind.agent.return_limits == limits
    mind.begin_anew()
    assert mind.settings["v_min"] is None
    assert mind.agent.return_limits != limits


def test_a_memory_begins_anew_where_the_world_changes(level: str) -> None:
    mind = mind_of(level, "drqn", 60)
    mind.change(gamma=0.7)
    assert mind.step == 60
    (lost,) = mind.change_level(paint(mind.level, "#", 12))
    assert "begins anew" in lost
    assert mind.step == 0
    mind.learn()


def test_the_batch_of_the_old_world_is_not_shown_in_the_new_one(level: str) -> None:
    for agent in ("q-learning", "dqn"):
        mind = mind_of(level, agent, 60)
        assert batch(mind)
        mind.change_level(paint(mind.level, "$", 12))
        assert batch(mind) == ()
