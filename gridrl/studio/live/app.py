"""The studio at work: what a hand did, a slice of learning, a frame, and so on until the window is closed.

Flat out, learning has nearly all of the time: frames are dropped, never steps. Whoever has just moved or pressed
something sees every frame for a moment.
"""

import math
import time
from typing import TYPE_CHECKING, Any

from gridrl.studio.camera import Camera
from gridrl.studio.live.controls import BY_NAME, control_of
from gridrl.studio.live.dials import KEY_STEP
from gridrl.studio.live.showing import Showing
from gridrl.studio.painting.hand import MOVES

if TYPE_CHECKING:
    from gridrl.studio.live.session import Session
    from gridrl.studio.shown import Hit, Shown
    from gridrl.studio.views.page import Page
    from gridrl.studio.window import Event, StudioWindow

FRAME_S = 1 / 60
DRAWING_SHARE = 0.03  # of the time, at most, while it learns as fast as it can ...
HURRY = 4.0  # ... and then maps, curves and numbers are measured anew so many times as seldom
ATTENTION_S = 0.5  # after something was moved or pressed
WATCH_PERIOD_S = 1 / 8  # between two steps of a greedy episode that is watched
IDLE_FRAME_S = 0.2  # between two frames while nothing happens: sentences go, the truth comes
LONGEST_NAP_S = 0.1  # so that Ctrl-C is answered
SELECT_KEYS = {"tab": 1, "shift tab": -1}
PAINT_KEYS = ("return", "enter")
OWN_KEYS = (*SELECT_KEYS, *PAINT_KEYS, *MOVES)  # what these do depends on what is selected
ZOOMS = (0.5, 4.0)
ZOOM_STEP = 1.1


