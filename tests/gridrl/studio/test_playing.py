"""Playing by hand, beside the best that is possible; without a window."""

import threading
import time
from pathlib import Path

import pytest

from gridrl.problem import Problem, ProblemSettings
from gridrl.studio.rooms.best_words import GAMMA, best_possible
from gridrl.studio.rooms.game import Game
from gridrl.studio.rooms.playing import Playing
from gridrl.studio.truth import Truth
from gridrl.truth.known import Known, known
from gridrl_envs.dynamics import State
from gridrl_envs.level import Level

MAP = "######\n#P @$#\n#    #\n######\n"  # over the poison 0; around it 100


@pytest.fixture
def game(tmp_path: Path) -> Game:
    path = tmp_path / "tiny.toml"
    path.write_text(f'map = """\n{MAP}"""\nmax_steps = 9\n')
    return Game(Problem(ProblemSettings(level=str(path))))


def room(game: Game) -> Playing:
    playing = Playing(game, Truth())
    deadline = time.monotonic() + 60
    while not playing.tick(time.monotonic()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return playing


def keys(playing: Playing, *names: str) -> None:
    for name in names:
        playing.key(name)


def number(playing: Playing, what: str) -> str:
    return dict(playing.shown().numbers)[what]


def test_keys_earn_and_the_best_is_kept(game: Game) -> None:
    playing = room(game)
    keys(playing, "right", "d", "right", "left")  # into the coin over the poison; after the end keys do nothing
    assert (number(playing, "your return"), number(playing, "your best")) == ("0", "0")
    assert game.ended == "the end"
    keys(playing, "r", "s", "right", "right", "right", "up")
    assert (number(playing, "your return"), number(playing, "your best")) == ("100", "100")
    keys(playing, "r", "right", "right", "right")
    assert (number(playing, "your return"), number(playing, "your best")) == ("0", "100")
    assert number(playing, "the best possible") == "100"


def test_steps_are_taken_back(game: Game) -> None:
    playing = room(game)
    before = game.state
    keys(playing, "right", "right")
    assert (game.earned, game.state.items) == (-100.0, (True, False))
    keys(playing, "u")
    assert (game.earned, game.step, game.state.items) == (0.0, 1, (True, True))
    keys(playing, "right", "right")
    assert game.ended
    keys(playing, "u")
    assert not game.ended
    assert playing.shown().boards[0].trail == (7, 8, 9)
    keys(playing, "u", "u", "u", "u")
    assert game.state == before
    assert "beginning" in playing.message


def test_the_mouse_moves_to_a_cell_beside_the_player(game: Game) -> None:
    playing = room(game)
    playing.begin(10)
    assert (game.step, playing.message) == (0, "Click a cell beside the player.")
    for cell in (13, 14, 15, 16, 10):
        playing.begin(cell)
    assert game.ended
    assert game.best == 100
    playing.begin(10)
    assert (game.step, game.ended) == (0, ""), "a click after the end begins anew"
    playing.begin(1)
    assert (game.step, game.state.cell) == (1, 7), "into a wall the player stays"


def test_time_is_up(game: Game) -> None:
    playing = room(game)
    keys(playing, *["left"] * 12)
    assert (game.step, game.ended) == (9, "time is up")
    assert "time is up" in playing.shown().status


def test_the_first_frame_waits_for_nothing(game: Game, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()

    def solve(level: Level, gamma: float) -> Known:
        assert go.wait(60)
        return known(level, gamma)

    monkeypatch.setattr("gridrl.truth.known.known", solve)
    playing = Playing(game, Truth())
    assert number(playing, "the best possible") == "..."
    assert playing.due_in() < 1
    go.set()
    deadline = time.monotonic() + 60
    while number(playing, "the best possible") == "...":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert playing.tick(1.0)
    assert playing.due_in() == float("inf")


def test_values_need_an_agent(game: Game) -> None:
    playing = room(game)
    keys(playing, "v")
    assert "--agent RUN" in playing.message
    assert playing.shown().boards[0].map is None


def start(level: Level, cell: int | None = None) -> State:
    return State(level.starts[0] if cell is None else cell, 0, (True,) * (len(level.coins) + len(level.poisons)))


def words(level: Level, cell: int | None = None) -> str:
    return best_possible(level, start(level, cell), known(level, GAMMA))


def test_the_best_possible_in_words() -> None:
    tiny = Level.from_string(MAP, "tiny")
    assert words(tiny) == "100"
    assert words(tiny.replace(max_steps=4)) == "at most 100", "the way around takes 5 steps"
    assert words(tiny.replace(max_steps=5)) == "100"
    assert words(tiny.replace(slip=0.5)).endswith(" on average")
    two = Level.from_string("#######\n#P   P#\n#@###$#\n#G###G#\n#######", "two", rewards={"coin": 7.5})
    assert words(two, 8) == "7.50", "the last coin ends the episode, and the other goal lies behind poison"
    assert words(Level.load("dense")) == "4,100"
    huge = Level.load("dense").replace(max_steps=150, rewards=Level.load("dense").rewards)
    assert words(huge) == "at most 4,100", "41 coins; too large to solve"
