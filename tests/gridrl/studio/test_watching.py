"""Agents side by side, without a window."""

import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gridrl.commands.watch import Options, check, frames, make_room
from gridrl.errors import UserError
from gridrl.maps.beliefs import belief
from gridrl.problem import ProblemSettings
from gridrl.rollout import episode, moments
from gridrl.run import Run
from gridrl.training import start
from gridrl.training_settings import TrainSettings


def train(out: Path, agent: str = "q-learning", coins: int = 2, seeds: int = 2, **problem: object) -> Path:
    settings = TrainSettings(steps=1200, eval_period=600, eval_episodes=1, snapshot_period=300, seeds=seeds)
    settings_of_problem = ProblemSettings(env="dense-small-v0", coins=coins, **problem)  # type: ignore[arg-type]
    assert start(agent, settings_of_problem, settings, {}, out=out).run()
    return out


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("trained")
    return train(folder / "q"), train(folder / "sarsa", "sarsa")


@pytest.fixture
def load(trained: tuple[Path, Path]) -> Callable[[], list[Run]]:
    return lambda: [Run.load(path) for path in trained]


def options(**given: object) -> Options:
    return Options(runs=("x",), **given)  # type: ignore[arg-type]


def test_moments_are_those_of_the_pictures(load: Callable[[], list[Run]]) -> None:
    run = load()[0]
    for epsilon in (0.0, 0.5):
        pictures, states = list(episode(run, 1, epsilon, key=3)), list(moments(run, 1, epsilon, key=3))
        assert [frame.step for frame in pictures] == list(range(len(states)))
        assert [frame[2:] for frame in pictures] == [moment[1:] for moment in states]
        assert [moment.state.step for moment in states] == [frame.step for frame in pictures]


def test_two_runs_step_together_and_wait_for_each_other(load: Callable[[], list[Run]]) -> None:
    runs = load()
    room = make_room(runs, options(episodes=2, epsilon=0.3, seed=1))
    alone = [[list(moments(run, 1, 0.3, key)) for key in range(2)] for run in load()]
    for key in range(2):
        lengths = [len(own[key]) for own in alone]
        for step in range(max(lengths)):
            shown = [board.state for board in room.boards()]
            assert shown == [own[key][min(step, len(own[key]) - 1)].state for own in alone]
            assert room.ended == (step == max(lengths) - 1)
            if not room.ended:
                room.step()
        assert room.is_last == (key == 1)
        room.advance()
    assert room.closed
    expected = [[f"{own[k][-1].earned:,.0f} in {len(own[k]) - 1} steps" for k in range(2)] for own in alone]
    assert room.returns == expected
    assert [board.title.split("   ")[0] for board in room.boards()] == ["q-learning, seed 1", "sarsa, seed 1"]


def test_snapshots_of_one_run_believe_what_they_believed(
    load: Callable[[], list[Run]], trained: tuple[Path, Path]
) -> None:
    room = make_room(load()[:1], options(snapshots="0,600,1200", values=True, seed=0))
    reference = Run.load(trained[0])
    assert [one.title for one in room.watched] == [f"after {step} steps" for step in ("0", "600", "1,200")]
    assert "q-learning, seed 0" in room.shown().status
    courses = []
    for step, board in zip((0, 600, 1200), room.boards(), strict=True):
        reference.at(step)
        expected = belief(reference.agent, reference.problem.gridworld)[0]
        assert board.map is not None
        known = np.isfinite(board.map.values)
        assert (known == np.isfinite(expected.values)).all()
        np.testing.assert_array_equal(board.map.values[known], expected.values[known])
        np.testing.assert_array_equal(board.map.greedy, expected.greedy)
        courses.append([moment.state for moment in moments(reference, 0, 0.0, 0)])
    assert len({board.map.scale for board in room.boards() if board.map}) == 1, "one scale for all"
    assert courses[0] != courses[2], "it has learned something, or the test shows nothing"
    for step in range(max(map(len, courses))):
        assert [board.state for board in room.boards()] == [own[min(step, len(own) - 1)] for own in courses]
        room.step()
    assert [one.title for one in make_room(load()[:1], options(every=600)).watched][-1].endswith("1,200 steps")


