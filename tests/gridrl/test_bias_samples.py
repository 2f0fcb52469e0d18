"""Which states are measured: where they come from, that none is there twice, and that a run's own are its own."""

import numpy as np
import pytest

from gridrl.problem import Problem, ProblemSettings
from gridrl.truth.state_samples import (
    MOST,
    distinct,
    joined,
    random_states,
    side_by_side,
    start_states,
    take,
    visited_states,
)
from gridrl_agents.registry import make
from gridrl_envs.dynamics import Dynamics, State, States
from gridrl_envs.level import Level

DOORS = "#######\n#P#P$ #\n#$ > @#\n#######\n"


def reachable(level: Level) -> set[State]:
    """Every state that can be met in an episode, by trying everything; steps by the phase of the patrollers."""
    dynamics = Dynamics(level)
    items = (True,) * dynamics.num_items
    waiting = [State(cell, 0, items) for cell in level.starts]
    met = set(waiting)
    while waiting:
        state = waiting.pop()
        for action in range(4):
            following, _, terminated, _ = dynamics.step(States.of([state]), np.array([action]))
            after = following.one(0)._replace(step=int(following.step[0]) % dynamics.num_phases)
            if not terminated[0] and after not in met:
                met.add(after)
                waiting.append(after)
    return met


def by_phase(dynamics: Dynamics, states: States) -> list[State]:
    one = [states.one(i) for i in range(states.cell.size)]
    return [state._replace(step=state.step % dynamics.num_phases) for state in one]


def test_starts_are_where_episodes_begin() -> None:
    level = Level.from_string(DOORS)
    assert start_states(Dynamics(level)).one(1) == State(level.starts[1], 0, (True,) * 3)
    assert start_states(Dynamics(level)).cell.tolist() == list(level.starts)


@pytest.mark.parametrize("source", [DOORS, "dense-small", "dense"])
def test_the_random_sample_is_fixed_and_met_in_play(source: str) -> None:
    level = Level.load(source)
    dynamics = Dynamics(level)
    states = random_states(dynamics)
    found = by_phase(dynamics, states)
    assert len(set(found)) == len(found) <= MOST
    assert not dynamics.is_over(states).any()
    for one, other in zip(states, random_states(Dynamics(level)), strict=True):
        np.testing.assert_array_equal(one, other)
    if source == "dense":
        assert len(found) == MOST
    else:
        everything = reachable(level)
        assert set(found) <= everything
        assert len(found) > 0.5 * min(MOST, len(everything))


def agent_for(problem: Problem, seeds: list[int]) -> object:
    agent = make("q-learning", problem.observation_space, problem.action_space, seeds)
    for row, seed in enumerate(seeds):
        agent.table[row] = np.random.default_rng(seed).normal(size=agent.table.shape[1:])  # type: ignore[attr-defined]
    return agent


def test_visited_states_are_met_by_the_runs_own_policy(tmp_path) -> None:
    (tmp_path / "doors.txt").write_text(DOORS)
    problem = Problem(ProblemSettings(level=str(tmp_path / "doors.txt")), prefer_state=True)
    agent = agent_for(problem, [4, 5])
    before = agent.state_dict()
    samples = visited_states(agent, problem, key=7)
    np.testing.assert_equal(agent.state_dict(), before)
    dynamics, everything = Dynamics(problem.level), reachable(problem.level)
    for states in samples:
        found = by_phase(dynamics, states)
        assert len(set(found)) == len(found)
        assert set(found) <= everything
        assert {state.cell for state in found} & set(problem.level.starts)
    alone = visited_states(agent_for(problem, [5]), problem, key=7)[0]
    for one, other in zip(samples[1], alone, strict=True):
        np.testing.assert_array_equal(one, other)


def test_visited_states_are_those_of_the_greedy_way_and_what_lies_a_slip_beside_it() -> None:
    problem = Problem(ProblemSettings(env="dense-small-v0"), prefer_state=True)
    agent = make("q-learning", problem.observation_space, problem.action_space, [0])
    agent.table[:] = [0.0, 0.0, 0.0, 1.0]  # always right: to the end of the first row, over the coin and the poison
    (states,) = visited_states(agent, problem, key=0)
    rows = states.cell // problem.level.columns
    assert {divmod(int(cell), problem.level.columns) for cell in states.cell} >= {(1, column) for column in range(1, 7)}
    assert (rows == 1).mean() > 0.3, "most of the way is the first row, though each state counts once"


def test_steps_of_one_phase_are_one_state_and_a_sample_is_drawn_evenly() -> None:
    dynamics = Dynamics(Level.from_string(DOORS))
    cell, period = dynamics.level.starts[0], dynamics.num_phases
    assert period > 1
    states = States.of([State(cell, step, (True,) * 3) for step in (0, period, 1, 0)])
    kept = distinct(dynamics, states, np.random.default_rng(0))
    assert kept.step.tolist() == [0, 1]
    many = States(np.arange(1000), np.zeros(1000, np.intp), np.ones((1000, 3), np.bool_))
    chosen = np.stack([distinct(dynamics, many, np.random.default_rng(seed), most=10).cell for seed in range(200)])
    assert all(len(set(row)) == 10 for row in chosen.tolist())
    # The mean of 2000 draws without replacement of 0 to 999: standard error below 1000 / sqrt(12 * 2000) = 6.5.
    assert chosen.mean() == pytest.approx(499.5, abs=5 * 6.5)


def test_sets_side_by_side_by_hand() -> None:
    def states(*cells: int) -> States:
        return States.of([State(cell, 0, (True,)) for cell in cells])

    batch, numbers = side_by_side([[states(1), states(1)], [states(2, 3), states(4, 5, 6)]])
    assert batch.cell.reshape(2, 4).tolist() == [[1, 2, 3, 3], [1, 4, 5, 6]]
    assert numbers.tolist() == [[0, 1, 1, -1], [0, 1, 1, 1]]
    assert take(joined([states(1, 2), states(3)]), np.array([True, False, True])).cell.tolist() == [1, 3]