class App:
    """A session in a window."""

    def __init__(self, session: "Session", window: "StudioWindow", page: "Page") -> None:
        self.session = session
        self.camera = Camera(session.say)
        self.num_frames = 0
        self._window = window
        self._page = page
        self._showing = Showing(session)
        self._shown: Shown | None = None
        self._drag = ""  # the name of the slider, or "timeline", while the mouse draws it
        self._is_stale = True  # whether anything has happened since the last frame
        self._pointer: tuple[int, int] | None = None
        self._touched = 0.0  # when something was moved or pressed last
        self._drawn = self._drawing = 0.0  # when the last frame was, and how long it took
        self._watched = 0.0
        self._own = {
            "screenshot": self.camera.take,
            "film.mp4": lambda: self.camera.switch(".mp4"),
            "film.gif": lambda: self.camera.switch(".gif"),
            "larger": lambda: self._zoom(ZOOM_STEP),
            "smaller": lambda: self._zoom(1 / ZOOM_STEP),
            "close": window.close,
        }

    def run(self, stop: Any = False) -> None:
        """Go on until the window is closed, or `stop` becomes true."""
        try:
            while not self._window.closed and not stop:
                self.turn(time.perf_counter())
        finally:
            for sentence in self.camera.close():
                print(sentence)

    def turn(self, now: float) -> None:
        """Answer what was done, learn for a moment, and draw where a frame is due."""
        session = self.session
        for event in self._window.events(self._nap(now)):
            self._answer(event)
            if self._window.closed:
                return
        now = session.now = time.perf_counter()
        self._learn(now)
        now = session.now = time.perf_counter()
        if now >= self._next_frame(now):
            self.draw(now)

    def _nap(self, now: float) -> float:
        """Return how long there is nothing to do but to wait for a hand."""
        step = self.session.clock.next_due() if self.session.past.looked_at is None else math.inf
        return min(max(min(step, self._next_frame(now) - now), 0.0), LONGEST_NAP_S) if step > 0 else 0.0

    def _learn(self, now: float) -> None:
        """Learn the steps that are due, for at most the length of a frame."""
        session, clock = self.session, self.session.clock
        if session.past.looked_at is not None:
            return
        due, end = clock.due(now), now + FRAME_S
        done = 0
        while done < due:
            done += session.work()
            if clock.paused or time.perf_counter() >= end:
                break
        clock.spent(done)
        self._is_stale |= done > 0 or self._showing.is_unfinished
        if session.greedy and done and now - self._watched >= WATCH_PERIOD_S:
            session.watch()
            self._watched = now

    def _next_frame(self, now: float) -> float:
        """Return when the next frame is due."""
        wait = FRAME_S if self._is_stale else IDLE_FRAME_S
        if self._is_in_a_hurry(now):
            wait = max(wait, self._drawing * (1 / DRAWING_SHARE - 1))
        return self._drawn + wait

    def _is_in_a_hurry(self, now: float) -> bool:
        """Return whether it learns as fast as it can, and nobody has just moved or pressed something."""
        return now - self._touched > ATTENTION_S and self.session.clock.next_due() <= 0

    def draw(self, now: float) -> None:
        """Draw a frame and show it."""
        begun = time.perf_counter()
        self.session.recording = self.camera.recording
        self._showing.patience = HURRY if self._is_in_a_hurry(now) else 1.0
        self._shown = self._showing.shown()
        picture = self._page.draw(self._shown, self._window.size, self._window.zoom, self._pointer)
        self._window.show(picture, self._page.dirty)
        self._drawn = time.perf_counter()
        self._drawing = self._drawn - begun
        self._is_stale = False
        self.num_frames += 1
        self.camera.see(picture, now)

    # What a hand does.

    def _answer(self, event: "Event") -> None:
        self._touched, self._is_stale = time.perf_counter(), True
        match event.kind:
            case "close":
                self._window.close()
            case "key":
                self._key(event.key)
            case "press":
                self._pointer = event.place
                self._press(event.place)
            case "move":
                self._pointer = event.place
                self._move(event.place)
            case "release":
                self._release()
            case "leave":
                self._pointer = None
                if not self.session.world.hand.painting:
                    self.session.world.point(None)

    def _hit(self, place: tuple[int, int]) -> "Hit":
        return self._page.hit(self._seen(), self._window.size, self._window.zoom, place)

    def _seen(self) -> "Shown":
        """Return what is on the screen: what a hand means when it points."""
        if self._shown is None:
            self._shown = self._showing.shown()
        return self._shown._replace(help=self.session.help)  # that may have just been closed

    def do(self, name: str) -> None:
        """Press a control."""
        control = BY_NAME[name]
        why_not = control.why_not(self.session)
        if why_not:
            self.session.say(why_not)
        elif control.do is not None:
            control.do(self.session)
        else:
            self._own[name]()

    def _key(self, key: str) -> None:
        session = self.session
        if key in SELECT_KEYS:
            session.tuning.select(SELECT_KEYS[key])
        elif key in MOVES and session.tuning.selected:
            session.tuning.nudge(KEY_STEP if key in ("right", "up") else -KEY_STEP)
        elif key in MOVES:
            session.world.hand.move(key)
        elif key in PAINT_KEYS:
            session.world.paint()
        elif (control := control_of(key)) is not None:
            self.do(control.name)

    def _press(self, place: tuple[int, int]) -> None:
        session, hit = self.session, self._hit(place)
        if session.help:
            return self.do("help")
        match hit.kind:
            case "button":
                self.do(hit.name)
            case "slider":
                session.tuning.selected = self._drag = hit.name
            case "timeline":
                self._drag = hit.kind
            case "cell":
                session.world.press(hit.cell)
        if self._drag:
            self._move(place)

    def _move(self, place: tuple[int, int]) -> None:
        session = self.session
        if self._drag:
            position = self._page.along(self._seen(), self._window.size, self._window.zoom, self._drag, place)
            if self._drag == "timeline":
                session.past.look_along(position)
            else:
                session.tuning.dragged = (self._drag, position)
            return
        hit = self._hit(place)
        if hit.kind == "cell":
            session.world.point(hit.cell)
        elif not session.world.hand.painting:
            session.world.point(None)

    def _release(self) -> None:
        session = self.session
        session.tuning.drop()
        self._drag = ""
        session.world.release()

    def _zoom(self, factor: float) -> None:
        self._window.zoom = min(max(self._window.zoom * factor, ZOOMS[0]), ZOOMS[1])