def test_the_map_is_of_the_situation_as_it_is_now(load: Callable[[], list[Run]]) -> None:
    from gridrl.maps.situations import Situation

    room = make_room(load()[:1], options(seed=0))
    assert room.boards()[0].map is None
    room.key("v")
    run = room.watched[0].beliefs.run
    while not room.ended:
        (board,) = room.boards()
        assert board.map is not None
        assert board.state is not None
        world = run.problem.gridworld
        expected = belief(run.agent, world, Situation(board.state.items, board.state.step))[0]
        known = np.isfinite(expected.values)
        np.testing.assert_array_equal(board.map.values[known], expected.values[known])
        assert (
            board.map.scale.low <= expected.values[known].min() <= expected.values[known].max() <= board.map.scale.high
        )
        room.step()


def test_time_by_keys_and_by_the_clock(load: Callable[[], list[Run]]) -> None:
    room = make_room(load()[:1], options(fps=10, episodes=2, epsilon=1.0))

    def step() -> int:
        state = room.boards()[0].state
        assert state is not None
        return state.step

    room.tick(100.0)
    assert (step(), room.due_in() > 0) == (0, True)
    assert room.tick(100.11)
    assert step() == 1
    room.key("space")
    assert not room.tick(101.0)
    assert room.due_in() == float("inf")
    room.key("right")
    assert (step(), room.clock.paused) == (2, True)
    room.key("space")
    room.key("+")
    assert room.clock.speed == 20
    room.key("-")
    assert room.clock.speed == 10
    room.key("n")
    assert (step(), room.is_last) == (0, True)
    room.key("n")
    assert "last episode" in room.message
    now, last = 200.0, 0
    while not room.closed:
        now += 0.1
        assert now < 400
        room.tick(now)
        if not room.ended:
            last = now
    assert now - last >= 1.0, "the last picture stays a moment"


def test_what_does_not_fit_is_said_in_one_sentence(load: Callable[[], list[Run]], tmp_path: Path) -> None:
    other = Run.load(train(tmp_path / "other", coins=3, seeds=1))
    with pytest.raises(UserError, match="side by side they share a level"):
        check([load()[0].folder, other.folder], options())
    with pytest.raises(UserError, match="has no run with seed 1; it has 0"):
        check([other.folder], options(seed=1))
    runs = [run.folder for run in load()]
    for given, sentence in (
        ({"snapshots": "600,7"}, "q has no snapshot of step 7; it has 0, 300, 600, 900, 1200"),
        ({"snapshots": "0,300,600,900"}, "at most 6 agents stand side by side, got 8"),
        ({"every": 300}, "at most 6 agents stand side by side, got 10"),
    ):
        with pytest.raises(UserError, match=sentence):
            check(runs, options(**given))
    check(runs, options(every=600))
    shutil.rmtree(tmp_path / "other" / "snapshots")
    with pytest.raises(UserError, match="has no snapshot at a multiple of 700; it has none"):
        check([other.folder], options(every=700))
    for given, sentence in (
        ({"snapshots": "a"}, "takes steps such as"),
        ({"snapshots": "1", "every": 2}, "leave one of them out"),
        ({"every": 0}, "--every must be 1 or more"),
    ):
        with pytest.raises(UserError, match=sentence):
            options(**given)


def test_a_film_shows_every_step_and_the_last_a_second_long(load: Callable[[], list[Run]]) -> None:
    for given, titles in (({}, 2), ({"snapshots": "0,600,1200"}, 6)):
        room = make_room(load(), options(values=True, epsilon=0.2, episodes=2, **given))
        assert len(room.watched) == titles
        pictures = list(frames(room, fps=3))
        lengths = [max(int(own[key].split()[-2]) for own in room.returns) for key in range(2)]
        assert len(pictures) == sum(length + 3 for length in lengths)
        assert {(picture.shape, str(picture.dtype)) for picture in pictures} == {(pictures[0].shape, "uint8")}
        end = lengths[0]
        assert (pictures[end] == pictures[end + 2]).all()
        assert (pictures[end] != pictures[end + 3]).any(), "the next episode"
        same = [(one == other).all() for one, other in pairwise(pictures[: end + 1])]
        assert not any(same), "each step changes at least the number of steps"
