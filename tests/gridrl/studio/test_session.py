"""A session by its named actions, without a window."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gridrl.problem import ProblemSettings
from gridrl.run import Run
from gridrl.studio.live.controls import BY_NAME
from gridrl.studio.live.session import MESSAGE_S, Session, folder_name
from gridrl.studio.live.showing import Kept
from gridrl.training import start
from gridrl.training_settings import TrainSettings
from gridrl.truth.solution import solve
from gridrl_envs.level import Level

ROOM = "########\n#P   @$#\n#   #  #\n#     $#\n########"  # of `make_session`
COLUMNS = 8
MakeSession = Callable[..., Session]
DEADLINE_S = 30.0


def learn(session: Session, steps: int) -> None:
    """Work until so many steps are learned."""
    while session.step < steps:
        session.work()


def do(session: Session, *names: str) -> None:
    """Press controls, which can be pressed, by their names."""
    for name in names:
        control = BY_NAME[name]
        assert control.why_not(session) == ""
        assert control.do is not None
        control.do(session)


def table(session: Session, number: int = 0) -> np.ndarray:
    """Return what a mind believes of every cell as an episode begins, [cells, 4]."""
    from gridrl.maps.beliefs import q_grid
    from gridrl.maps.situations import beginning

    mind = session.minds[number]
    world = mind.problem.gridworld
    return q_grid(mind.agent, world, beginning(world))[0]


def stroke(session: Session, brush: str, *cells: int) -> None:
    """Paint from cell to cell."""
    session.world.hand.brush = brush
    session.world.press(cells[0])
    for cell in cells[1:]:
        session.world.point(cell)
    session.world.release()


def true_value(session: Session) -> float:
    """Wait for the truth and return the value of the level's start."""
    mind, end = session.mind, time.monotonic() + DEADLINE_S
    while (known := session.truth.known(mind.level, mind.agent.gamma)) is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert known.solution is not None
    return known.solution.start_value()


def test_a_session_that_nobody_touches_learns_what_training_learns(make_session: MakeSession, tmp_path: Path) -> None:
    session = make_session("q-learning", seeds=[3])
    learn(session, 450)
    problem = session.mind.problem.settings
    training = start("q-learning", problem, TrainSettings(steps=450), {}, seeds=[3], out=tmp_path / "run")
    assert training.run()
    run = Run.load(tmp_path / "run")
    assert session.mind.agent.state_dict()["table"].tobytes() == run.agent.state_dict()["table"].tobytes()
    assert session.past.steps == (0, 100, 200, 300, 400)


class TestThePast:
    def test_what_is_looked_at_is_what_was_and_the_present_comes_back(self, make_session: MakeSession) -> None:
        session, twin = make_session(), make_session()
        learn(session, 200)
        session.work()  # the moment of step 200 is kept before the next step
        learn(twin, 200)
        learn(session, 350)
        now = table(session)
        do(session, "earlier", "earlier")
        assert session.past.looked_at == 200
        assert session.step == 200
        np.testing.assert_array_equal(table(session), table(twin))
        assert not np.array_equal(table(session), now)
        do(session, "later")
        assert session.past.looked_at == 300
        do(session, "later")
        assert session.past.looked_at is None
        assert session.step == 350
        np.testing.assert_array_equal(table(session), now)
        learn(session, 500)
        learn(twin, 500)
        np.testing.assert_array_equal(table(session), table(twin))

    def test_nothing_is_learned_or_touched_in_the_past(self, make_session: MakeSession) -> None:
        session = make_session()
        learn(session, 150)
        do(session, "earlier")
        for name in ("pause", "step", "update", "episode", "undo", "restart", "paint-wall", "set-double"):
            assert "past" in BY_NAME[name].why_not(session)
        session.world.hand.brush = "wall"
        session.world.press(2 * COLUMNS + 2)
        session.world.release()
        session.tuning.slide("slip", 0.5)
        session.tuning.slide("gamma", 0.5)
        assert session.mind.level.map == tuple(ROOM.split("\n"))
        assert session.mind.level.slip == 0
        assert session.mind.agent.gamma == 0.99
        assert "past" in session.message

    def test_a_branch_forgets_what_came_later_and_learns_the_same_again(self, make_session: MakeSession) -> None:
        session = make_session()
        learn(session, 330)
        was = table(session)
        session.past.look_at(100)
        do(session, "branch")
        assert session.past.looked_at is None
        assert session.past.steps == (0, 100)
        assert session.step == 100
        learn(session, 330)
        np.testing.assert_array_equal(table(session), was)

    def test_the_level_is_that_of_then(self, make_session: MakeSession) -> None:
        session = make_session()
        learn(session, 150)
        stroke(session, "coin", COLUMNS + 3)
        painted = session.mind.level
        learn(session, 250)
        session.past.look_at(100)
        assert session.mind.level.map == tuple(ROOM.split("\n"))
        assert session.world.hand.drawn(session.mind.level) == session.mind.level
        do(session, "present")
        assert session.mind.level == painted
        assert session.world.hand.sketch.rows == painted.map
        do(session, "undo")  # what was painted can still be taken back
        assert session.mind.level.map == tuple(ROOM.split("\n"))

    def test_what_is_half_painted_is_not_of_the_past(self, make_session: MakeSession) -> None:
        session = make_session()
        learn(session, 150)
        stroke(session, "wall", COLUMNS + 1)  # over the only start
        half = session.world.hand.sketch.rows
        session.past.look_at(100)
        assert session.world.hand.sketch.rows == tuple(ROOM.split("\n"))
        session.past.to_present()
        assert session.world.hand.sketch.rows == half
        session.past.look_at(100)
        session.past.branch()
        assert session.world.hand.sketch.rows == session.mind.level.map

    @pytest.mark.parametrize(("position", "step"), [(0.0, 0), (0.24, 100), (0.49, 200), (0.9, None), (1.0, None)])
    def test_the_line_is_scrubbed_to_the_nearest_moment(
        self, make_session: MakeSession, position: float, step: int | None
    ) -> None:
        session = make_session()
        learn(session, 401)
        session.past._history.forget_after(300)
        session.past.look_along(position)
        assert session.past.looked_at == step
        assert session.past.present_step == 401


