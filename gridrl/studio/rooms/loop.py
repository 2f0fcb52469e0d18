"""The loop of a window: what a hand did goes to a room, and what the room shows is drawn."""

import time
from typing import TYPE_CHECKING

from gridrl.errors import UserError
from gridrl.interrupt import stop_on_signal
from gridrl.studio.rooms.room import Room

if TYPE_CHECKING:
    from gridrl.studio.shown import Hit, Shown
    from gridrl.studio.views.page import Page
    from gridrl.studio.window import Event, StudioWindow

FRAME_S = 1 / 60
LONGEST_NAP_S = 0.1  # so that a sentence goes in its time, and Ctrl-C is answered
ZOOM_STEP, ZOOMS = 1.1, (0.5, 4.0)
ZOOM_KEYS = {"ctrl +": ZOOM_STEP, "ctrl =": ZOOM_STEP, "ctrl -": 1 / ZOOM_STEP}


class Loop:
    """A room in a window. `turn` is one round of it; `run` goes round until the window or the room is closed."""

    def __init__(self, room: Room, window: "StudioWindow", page: "Page") -> None:
        self._room, self._window, self._page = room, window, page
        self._shown: Shown | None = None
        self._pointer: tuple[int, int] | None = None
        self._slider = ""  # that the mouse draws
        self._drawn = 0.0  # when the last frame was

    def run(self) -> None:
        """Go round until the window or the room is closed, or a signal asks for the end; then close the window."""
        with stop_on_signal() as stop:
            try:
                while not (self._window.closed or self._room.closed or stop):
                    self.turn()
            finally:
                self._window.close()

    def turn(self) -> None:
        """Wait until something happens, answer it, and draw where that changed what is seen."""
        room, window = self._room, self._window
        if room.following is not None:
            self._room = room = room.following
            self._shown = None
        message = room.message
        events = window.events(min(max(room.due_in(), 0.0), LONGEST_NAP_S) if self._shown else 0.0)
        room.now = time.monotonic()
        for event in events:
            self._answer(event)
        if window.closed:
            return
        changed = room.tick(time.monotonic())
        if changed or events or room.message != message or self._shown is None:
            self._draw()

    def _draw(self) -> None:
        wait = self._drawn + FRAME_S - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        room, window = self._room, self._window
        self._shown = room.shown()
        window.name(room.title)
        picture = self._page.draw(self._shown, window.size, window.zoom, self._pointer)
        window.show(picture, self._page.dirty)
        self._drawn = time.monotonic()

    def _answer(self, event: "Event") -> None:
        room, window = self._room, self._window
        match event.kind:
            case "close":
                room.leave()
            case "key" if event.key in ZOOM_KEYS:
                window.zoom = min(max(window.zoom * ZOOM_KEYS[event.key], ZOOMS[0]), ZOOMS[1])
            case "key":
                room.key(event.key)
            case "press":
                self._pointer = event.place
                self._press(self._hit(event.place))
            case "move":
                self._pointer = event.place
                if self._slider:
                    room.slide(self._slider, self._along(event.place), same_stroke=True)
                else:
                    hit = self._hit(event.place)
                    room.point(hit.cell if hit.kind == "cell" else None)
            case "release":
                self._slider = ""
                room.release()
            case "leave":
                self._pointer = None
                room.point(None)

    def _press(self, hit: "Hit") -> None:
        room = self._room
        if room.help:
            return room.toggle_help()
        if hit.kind == "button":
            room.press(hit.name)
        elif hit.kind == "slider":
            self._slider = room.selected = hit.name
            room.slide(hit.name, hit.position)
        elif hit.kind == "cell":
            room.begin(hit.cell)

    def _hit(self, place: tuple[int, int]) -> "Hit":
        return self._page.hit(self._seen(), self._window.size, self._window.zoom, place)

    def _along(self, place: tuple[int, int]) -> float:
        return self._page.along(self._seen(), self._window.size, self._window.zoom, self._slider, place)

    def _seen(self) -> "Shown":
        """Return what the last frame showed, but for a help that was opened or closed since."""
        return (self._shown or self._room.shown())._replace(help=self._room.help)


def show(room: Room, elsewhere: str) -> None:
    """Show a room in a window until it is closed; raises `UserError` where no window can be opened.

    `elsewhere` says what can be done without a display.
    """
    from gridrl.studio.views.page import Page
    from gridrl.studio.window import StudioWindow

    try:
        window = StudioWindow(room.title)
    except UserError as error:
        raise UserError(f"{str(error).partition(';')[0]}; {elsewhere}.") from None
    Loop(room, window, Page()).run()
