"""`play` and `watch` in a window, driven by posted keys on SDL's dummy display; the window itself: tests/envs."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridrl.__main__ import main
from gridrl.problem import ProblemSettings
from gridrl.training import start
from gridrl.training_settings import TrainSettings
from gridrl_envs.level import Level


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield
    import pygame

    pygame.display.quit()


def press_in_turn(*keys: str) -> threading.Thread:
    """Press keys from a second thread, the first once a window stands, each after the one before was taken."""

    def work() -> None:
        import pygame

        while not (pygame.display.get_init() and pygame.display.get_surface()):
            time.sleep(0.02)
        for key in keys:
            time.sleep(0.15)
            code = pygame.key.key_code(key)
            unicode = key if len(key) == 1 else ""
            pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=code, mod=0, unicode=unicode))
            pygame.event.post(pygame.event.Event(pygame.KEYUP, key=code))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_play_counts_what_the_keys_earn(hidden: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    level = tmp_path / "tiny.txt"
    level.write_text("######\n#P @$#\n######\n")
    # Over the poison to the coin: 0, -100, +100. Keys after the end do nothing; r begins anew; Esc leaves at once.
    press_in_turn("right", "d", "right", "right", "left", "r", "right", "escape")
    assert main(["play", "--level", str(level)]) == 0
    assert capsys.readouterr().out.strip() == "your best return: 0"


def test_play_closed_at_once(hidden: None, capsys: pytest.CaptureFixture[str]) -> None:
    press_in_turn("q")
    assert main(["play", "--env", "dense-small-v0"]) == 0
    assert "no episode was played to its end" in capsys.readouterr().out


def test_play_beside_an_agent(hidden: None, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    press_in_turn("v", "right", "v", "u", "escape")
    assert main(["play", "--agent", str(trained), "--show-values"]) == 0
    assert "no episode was played to its end" in capsys.readouterr().out


def test_a_run_that_cannot_be_loaded_closes_the_window(
    hidden: None, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in (trained / "checkpoints").iterdir():
        file.write_bytes(b"damaged")
    for command in (["play", "--agent", str(trained)], ["watch", str(trained)]):
        assert main(command) == 2
        assert str(trained) in capsys.readouterr().err
    shutil.rmtree(trained / "checkpoints")
    assert main(["watch", str(trained)]) == 2
    assert "has no checkpoint yet" in capsys.readouterr().err


def test_edit_keeps_what_was_not_saved(
    hidden: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    press_in_turn("right", "right", "4", "space", "escape")
    assert main(["edit", "mine", "--rows", "4", "--columns", "5"]) == 0
    assert "what was not saved is in mine-unsaved.toml" in capsys.readouterr().out
    assert not Path("mine.toml").exists()
    press_in_turn("3", "right", "space", "s", "escape")  # the first arrow shows the cursor
    assert main(["edit", "mine-unsaved.toml"]) == 0
    assert "gridrl play --level mine-unsaved.toml" in capsys.readouterr().out
    assert Level.load("mine-unsaved.toml").map == ("#####", "#P$ #", "#   #", "#####")


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    settings = TrainSettings(steps=60, eval_period=60, eval_episodes=1)
    problem = ProblemSettings(env="dense-small-v0", coins=2)
    assert start("q-learning", problem, settings, {}, out=tmp_path / "run").run()
    return tmp_path / "run"


def test_watch_pauses_and_closes(hidden: None, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    press_in_turn("space", "space", "space", "escape")
    assert main(["watch", str(trained), "--fps", "5"]) == 0
    assert "closed before the end of the episode" in capsys.readouterr().out


def test_watch_to_the_end(hidden: None, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", str(trained), "--fps", "1000", "--episodes", "2", "--epsilon", "1"]) == 0
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("return: ")
    assert last.count(" steps") == 2
