"""Visits by real keys and a real mouse, under an X server of their own: the editor and the game."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gridrl.problem import Problem, ProblemSettings
from gridrl.studio.painting.touch import Sketch
from gridrl.studio.rooms.editor import Editor
from gridrl.studio.rooms.game import Game
from gridrl.studio.rooms.playing import Playing
from gridrl.studio.rooms.room import Room
from gridrl.studio.truth import Truth
from gridrl.studio.views.page import Page
from gridrl_envs.level import Level

NEVER = 60.0  # seconds: far longer than a test may take
SIZE = (1280, 800)


@pytest.fixture
def display() -> Iterator[dict[str, str]]:
    """A server for each test: a pointer or a key that one has left somewhere is no other's."""
    missing = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"needs {' and '.join(missing)} to press real keys in a real window")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as numbers:
        number = numbers.readline().strip()  # the server writes it once it is ready
    hidden = ("SDL_VIDEODRIVER", "WAYLAND_DISPLAY", "GDK_SCALE", "QT_SCALE_FACTOR")
    own = {"DISPLAY": f":{number}", "SDL_MOUSE_FOCUS_CLICKTHROUGH": "1"}  # else a click right after the focus is lost
    yield {name: value for name, value in os.environ.items() if name not in hidden} | own
    server.terminate()
    server.wait(NEVER)


class Visit:
    """A program with a window, and the hand that works it; `room` is a twin that tells where its parts are."""

    def __init__(self, display: dict[str, str], folder: Path, room: Room, *words: str) -> None:
        self._display, self._room = display, room
        self._parts: dict[tuple[str, str | int], list[tuple[int, int]]] = {}
        command = [sys.executable, "-m", "gridrl", *words]
        self.program = subprocess.Popen(
            command, cwd=folder, env=display, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.window = ""

        def opened() -> bool:
            assert self.program.poll() is None, self.program.communicate()
            self.window = self.tool("search", "--onlyvisible", "--pid", str(self.program.pid))
            return bool(self.window)

        until(opened)
        assert [int(part.split("=")[1]) for part in self.shell("getwindowgeometry")[3:5]] == list(SIZE)
        self.tool("windowfocus", "--sync", self.window)

    def tool(self, *words: str) -> str:
        done = subprocess.run(["xdotool", *words], env=self._display, capture_output=True, text=True, timeout=NEVER)
        return done.stdout.strip()

    def shell(self, word: str) -> list[str]:
        return self.tool(word, "--shell", self.window).splitlines()

    def keys(self, *names: str) -> None:
        for name in names:
            self.tool("key", "--window", self.window, name)

    def place(self, kind: str, what: str | int) -> tuple[str, str]:
        """Find a pixel in the middle of what the page says that is there."""
        if not self._parts:
            page, shown = Page(), self._room.shown()
            for x in range(0, SIZE[0], 14):
                for y in range(0, SIZE[1], 14):
                    hit = page.hit(shown, SIZE, 1.0, (x, y))
                    self._parts.setdefault((hit.kind, hit.name or hit.cell), []).append((x, y))
        found = self._parts[kind, what]
        x, y = found[len(found) // 2]
        return str(x), str(y)

    def move(self, kind: str, what: str | int) -> None:
        self.tool("mousemove", "--window", self.window, *self.place(kind, what))

    def button(self, name: str) -> None:
        self.move("button", name)
        self.tool("click", "1")

    def cell(self, cell: int) -> None:
        self.move("cell", cell)
        self.tool("click", "1")

    def end(self) -> str:
        """Wait until the program has ended, and return what it wrote."""
        out, _ = self.program.communicate(timeout=NEVER)
        assert self.program.returncode == 0, out
        return out


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + NEVER
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_level_is_painted_saved_solved_and_its_rest_kept(display: dict[str, str], tmp_path: Path) -> None:
    twin = Editor(Sketch.blank(5, 7, "maze"), Path("maze.toml"))
    path = tmp_path / "maze.toml"
    visit = Visit(display, tmp_path, twin, "edit", "maze.toml", "--rows", "5", "--columns", "7")
    try:
        # The mouse: a start, a coin, then a wall by a drag, taken back, painted again.
        visit.button("paint-start")
        visit.cell(8)
        visit.button("paint-coin")
        visit.cell(12)
        visit.button("paint-wall")
        for _ in range(2):
            visit.move("cell", 10)
            visit.tool("mousedown", "1")
            visit.move("cell", 17)
            visit.tool("mouseup", "1")
            visit.button("undo")
        visit.button("redo")
        assert not path.exists()
        visit.keys("ctrl+s")
        until(path.exists)
        assert Level.load(path).map == ("#######", "#P # $#", "#  #  #", "#     #", "#######")
        solved = subprocess.run(
            [sys.executable, "-m", "gridrl", "solve", str(path)],
            env=display,
            capture_output=True,
            text=True,
            timeout=NEVER,
        )
        assert solved.returncode == 0, solved.stderr
        assert visit.tool("getwindowname", visit.window) == "maze.toml - gridrl edit"

        # The keyboard: another coin below the first, in a window of another size; not saved.
        visit.tool("windowsize", "--sync", visit.window, "700", "500")
        visit.tool("mousemove", "--window", visit.window, "690", "490")
        visit.keys("4", "Left", "Left", "space")
        until(lambda: visit.tool("getwindowname", visit.window) == "*maze.toml - gridrl edit")
        visit.keys("Escape")
        out = visit.end()
    finally:
        visit.program.kill()
        visit.program.communicate()
    assert "maze-unsaved.toml" in out
    assert len(Level.load(tmp_path / "maze-unsaved.toml").coins) == 2
    assert len(Level.load(path).coins) == 1


def test_an_editor_that_is_told_to_end_loses_nothing(display: dict[str, str], tmp_path: Path) -> None:
    twin = Editor(Sketch.blank(10, 10), None)
    visit = Visit(display, tmp_path, twin, "edit")
    try:
        visit.button("paint-coin")
        visit.cell(44)
        until(lambda: visit.tool("getwindowname", visit.window).startswith("*"))
        visit.program.send_signal(signal.SIGTERM)
        visit.program.communicate(timeout=NEVER)
    finally:
        visit.program.kill()
        visit.program.communicate()
    assert Sketch.open(tmp_path / "level-unsaved.toml").rows[4][4] == "$"


def test_a_game_by_mouse_and_keys(display: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "tiny.txt").write_text("######\n#P @$#\n#    #\n######\n")
    twin = Playing(Game(Problem(ProblemSettings(level=str(tmp_path / "tiny.txt")))), Truth())
    visit = Visit(display, tmp_path, twin, "play", "--level", "tiny.txt")
    try:
        visit.button("help")
        visit.tool("click", "1")
        for cell in (13, 14, 15, 16):
            visit.cell(cell)
        visit.keys("Right", "u", "Up", "Escape")
        assert visit.end().strip() == "your best return: 100"
    finally:
        visit.program.kill()
        visit.program.communicate()
