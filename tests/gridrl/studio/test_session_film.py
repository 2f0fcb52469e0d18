"""A session as a film: frames without a clock and without a screen."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gridrl.__main__ import main
from gridrl.run import Run
from gridrl.studio.live.film import frames
from gridrl.studio.live.session import Session
from gridrl.studio.views.page import Page

MakeSession = Callable[..., Session]
SIZE = (640, 480)


def test_two_films_are_equal_and_take_the_steps_that_were_asked_for(make_session: MakeSession) -> None:
    films = []
    for _ in range(2):
        session = make_session("q-learning", "sarsa", speed=90.0)
        films.append([frame.copy() for frame in frames(session, Page(), SIZE, 1.0, seconds=1.5, fps=10.0)])
        assert session.step == 126  # 14 intervals of a tenth
    assert len(films[0]) == 15
    assert films[0][0].shape == (480, 640, 3)
    for one, other in zip(*films, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len({frame.tobytes() for frame in films[0]}) == 15  # something moves in each


def test_few_frames_a_second_leave_no_steps_out(make_session: MakeSession) -> None:
    session = make_session(speed=100.0)
    assert len(list(frames(session, Page(), SIZE, 1.0, seconds=4.0, fps=0.5))) == 2
    assert session.step == 200


def test_the_truth_is_known_from_the_first_frame_on(make_session: MakeSession) -> None:
    session = make_session()
    film = frames(session, Page(), SIZE, 1.0, seconds=1.0, fps=1.0)
    next(film)
    assert session.truth.known(session.mind.level, session.mind.agent.gamma) is not None


class TestCommand:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
            monkeypatch.delenv(name, raising=False)
        Path("tiny.txt").write_text("######\n#P @$#\n######\n")

    def live(self, words: str) -> int:
        return main(["live", *words.split()])

    def test_a_film_and_a_run_folder(self, capsys: pytest.CaptureFixture[str]) -> None:
        words = "q-learning --vs dyna-q --level tiny.txt --planning-steps 2 --gamma 0.9 --seeds 2 --out kept"
        assert self.live(f"{words} --video film.gif --seconds 0.5 --fps 10 --speed 200 --size 480 360") == 0
        assert Path("film.gif").stat().st_size > 1000
        said = capsys.readouterr().out
        assert "wrote film.gif" in said
        assert "gridrl watch kept/q-learning" in said.replace("\\", "/")
        runs = [Run.load(f"kept/{name}") for name in ("q-learning", "dyna-q")]
        assert [run.step for run in runs] == [80, 80]
        assert [run.config.seeds for run in runs] == [[0, 1], [0, 1]]
        assert [run.config.agent_settings["gamma"] for run in runs] == [0.9, 0.9]
        assert runs[1].config.agent_settings["planning_steps"] == 2
        assert "planning_steps" not in runs[0].config.agent_settings

    def test_ctrl_c_leaves_the_film_as_far_as_it_came_and_keeps_what_was_learned(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        draw, drawn = Page.draw, []

        def interrupted(*arguments: Any) -> Any:
            drawn.append(None)
            if len(drawn) == 3:
                signal.raise_signal(signal.SIGINT)
            return draw(*arguments)

        monkeypatch.setattr(Page, "draw", interrupted)
        words = "q-learning --level tiny.txt --video film.gif --out kept --size 480 360 --fps 10 --speed 200"
        assert self.live(f"{words} --seconds 600") == 130
        with Image.open("film.gif") as film:
            assert film.n_frames == 3
        assert Run.load("kept").step == 40

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            ("q-learnin", "did you mean 'q-learning'"),
            ("q-learning --vs dqnn", "did you mean 'dqn'"),
            ("q-learning --learning-rate 2", "learning_rate must be"),
            ("q-learning --level missing.txt", "missing.txt"),
            ("q-learning --env CartPole-v1", "no gridworld"),
            ("q-learning --video film.avi", ".gif or .mp4"),
            ("q-learning --video nowhere/film.gif", "no folder"),
            ("q-learning --video film.gif --fps 0", "--fps must be above 0"),
            ("q-learning --seeds 0", "--seeds must be 1 or more"),
            ("q-learning --zoom 9", "--zoom must be from"),
            ("q-learning --size 10 10", "--size must be from"),
            ("q-learning --out .", "not empty"),
        ],
    )
    def test_what_is_wrong_is_told_in_one_sentence(
        self, words: str, sentence: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.live(words) == 2
        said = capsys.readouterr().err.strip()
        assert sentence in said
        assert said.count("\n") == 0

    def test_no_display_and_no_film(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.platform", "linux")
        assert self.live("q-learning --level tiny.txt") == 2
        said = capsys.readouterr().err.strip()
        assert "--video" in said
        assert said.count("\n") == 0

    def test_agents_are_listed_where_none_is_named(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.live("") == 2
        assert "double-dqn" in capsys.readouterr().out