class TestTheWorld:
    def test_a_painted_wall_is_in_the_world_and_the_truth_follows(self, make_session: MakeSession) -> None:
        session = make_session(level="########\n#P    $#\n# ###  #\n#      #\n########")
        assert true_value(session) == pytest.approx(100 * 0.99**4)
        learn(session, 30)
        stroke(session, "wall", COLUMNS + 4)
        assert session.mind.level.map[1] == "#P  # $#"
        assert true_value(session) == pytest.approx(100 * 0.99**8)  # around it
        assert solve(session.mind.level, 0.99).start_value() == pytest.approx(true_value(session))
        learn(session, 100)
        do(session, "undo")
        assert session.mind.level.map[1] == "#P    $#"
        assert true_value(session) == pytest.approx(100 * 0.99**4)
        do(session, "redo")
        assert session.mind.level.map[1] == "#P  # $#"

    def test_what_is_wrong_waits_until_it_is_mended(self, make_session: MakeSession) -> None:
        session = make_session()
        learn(session, 20)
        stroke(session, "wall", COLUMNS + 1)  # over the only start
        assert session.mind.level.map == tuple(ROOM.split("\n"))
        assert "start" in session.message
        assert session.world.hand.sketch.fault
        learn(session, 60)  # it goes on in the world as it was
        stroke(session, "start", 3 * COLUMNS + 1)
        assert session.mind.level.starts == (3 * COLUMNS + 1,)
        assert session.world.hand.sketch.fault == ""
        do(session, "undo", "undo")
        assert session.mind.level.map == tuple(ROOM.split("\n"))

    def test_a_cut_off_coin_glows(self, make_session: MakeSession) -> None:
        session = make_session()
        stroke(session, "wall", 3 * COLUMNS + 5, 2 * COLUMNS + 6)
        assert "cannot be reached" in session.message
        assert session.world.hand.sketch.unreachable == {3 * COLUMNS + 6}

    def test_the_keyboards_cursor_paints(self, make_session: MakeSession) -> None:
        session = make_session()
        session.world.paint()
        assert "brush" in session.message
        do(session, "paint-goal")
        for direction in ("right", "right", "down"):
            session.world.hand.move(direction)
        session.world.paint()
        assert session.mind.level.goals == (2 * COLUMNS + 2,)

    def test_a_saved_level_is_the_painted_one_and_can_be_trained_on(self, make_session: MakeSession) -> None:
        session = make_session()
        stroke(session, "patroller", 3 * COLUMNS + 2)
        session.tuning.slide("slip", 0.25)
        do(session, "save-level", "save-level")
        assert Level.load("level-1.toml") == Level.load("level-2.toml") == session.mind.level
        assert "level-2.toml" in session.message
        settings = TrainSettings(steps=50, eval_period=50, eval_episodes=1)
        training = start("q-learning", ProblemSettings(level="level-1.toml"), settings, {}, out=Path("run"))
        assert training.run()
        assert Run.load("run").problem.level == session.mind.level

    def test_a_wrong_level_is_not_saved(self, make_session: MakeSession) -> None:
        session = make_session()
        stroke(session, "wall", COLUMNS + 1)
        do(session, "save-level")
        assert "start" in session.message
        assert not Path("level-1.toml").exists()


