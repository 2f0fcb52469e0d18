"""Moments: what a mind was can be looked at, gone back to, and learned on from as if nothing had come between."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridrl.problem import ProblemSettings
from gridrl.studio.minds.mind import Mind
from gridrl_envs.level import Level

MAP = "########\n#P $   #\n#  @ $ #\n#>     #\n########\n"
SMALL_NET = {
    "hidden_sizes": (16,),
    "replay_capacity": 60,
    "min_replay_size": 30,
    "batch_size": 8,
    "target_update_period": 25,
}


def walled(level: Level, cell: int) -> Level:
    drawing = "".join(level.map)
    drawing = drawing[:cell] + "#" + drawing[cell + 1 :]
    rows = tuple(drawing[begin : begin + level.columns] for begin in range(0, len(drawing), level.columns))
    return dataclasses.replace(level, map=rows)


@pytest.fixture
def problem(tmp_path: Path) -> ProblemSettings:
    (tmp_path / "small.txt").write_text(MAP)
    return ProblemSettings(level=str(tmp_path / "small.txt"), max_steps=40, slip=0.2, reward_noise=1.0)


def told(mind: Mind) -> list[Any]:
    """Return what is shown of a mind, as plain values."""
    obs = mind.env.observe(mind.env.get_states())
    q_values = mind.agent.q_values(np.broadcast_to(obs, (len(mind.seeds), *obs.shape)))
    return [
        mind.step,
        mind.state,
        mind.trail,
        mind.episode_return,
        mind.num_episodes,
        mind.level,
        mind.settings,
        mind.touches,
        mind.failure,
        list(mind.rows),
        mind.visits.tolist(),
        mind.agent.num_updates,
        mind.agent.epsilon,
        q_values.tolist(),
    ]


def passage(mind: Mind) -> list[list[Any]]:
    """Let hands change everything while a mind learns; return what it was on the way."""
    seen = []

    def learn(num_steps: int) -> None:
        for _ in range(num_steps):
            mind.learn()
            seen.append(told(mind))

    learn(20)
    mind.change(learning_rate=0.05, gamma=0.8)
    learn(15)
    mind.change_level(walled(mind.level, 12))
    learn(20)
    mind.change_level(mind.level.replace(slip=0.5))
    learn(20)  # now an evaluation is due
    return seen


@pytest.mark.parametrize("agent", ["rainbow", "drqn", "dyna-q"])
def test_gone_back_it_learns_what_it_learned_then(problem: ProblemSettings, agent: str) -> None:
    settings = SMALL_NET if agent in ("rainbow", "drqn") else {}
    mind = Mind(agent, problem, settings, [0, 1], eval_period=25, eval_episodes=1)
    for _ in range(50):
        mind.learn()
    moment = mind.moment()
    was = told(mind)
    first = passage(mind)
    for _ in range(2):  # a moment is not used up
        mind.go_back(moment)
        assert told(mind) == was
        assert passage(mind) == first


def test_a_moment_is_looked_at_and_nothing_changes(problem: ProblemSettings) -> None:
    left, right = (Mind("dqn", problem, SMALL_NET, [0, 1], eval_period=25, eval_episodes=1) for _ in range(2))
    moments, seen = [], []
    for mind in (left, right):
        for step in range(60):
            mind.learn()
            if mind is right and step % 20 == 7:
                moments.append(mind.moment())
                seen.append(told(mind))
                mind.change_level(walled(mind.level, 12 + step // 20))
            elif step % 20 == 7:
                mind.change_level(walled(mind.level, 12 + step // 20))
    for index in (0, 2, 1, 1):
        with right.looking_at(moments[index]):
            assert told(right) == seen[index]
    with pytest.raises(ZeroDivisionError), right.looking_at(moments[0]):
        _ = 1 / 0
    assert told(right) == told(left)
    for _ in range(30):
        left.learn()
        right.learn()
    assert told(right) == told(left)


def test_a_moment_tells_its_bytes(problem: ProblemSettings) -> None:
    mind = Mind("dqn", problem, SMALL_NET, [0], eval_period=1000)
    empty = mind.moment().num_bytes
    for _ in range(30):
        mind.learn()
    half = mind.moment().num_bytes
    for _ in range(30):
        mind.learn()
    full = mind.moment().num_bytes
    for _ in range(30):
        mind.learn()
    rest = 200  # of what was measured
    assert mind.moment().num_bytes == pytest.approx(full, abs=rest)
    assert full - half == pytest.approx(half - empty, abs=rest)
    assert full - half > 30 * 2 * 64  # two observations of each transition, and more
    state: Any = mind.agent.state_dict()
    assert empty > 4 * state["online"].nbytes  # two networks, two moments of the gradient


def test_a_line_knows_which_moments_it_came_by(problem: ProblemSettings) -> None:
    mind = Mind("q-learning", problem, {}, [0], eval_period=1000)

    def after(num_steps: int) -> Any:
        for _ in range(num_steps):
            mind.learn()
        return mind.moment()

    one, two, three = after(10), after(10), after(10)
    mind.go_back(two)
    four = after(5)
    mind.go_back(one)
    five = after(15)
    passed = [mind.line.passed(moment.line, moment.step) for moment in (one, two, three, four, five)]
    assert passed == [True, False, False, False, True]
    mind.go_back(four)
    passed = [mind.line.passed(moment.line, moment.step) for moment in (one, two, three, four, five)]
    assert passed == [True, True, False, True, False]
    mind.begin_anew()
    assert not mind.line.passed(one.line, one.step)
