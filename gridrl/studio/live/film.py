"""A session without a screen: the frames of a film. It reads no clock: the same command gives the same film."""

import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from gridrl.studio.camera import pixels
from gridrl.studio.clock import Clock
from gridrl.studio.live.showing import Showing

if TYPE_CHECKING:
    from gridrl.studio.live.session import Session
    from gridrl.studio.views.page import Page

WATCH_PERIOD_S = 1 / 8  # of the film, between two steps of a greedy episode that is watched


def frames(
    session: "Session", page: "Page", size: tuple[int, int], zoom: float, seconds: float, fps: float
) -> Iterator[np.ndarray]:
    """Yield uint8 [H, W, 3] for each frame of a film; the session's speed says how many steps lie between two."""
    wait_for_truth(session)
    session.clock = Clock(session.clock.speed, patience=math.inf)
    showing = Showing(session)
    watched = 0.0
    for number in range(max(1, round(seconds * fps))):
        session.now = number / fps
        due, done = int(session.clock.due(session.now)), 0
        while done < due:
            done += session.work()
        session.clock.spent(due)
        if session.greedy and session.now - watched >= WATCH_PERIOD_S:
            session.watch()
            watched = session.now
        yield pixels(page.draw(showing.shown(), size, zoom, None))


def wait_for_truth(session: "Session") -> None:
    """Wait until the level's solution, or that there is none, is known: when it is does not change the film then."""
    for mind in session.minds:
        while session.truth.known(mind.level, mind.agent.gamma) is None:
            time.sleep(0.01)