class TestSettings:
    def test_sliders_set_what_they_say(self, make_session: MakeSession) -> None:
        session = make_session("q-learning")
        learn(session, 20)
        for name, position in [("epsilon", 0.25), ("learning_rate", 0.5), ("gamma", 1 / 3), ("reward_noise", 0.1)]:
            session.tuning.slide(name, position)
        mind = session.mind
        assert mind.agent.epsilon == 0.25
        assert mind.settings["learning_rate"] == pytest.approx(10**-2.5, rel=0.02)
        assert mind.agent.gamma == 0.9
        assert mind.level.reward_noise == 10
        assert true_value(session)  # of the new discount and the new level
        learn(session, 60)
        assert mind.agent.epsilon == 0.25
        assert "target_update_period" not in [dial.name for dial, _ in session.tuning.dials()]

    def test_keys_go_from_slider_to_slider_and_move_them(self, make_session: MakeSession) -> None:
        session = make_session()
        names = [dial.name for dial, _ in session.tuning.dials()]
        seen = []
        for _ in range(len(names) + 1):
            session.tuning.select(1)
            seen.append(session.tuning.selected)
        assert seen == [*names, ""]
        session.tuning.select(-1)
        assert session.tuning.selected == names[-1] == "reward_noise"
        session.tuning.nudge(0.1)
        session.tuning.nudge(0.1)
        session.tuning.nudge(-0.1)
        assert session.mind.level.reward_noise == 10

    def test_every_press_of_a_key_makes_a_difference_until_the_end(self, make_session: MakeSession) -> None:
        session = make_session("dqn", batch_size=8, min_replay_size=8, hidden_sizes=(4,), target_update_period=1)
        session.tuning.selected = "target_update_period"
        seen = [session.mind.settings["target_update_period"]]
        for _ in range(6):
            session.tuning.nudge(1 / 40)
            seen.append(session.mind.settings["target_update_period"])
        assert seen[:3] == [1, 2, 3]  # 40 steps along the line, of which the first few lie within one number
        assert seen == sorted(set(seen))
        session.tuning.slide("target_update_period", 1.0)
        session.tuning.nudge(1 / 40)
        assert session.mind.settings["target_update_period"] == 10_000

    def test_a_switch_that_needs_a_new_beginning_says_so_and_waits(self, make_session: MakeSession) -> None:
        session = make_session("q-learning", "dqn", gamma=0.9)
        learn(session, 30)
        assert BY_NAME["set-double"].why_not(session) == ""
        do(session, "set-double")
        assert session.minds[1].settings["double"]
        assert session.step == 30
        do(session, "set-dueling")
        assert "begin anew" in session.message
        assert not session.minds[1].settings["dueling"]
        assert session.tuning.is_on("dueling")
        do(session, "restart")
        assert session.minds[1].settings["dueling"]
        assert [mind.step for mind in session.minds] == [0, 0]
        learn(session, 10)
        do(session, "set-dueling", "set-dueling")  # there and back: nothing waits
        assert not session.tuning._wanted

    def test_a_table_has_no_switches(self, make_session: MakeSession) -> None:
        assert BY_NAME["set-dueling"].why_not(make_session())


class TestTime:
    def test_goals_are_reached_exactly(self, make_session: MakeSession) -> None:
        session = make_session("dqn", batch_size=8, min_replay_size=8, learn_period=4, hidden_sizes=(8,))
        learn(session, 41)

        def work_until_paused() -> int:
            begun = session.step
            while not session.clock.paused:
                session.work()
            session.clock.paused = False
            return session.step - begun

        do(session, "step")
        assert work_until_paused() == 1
        episodes = session.mind.num_episodes
        do(session, "episode")
        work_until_paused()
        assert session.mind.num_episodes == episodes + 1
        do(session, "update")
        work_until_paused()
        updates = session.mind.agent.num_updates
        do(session, "update")
        assert work_until_paused() == 4
        assert session.mind.agent.num_updates == updates + 1

    def test_space_stops_what_was_asked_for(self, make_session: MakeSession) -> None:
        session = make_session()
        do(session, "episode", "pause")
        assert session.clock.goal == ""
        assert session.clock.paused
        do(session, "pause")
        assert not session.clock.paused

    def test_a_sentence_goes_in_its_time(self, make_session: MakeSession) -> None:
        session = make_session()
        session.now = 10.0
        session.say("hello")
        session.now += MESSAGE_S - 0.1
        assert session.message == "hello"
        session.now += 0.2
        assert session.message == ""

    def test_a_run_that_broke_is_told_for_good(self, make_session: MakeSession) -> None:
        session = make_session("q-learning", "sarsa")
        session.minds[1].failure = "seed 0 broke"
        session.say("hello")
        assert session.message == "hello"
        session.now += 2 * MESSAGE_S
        assert session.message == "seed 0 broke"


