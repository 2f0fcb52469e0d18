"""`gridrl live` in a real window under a real X server, visited with real keys and a real mouse."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gridrl.run import Run
from gridrl_envs.level import Level

NEVER = 60.0
SIZE = (1000, 700)
ROOM = "########\n#P    $#\n# ###  #\n#      #\n########"

# `gridrl live` itself; it also says what it has come to, and where things stand, a line of JSON whenever that changes.
PROGRAM = """
import json, sys
from gridrl.studio.live import app, start
from gridrl.__main__ import main

draw, said, wait_for = app.App.draw, [None], start._wait_for

def tell(**what):
    print(json.dumps(what), flush=True)

def draw_and_tell(self, now):
    draw(self, now)
    session, shown, size, zoom = self.session, self._seen(), self._window.size, self._window.zoom
    known = session.truth.known(session.mind.level, session.mind.agent.gamma)
    state = dict(
        step=session.step, paused=session.clock.paused, brush=session.world.hand.brush, map=session.mind.level.map,
        truth=None if known is None else round(known.bounds[0], 6), past=session.past.looked_at, help=session.help,
        size=size, steps=[mind.step for mind in session.minds], recording=session.recording, message=session.message,
    )
    key = (size, session.help)
    if key != getattr(self, "placed", None) and not session.help:
        self.placed, places = key, {}
        for y in range(0, size[1], 8):
            for x in range(0, size[0], 8):
                hit = self._page.hit(shown, size, zoom, (x, y))
                if hit.kind and hit.board == 0:
                    name = f"cell {hit.cell}" if hit.kind == "cell" else hit.name or hit.kind
                    places.setdefault(name, []).append((x, y))
        state["places"] = {name: sorted(there)[len(there) // 2] for name, there in places.items()}
    if state != said[0]:
        said[0] = state
        tell(**state)

def tell_and_wait_for(*arguments):
    tell(ready=False)
    wait_for(*arguments)

app.App.draw, start._wait_for = draw_and_tell, tell_and_wait_for
sys.exit(main(["live", *sys.argv[1:]]))
"""


class Visitor:
    """A running `gridrl live`, its keyboard and its mouse."""

    def __init__(self, display: dict[str, str], folder: Path, words: str) -> None:
        self._display = display
        self.state: dict[str, Any] = {}
        self.places: dict[str, tuple[int, int]] = {}
        self.errors = folder / "errors.txt"
        with self.errors.open("w") as errors:
            self.program = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *words.split(), "--size", *map(str, SIZE)],
                env=display,
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.until(lambda state: "ready" in state or "step" in state)
        self.window = self.tool("search", "--sync", "--pid", str(self.program.pid)).splitlines()[-1]
        self.tool("windowfocus", "--sync", self.window)

    def _read(self) -> None:
        assert self.program.stdout is not None
        for line in self.program.stdout:
            if line.startswith("{"):
                state = json.loads(line)
                self.places = state.pop("places", self.places)
                self.state = state
            else:
                self.said.append(line.strip())

    def tool(self, *words: str) -> str:
        done = subprocess.run(["xdotool", *words], env=self._display, capture_output=True, text=True, timeout=NEVER)
        return done.stdout.strip()

    def until(self, happened: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        end = time.monotonic() + NEVER
        while not happened(self.state):
            assert self.program.poll() is None, self.errors.read_text()
            assert time.monotonic() < end, self.state
            time.sleep(0.01)
        return self.state

    def key(self, *keys: str) -> None:
        self.tool("key", *keys)

    def point(self, name: str) -> None:
        self.tool("mousemove", "--window", self.window, *map(str, self.places[name]))

    def click(self, name: str) -> None:
        self.point(name)
        self.tool("click", "1")

    def ended(self) -> int:
        code = self.program.wait(NEVER)
        self._reader.join(NEVER)
        return code


@pytest.fixture(scope="module")
def display() -> Iterator[dict[str, str]]:
    missing = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"needs {' and '.join(missing)} to press real keys in a real window")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1200x900x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as numbers:
        number = numbers.readline().strip()  # the server writes it once it is ready
    hidden = ("SDL_VIDEODRIVER", "WAYLAND_DISPLAY", "GDK_SCALE", "QT_SCALE_FACTOR")
    yield {name: value for name, value in os.environ.items() if name not in hidden} | {"DISPLAY": f":{number}"}
    server.terminate()
    server.wait(NEVER)


@pytest.fixture
def live(display: dict[str, str], tmp_path: Path) -> Iterator[Callable[[str], Visitor]]:
    (tmp_path / "room.txt").write_text(ROOM)
    visitors: list[Visitor] = []

    def begin(words: str) -> Visitor:
        visitors.append(Visitor(display, tmp_path, words))
        return visitors[-1]

    yield begin
    for visitor in visitors:
        visitor.program.kill()
        visitor.program.communicate()


def test_a_visit(live: Callable[[str], Visitor], tmp_path: Path) -> None:
    hand = live("q-learning --vs sarsa --level room.txt --speed 200")
    hand.until(lambda state: state.get("step", 0) > 250 and hand.places)
    hand.until(lambda state: state["truth"] == pytest.approx(100 * 0.99**4, abs=1e-5))
    hand.key("space")
    step = hand.until(lambda state: state["paused"])["step"]
    hand.key("period")
    hand.until(lambda state: state["step"] == step + 1)
    assert hand.state["steps"] == [step + 1, step + 1]

    hand.click("paint-wall")
    hand.until(lambda state: state["brush"] == "wall")
    hand.point("cell 11")
    hand.tool("mousedown", "1")
    hand.point("cell 12")
    hand.tool("mouseup", "1")
    hand.until(lambda state: state["map"][1] == "#P ## $#")
    hand.until(lambda state: state["truth"] == pytest.approx(100 * 0.99**8, abs=1e-5))  # around it
    hand.key("l")
    hand.until(lambda state: "level-1.toml" in state["message"])

    hand.key("Prior")  # which moments were kept depends on how fast the machine is
    past = hand.until(lambda state: state["past"] is not None)["past"]
    assert past < step
    assert hand.state["steps"] == [past, past]
    assert hand.state["map"] == ROOM.split("\n")
    hand.click("present")
    hand.until(lambda state: state["past"] is None)
    assert hand.state["step"] == step + 1
    assert hand.state["map"][1] == "#P ## $#"

    hand.tool("windowsize", "--sync", hand.window, "900", "640")
    hand.until(lambda state: state["size"] == [900, 640])
    hand.key("question")
    hand.until(lambda state: state["help"])
    hand.key("question")
    hand.until(lambda state: not state["help"])
    hand.key("s")
    hand.until(lambda state: "studio-1.png" in state["message"])
    hand.key("k")
    hand.until(lambda state: "wrote" in state["message"] and "runs" in state["message"])
    hand.key("Escape")
    assert hand.ended() == 0, hand.errors.read_text()
    assert hand.errors.read_text() == ""
    assert "what was learned" in hand.said[-1]
    runs = [Run.load(path) for path in sorted((tmp_path / "runs").iterdir())]
    assert [run.step for run in runs] == [step + 1, step + 1]
    assert {run.config.agent for run in runs} == {"q-learning", "sarsa"}
    painted = Level.load(tmp_path / "level-1.toml")
    assert painted.map[1] == "#P ## $#"
    assert all(run.problem.level.map == painted.map for run in runs)


@pytest.mark.parametrize(
    ("moment", "closer", "code"),
    [("getting ready", "Escape", 0), ("learning", "SIGTERM", 130), ("recording", "Escape", 0)],
)
def test_it_ends_cleanly_at_every_moment(
    live: Callable[[str], Visitor], tmp_path: Path, moment: str, closer: str, code: int
) -> None:
    hand = live("q-learning --level room.txt --speed 1000000 --out kept")
    if moment != "getting ready":
        hand.until(lambda state: state.get("step", 0) > 0)
    if moment == "recording":
        hand.key("r")
        hand.until(lambda state: state["recording"])
    if closer == "Escape":
        hand.key(closer)
    else:
        hand.program.send_signal(getattr(signal, closer))
    assert hand.ended() == code, hand.errors.read_text()
    assert hand.errors.read_text() == ""
    assert (tmp_path / "studio-1.mp4").exists() == (moment == "recording")
    # While it gets ready it may just have begun.
    assert moment == "getting ready" or Run.load(tmp_path / "kept").step > 0
    assert hand.said
