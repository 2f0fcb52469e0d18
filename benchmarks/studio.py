"""The studio: what its window costs the training behind it, its frames, and how soon the first one stands."""

import os
from typing import TYPE_CHECKING, Any

from benchmarks.contest import Comparison, Contender, Contest, Work
from benchmarks.startup import program

if TYPE_CHECKING:
    from gridrl.studio.live.app import App

PIECE = 100  # steps
PIECE_S = 0.2  # of the window's time
STEPS_BETWEEN = 10  # two frames, where frames are counted
WARM_UP = 2_000  # steps: a network learns by then
SIZE = (1280, 800)
FIRST_FRAME = """
import os
from gridrl.studio.window import StudioWindow
show = StudioWindow.show
StudioWindow.show = lambda *arguments: (show(*arguments), os._exit(0))
from gridrl.__main__ import main
main(["live", "{agent}"])
"""


def without_window(agent: str) -> Work:
    """Return work of the same learning, evaluations and all, with nothing beside it, in steps."""
    from gridrl.problem import ProblemSettings
    from gridrl.studio.minds.mind import Mind

    mind = Mind(agent, ProblemSettings(), {}, [0])
    while mind.step < WARM_UP:
        mind.learn()

    def work() -> int:
        for _ in range(PIECE):
            mind.learn()
        return PIECE

    return work


def live(*agents: str) -> "App":
    """Return the studio in a window on an X server of its own, at full speed, warm, the truth known."""
    import math
    import time

    own_display()
    from gridrl.problem import ProblemSettings
    from gridrl.studio.live.app import App
    from gridrl.studio.live.session import Session
    from gridrl.studio.live.start import PAST_SHARE
    from gridrl.studio.minds.mind import Mind
    from gridrl.studio.truth import Truth
    from gridrl.studio.views.page import Page
    from gridrl.studio.window import StudioWindow

    minds = [Mind(agent, ProblemSettings(), {}, [0]) for agent in agents]
    session = Session(minds, Truth(), speed=math.inf, past_share=PAST_SHARE)
    app = App(session, StudioWindow("benchmark", SIZE, 1.0), Page())
    while session.step < WARM_UP or any(session.truth.known(mind.level, mind.agent.gamma) is None for mind in minds):
        app.turn(time.perf_counter())
    return app


def with_window(agent: str) -> Work:
    """Return work of the studio at full speed with nobody touching it, in steps."""
    import time

    app = live(agent)

    def work() -> int:
        begun, end = app.session.step, time.perf_counter() + PIECE_S
        while time.perf_counter() < end:
            app.turn(time.perf_counter())
        return app.session.step - begun

    return work


def frames(agents: tuple[str, ...]) -> Work:
    """Return work of frames, measured and drawn and shown, with some steps learned between two."""
    import time

    app = live(*agents)

    def work() -> int:
        steps = 0
        while steps < STEPS_BETWEEN:
            steps += app.session.work()
        app.session.now = time.perf_counter()
        app.draw(app.session.now)
        return 1

    return work


def first_frame(agent: str) -> Work:
    """Return work of `gridrl live` from the command to its first frame."""
    own_display()
    return program(("-c", FIRST_FRAME.format(agent=agent)))


def own_display() -> None:
    """Start an X server that ends with this process, and let windows open on it."""
    import subprocess
    from multiprocessing.util import Finalize

    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24"], pass_fds=[write], stderr=subprocess.DEVNULL
    )
    Finalize(None, server.terminate, exitpriority=1)  # atexit is not asked in the process of a contender
    os.close(write)
    with os.fdopen(read) as numbers:
        os.environ["DISPLAY"] = f":{numbers.readline().strip()}"
    for name in ("SDL_VIDEODRIVER", "WAYLAND_DISPLAY"):
        os.environ.pop(name, None)


def _pair(agent: str) -> tuple[Contender, Contender]:
    settings: dict[str, Any] = {"agent": agent}
    return (
        Contender(f"{agent}, in the studio", "steps", with_window, settings),
        Contender(f"{agent}, no window", "steps", without_window, settings),
    )


AGENTS = ("q-learning", "double-dqn")
CONTEST = Contest(
    "studio",
    f"Steps a second on dense-v0 at full speed, in a window of {SIZE[0]} x {SIZE[1]} pixels on Xvfb, untouched, "
    f"beside the same learning without a window; frames a second, {STEPS_BETWEEN} steps between two; and commands a "
    "second from nothing to the first frame.",
    (
        *(contender for agent in AGENTS for contender in _pair(agent)),
        Contender("frames, q-learning", "frames", frames, {"agents": AGENTS[:1]}),
        Contender("frames, two minds", "frames", frames, {"agents": AGENTS}),
        Contender("first frame, double-dqn", "starts", first_frame, {"agent": "double-dqn"}),
    ),
    (
        *(
            Comparison(f"studio: {agent} with the window open", f"{agent}, in the studio", f"{agent}, no window", 0.9)
            for agent in AGENTS
        ),
        Comparison("studio: frames, one mind", "frames, q-learning"),
        Comparison("studio: frames, two minds", "frames, two minds"),
        Comparison("studio: first frames from nothing", "first frame, double-dqn"),
    ),
)