class TestTwoMinds:
    def test_they_stay_in_step_whatever_is_done(self, make_session: MakeSession) -> None:
        session = make_session("q-learning", "expected-sarsa")
        actions = [
            lambda: learn(session, session.step + 130),
            lambda: stroke(session, "wall", 2 * COLUMNS + 2, 2 * COLUMNS + 3),
            lambda: session.tuning.slide("learning_rate", 0.9),
            lambda: session.past.look_at(100),
            lambda: session.past.to_present(),
            lambda: do(session, "undo"),
            lambda: do(session, "episode"),
            lambda: learn(session, session.step + 20),
            lambda: session.past.look_along(0.4),
            lambda: session.past.branch(),
            lambda: session.watch(),
            lambda: learn(session, session.step + 50),
            lambda: do(session, "restart"),
            lambda: learn(session, 10),
        ]
        for action in actions:
            action()
            left, right = session.minds
            assert left.step == right.step
            assert left.level == right.level

    def test_two_of_a_kind_learn_the_same(self, make_session: MakeSession) -> None:
        session = make_session("q-learning", "q-learning")
        learn(session, 120)
        stroke(session, "coin", COLUMNS + 3)
        session.tuning.slide("epsilon", 0.5)
        learn(session, 240)
        np.testing.assert_array_equal(table(session, 0), table(session, 1))
        assert len(set(session.names)) == 2

    def test_settings_go_to_whoever_knows_them(self, make_session: MakeSession) -> None:
        session = make_session("q-learning", "monte-carlo")
        session.tuning.slide("gamma", 1 / 3)
        assert [mind.agent.gamma for mind in session.minds] == [0.9, 0.9]


class TestKeeping:
    def test_what_is_kept_is_an_ordinary_run_and_nothing_is_overwritten(self, make_session: MakeSession) -> None:
        session = make_session("q-learning", seeds=[5, 6])
        learn(session, 220)
        do(session, "keep")
        learn(session, 260)
        do(session, "keep")
        assert session.kept_step == 260
        assert "wrote" in session.message
        first, second = sorted(Path("runs").iterdir())
        assert session.kept == (second,)
        run = Run.load(first)
        assert run.step == 220
        assert run.snapshots == [0, 100, 200, 220]
        run = Run.load(second)
        assert run.config.seeds == [5, 6]
        np.testing.assert_array_equal(run.agent.state_dict()["table"], session.mind.agent.state_dict()["table"])

    def test_two_minds_are_kept_side_by_side(self, make_session: MakeSession) -> None:
        session = make_session("q-learning", "sarsa")
        learn(session, 20)
        session.keep_run(Path("both"))
        assert [Run.load(f"both/{name}").config.agent for name in session.names] == ["q-learning", "sarsa"]

    def test_what_cannot_be_written_is_told(self, make_session: MakeSession) -> None:
        session = make_session()
        Path("runs").write_text("in the way")
        do(session, "keep")
        assert "runs" in session.message
        assert session.kept == ()


@pytest.mark.parametrize(
    ("mind", "folder"), [("double-dqn", "double-dqn"), ("dqn (left)", "dqn-left"), ("my_agents:Curious", "Curious")]
)
def test_a_folder_is_named_as_every_system_takes_it(mind: str, folder: str) -> None:
    assert folder_name(mind) == folder


def test_what_is_kept_is_measured_anew_when_it_is_another_thing_or_its_time_has_come() -> None:
    kept: Kept[int] = Kept(0.25)
    calls = iter(range(10))

    def get(now: float, of: str, at: int, patience: float = 1.0) -> int:
        return kept.get(now, of, at, lambda: next(calls), patience)

    assert get(0.0, "map", 1) == 0
    assert get(0.2, "map", 2) == 0, "not yet"
    assert get(0.25, "map", 2) == 1
    assert get(9.0, "map", 2) == 1, "nothing has changed"
    assert get(9.1, "another map", 2) == 2
    assert get(9.6, "another map", 3, patience=4.0) == 2, "there is no hurry"
    assert get(10.1, "another map", 3, patience=4.0) == 3
