"""The truth that is worked out beside the window: it comes, the newest first, and nobody waits for it."""

import subprocess
import sys
import threading
import time

import pytest

import gridrl.truth.known
from gridrl.studio.truth import KEPT, Truth
from gridrl.truth.known import Known
from gridrl.truth.solution import solve
from gridrl_envs.level import Level, LevelError

PATIENCE = 30.0  # seconds
CORRIDOR = "#######\n#P   G#\n#######"


def waited_for(truth, level, gamma):
    deadline = time.monotonic() + PATIENCE
    while (found := truth.known(level, gamma)) is None:
        assert time.monotonic() < deadline, "no answer"
        time.sleep(0.002)
    return found


@pytest.fixture
def truth():
    truth = Truth()
    yield truth
    truth.close()


class Gate:
    """Stands in for the solver: tells what was begun, and answers when it is let."""

    def __init__(self, monkeypatch):
        self.begun: list[tuple[str, float]] = []
        self.let = threading.Semaphore(0)
        monkeypatch.setattr(gridrl.truth.known, "known", self.known)

    def known(self, level, gamma):
        self.begun.append((level.name, gamma))
        assert self.let.acquire(timeout=PATIENCE)
        return Known(None, f"{level.name} at {gamma}", None, None, False)

    def wait(self, count):
        deadline = time.monotonic() + PATIENCE
        while len(self.begun) < count:
            assert time.monotonic() < deadline, self.begun
            time.sleep(0.002)


def named(name):
    return Level.from_string(CORRIDOR, name)


def test_a_level_is_solved_and_its_solution_is_the_solvers_own(truth):
    level = Level.from_string(CORRIDOR)
    assert truth.known(level, 0.9) is None, "nobody has asked"
    truth.ask(level, 0.9)
    found = waited_for(truth, level, 0.9)
    assert found.solution.start_value() == solve(level, 0.9).start_value()
    assert truth.known(level, 0.8) is None, "another discount is another question"


def test_a_painted_wall_changes_the_answer(truth):
    open_level = Level.from_string("#####\n#P G#\n#   #\n#####", "hall")
    walled = open_level.replace(map=("#####", "#P#G#", "#   #", "#####"))
    for level in (open_level, walled):
        truth.ask(level, 0.5)
        # Two moves, or four; only the last one earns what a goal is worth.
        value, steps = waited_for(truth, level, 0.5).solution.start_value(), 2 if level is open_level else 4
        rewards = level.rewards
        expected = sum(rewards.step * 0.5**step for step in range(steps)) + rewards.goal * 0.5 ** (steps - 1)
        assert value == pytest.approx(expected)


def test_asking_returns_at_once_and_the_newest_is_next_while_older_ones_are_dropped(truth, monkeypatch):
    gate = Gate(monkeypatch)
    truth.ask(named("first"), 0.9)
    gate.wait(1)
    for name in ("second", "third", "fourth", "fifth"):  # four walls drawn in one sweep of the mouse
        truth.ask(named(name), 0.9)
    truth.ask(named("fifth"), 0.9)  # asked again in the next frame
    gate.let.release(3)
    waited_for(truth, named("fourth"), 0.9)
    assert [name for name, _ in gate.begun] == ["first", "fifth", "fourth"]
    assert truth.known(named("first"), 0.9).why_unsolved == "first at 0.9", "what was begun is not lost"
    assert truth.known(named("second"), 0.9) is None


def test_what_is_being_worked_out_is_not_begun_again(truth, monkeypatch):
    gate = Gate(monkeypatch)
    truth.ask(named("first"), 0.9)
    gate.wait(1)
    truth.ask(named("first"), 0.9)  # the next frame asks, too
    gate.let.release(3)
    waited_for(truth, named("first"), 0.9)
    truth.ask(named("second"), 0.9)
    waited_for(truth, named("second"), 0.9)
    assert [name for name, _ in gate.begun] == ["first", "second"]


def test_what_was_answered_is_not_worked_out_again_as_long_as_it_is_looked_at(truth, monkeypatch):
    gate = Gate(monkeypatch)
    gate.let.release(100)
    for name in ["kept", *map(str, range(2 * KEPT))]:
        truth.ask(named(name), 0.9)
        waited_for(truth, named(name), 0.9)
        assert truth.known(named("kept"), 0.9) is not None
        truth.ask(named("kept"), 0.9)
    assert [name for name, _ in gate.begun].count("kept") == 1
    assert truth.known(named("0"), 0.9) is None, "an answer takes memory; old ones are forgotten"


@pytest.mark.parametrize("error", [MemoryError(), LevelError("its patrollers need too much room; take fewer")])
def test_whatever_goes_wrong_is_an_answer_and_the_next_question_is_answered(truth, monkeypatch, error):
    real = gridrl.truth.known.known

    def known(level, gamma):
        if level.name == "bad":
            raise error
        return real(level, gamma)

    monkeypatch.setattr(gridrl.truth.known, "known", known)
    truth.ask(named("bad"), 0.9)
    found = waited_for(truth, named("bad"), 0.9)
    assert found.solution is None
    assert found.why_unsolved == (str(error) or "MemoryError")
    truth.ask(named("good"), 0.9)
    assert waited_for(truth, named("good"), 0.9).solution is not None


def test_closing_waits_for_nobody(monkeypatch):
    gate, truth = Gate(monkeypatch), Truth()
    truth.ask(named("first"), 0.9)
    gate.wait(1)
    truth.ask(named("second"), 0.9)
    truth.close()  # while the first is at work: it would not come back if it waited
    gate.let.release(2)
    (thread,) = [thread for thread in threading.enumerate() if thread is truth._thread]
    thread.join(PATIENCE)
    assert not thread.is_alive()
    truth.ask(named("third"), 0.9)
    assert [name for name, _ in gate.begun] == ["first"]


def test_a_program_ends_though_a_level_is_being_solved():
    """Three coins on dense: nearly a million states, seconds of work."""
    script = (
        "import time\n"
        "from gridrl.studio.truth import Truth\n"
        "from gridrl_envs.level import Level\n"
        "Truth().ask(Level.load('dense').keep_coins(3), .99)\n"
        "time.sleep(1.0)\n"
        "print('the end')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "the end\n", "")
