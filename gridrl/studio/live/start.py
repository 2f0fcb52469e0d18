"""The way from a command to a session: a window at once, what is slow to import behind it, and the end of a visit."""

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gridrl.studio.live.ready import getting_ready
from gridrl.studio.views.page import Page

if TYPE_CHECKING:
    import numpy as np

    from gridrl.commands.live import LiveSettings
    from gridrl.interrupt import StopRequest
    from gridrl.problem import ProblemSettings
    from gridrl.studio.live.session import Session
    from gridrl.studio.minds.mind import Mind
    from gridrl.studio.shown import Shown
    from gridrl.studio.window import StudioWindow
    from gridrl_envs.level import Level

Agents = Sequence[tuple[str, dict[str, Any]]]
FILM_SIZE, FILM_SPEED = (1280, 800), 1000.0  # pixels; steps a second
FASTEST = 5000.0  # steps a second; beyond, it is flat out
PAST_SHARE = 0.01  # of the time, at most, to keep moments
INTERRUPTED = 130
FRAME_S = 1 / 60
CLOSING_KEY = "escape"


def film(agents: Agents, problem: "ProblemSettings", live: "LiveSettings", command: str) -> int:
    """Write the film that was asked for, as far as it came; keep what was learned where a folder was given."""
    from gridrl.film import write_film
    from gridrl.interrupt import stop_on_signal
    from gridrl.studio.live.film import frames
    from gridrl.studio.live.session import Session
    from gridrl.studio.truth import Truth

    truth = Truth()
    try:
        session = Session(_minds(agents, problem, live), truth, command=command, speed=live.speed or FILM_SPEED)
        size, zoom = live.size or FILM_SIZE, live.zoom or 1.0
        assert live.video is not None
        with stop_on_signal() as stop:
            pictures = _unless(stop, frames(session, Page(), size, zoom, live.seconds, live.fps))
            print(f"wrote {write_film(pictures, live.video, live.fps)}")
            _end(session, live)
    finally:
        truth.close()
    return INTERRUPTED if stop else 0


def _unless(stop: "StopRequest", pictures: "Iterator[np.ndarray]") -> "Iterator[np.ndarray]":
    """Yield pictures, one at least, until there are no more or `stop` becomes true."""
    for picture in pictures:
        yield picture
        if stop:
            return


def window(
    agents: Agents, problem: "ProblemSettings", live: "LiveSettings", command: str, levels: "Sequence[Level]"
) -> int:
    """Open the window, and go on until it is closed; `levels` are what each agent is to see first."""
    from gridrl.interrupt import stop_on_signal
    from gridrl.studio.window import StudioWindow

    names = [name for name, _ in agents]
    window, page = StudioWindow(f"gridrl: {' and '.join(names)}", live.size, live.zoom), Page()
    try:
        with stop_on_signal() as stop:
            _wait_for(lambda: _import_all(agents, problem), window, page, getting_ready(agents, levels), stop)
            if window.closed or stop:
                print("closed before anything was learned")
                return INTERRUPTED if stop else 0
            return _live(agents, problem, live, command, window, page, stop)
    finally:
        window.close()


def _live(
    agents: Agents,
    problem: "ProblemSettings",
    live: "LiveSettings",
    command: str,
    window: "StudioWindow",
    page: Page,
    stop: "StopRequest",
) -> int:
    from gridrl.studio.live.app import App
    from gridrl.studio.live.session import SPEED, Session
    from gridrl.studio.truth import Truth

    speed = live.speed or SPEED
    truth = Truth()
    try:
        session = Session(
            _minds(agents, problem, live),
            truth,
            command=command,
            speed=speed if speed <= FASTEST else math.inf,
            past_share=PAST_SHARE,
        )
        try:
            App(session, window, page).run(stop)
        finally:
            window.close()
            _end(session, live)
    finally:
        truth.close()
    return INTERRUPTED if stop else 0


def _minds(agents: Agents, problem: "ProblemSettings", live: "LiveSettings") -> "list[Mind]":
    from gridrl.studio.minds.mind import Mind

    return [Mind(name, problem, settings, range(live.seeds), eval_period=live.eval_period) for name, settings in agents]


def _end(session: "Session", live: "LiveSettings") -> None:
    """Keep what was learned, where it is to be kept, and say where it is or how it would have been."""
    session.past.to_present()
    if live.out is not None:
        session.keep_run(live.out)
    for path in session.kept:
        print(f"what was learned up to step {session.kept_step:,} is in {path}: gridrl watch {path}")
    if not session.kept and live.video is None:
        print("what was learned was not kept; next time press k in the window, or give --out RUN")


def _import_all(agents: Agents, problem: "ProblemSettings") -> None:
    """Import what learning needs, of which torch alone takes seconds, by making what will be made."""
    from gridrl.run import make_agent, make_problem

    for name, settings in agents:
        make_agent(name, settings, make_problem(name, problem), [0])


def _wait_for(
    work: Callable[[], None], window: "StudioWindow", page: Page, shown: "Shown", stop: "StopRequest"
) -> None:
    """Let a thread work while the window shows a picture and answers; raises what the work raised."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, daemon=True)
    window.show(page.draw(shown, window.size, window.zoom))
    thread.start()
    while thread.is_alive() and not stop:
        for event in window.events(FRAME_S):
            if event.kind == "close" or event.key == CLOSING_KEY:
                return window.close()
            if event.kind == "resize":
                window.show(page.draw(shown, window.size, window.zoom))
    if failure:
        raise failure[0]
