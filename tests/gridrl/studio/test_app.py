"""The studio's window on SDL's dummy display: posted events go the whole way to what they do."""

import gc
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gridrl.studio.camera import LONGEST_S, Camera
from gridrl.studio.live.app import App
from gridrl.studio.live.session import Session
from gridrl.studio.views.page import Page
from gridrl.studio.window import StudioWindow

Places = Callable[..., dict[str, tuple[int, int]]]
ROOM = "########\n#P   @$#\n#   #  #\n#     $#\n########"  # of `make_session`

NEVER = 30.0
SIZE = (1280, 800)
CODES = {"?": "/", "+": "=", "shift tab": "tab"}  # the key that is pressed, where it is named by what it types


class Visit:
    """An app and a hand that works it, event by event."""

    def __init__(self, app: App, window: StudioWindow, places: Places) -> None:
        self.app, self.session, self.window = app, app.session, window
        self._find_places = places
        self._places: dict[str, tuple[int, int]] = {}
        self.turn()

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            if not self.window.closed:
                self.app.turn(time.perf_counter())

    def until(self, happened: Callable[[], Any]) -> None:
        end = time.monotonic() + NEVER
        while not happened():
            assert time.monotonic() < end
            self.turn()

    def draw(self) -> None:
        """Go on until another frame is drawn."""
        frames = self.app.num_frames
        self.until(lambda: self.app.num_frames > frames or self.window.closed)

    def post(self, kind: str, **values: Any) -> None:
        import pygame

        pygame.event.post(pygame.event.Event(getattr(pygame, kind), values))

    def key(self, *keys: str) -> None:
        import pygame

        for key in keys:
            name = key.removeprefix("ctrl ")
            mod = pygame.KMOD_CTRL if key != name else pygame.KMOD_SHIFT if key == "shift tab" else 0
            code = pygame.key.key_code(CODES.get(name, name))
            self.post("KEYDOWN", key=code, mod=mod, unicode=name if len(name) == 1 else "")
            self.post("KEYUP", key=code, mod=mod)
            self.turn()

    def place(self, name: str) -> tuple[int, int]:
        if not self._places:
            self._places = self._find_places(self.app._page, self.app._seen(), self.window.size, self.window.zoom)
        return self._places[name]

    def drag(self, *where: tuple[int, int]) -> None:
        self.post("MOUSEBUTTONDOWN", button=1, pos=where[0])
        for pos in where[1:]:
            self.post("MOUSEMOTION", pos=pos, rel=(0, 0), buttons=(1, 0, 0))
        self.turn()
        if not self.window.closed:
            self.post("MOUSEBUTTONUP", button=1, pos=where[-1])
            self.turn()
            self.draw()

    def click(self, name: str) -> None:
        self.drag(self.place(name))


@pytest.fixture
def visit(
    make_session: Callable[..., Session], places: Places, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Visit]]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    visits: list[Visit] = []

    def begin(*agents: str, **options: Any) -> Visit:
        window = StudioWindow("test", SIZE)
        visits.append(Visit(App(make_session(*agents, **options), window, Page()), window, places))
        return visits[-1]

    yield begin
    for one in visits:
        one.app.camera.close()
        one.window.close()


def test_the_keyboard_alone(visit: Callable[..., Visit]) -> None:
    hand = visit()
    session = hand.session
    hand.key("space")
    assert session.clock.paused
    step = session.step
    hand.key(".")
    hand.until(lambda: not session.clock.goal)
    assert session.clock.paused
    assert session.step == step + 1
    hand.key("+", "+", "-")
    assert session.clock.speed == 100
    hand.key("1", "right", "right", "return")
    assert session.mind.level.map[1] == "#P#  @$#"
    hand.key("z")
    assert session.mind.level.map == tuple(ROOM.split("\n"))
    hand.key("q", "w", "?")
    assert (session.kind, session.greedy, session.help) == ("q", True, True)
    hand.key("f1", "tab", "left")
    assert not session.help
    assert session.mind.agent.epsilon == pytest.approx(0.975, abs=0.001)
    hand.key("shift tab", "left")
    assert session.tuning.selected == ""
    zoom = hand.window.zoom
    hand.key("ctrl +")
    assert hand.window.zoom == pytest.approx(1.1 * zoom)
    hand.key("ctrl -", "escape")
    assert hand.window.closed


def test_the_mouse_alone(visit: Callable[..., Visit]) -> None:
    hand = visit()
    session = hand.session
    hand.click("pause")
    assert session.clock.paused
    hand.click("paint-wall")
    hand.drag(hand.place("cell 17"), hand.place("cell 19"))
    assert session.mind.level.map[2] == "#####  #"
    hand.click("undo")
    assert session.mind.level.map == tuple(ROOM.split("\n"))
    hand.click("map-visits")
    assert session.kind == "visits"
    x, y = hand.place("epsilon")
    hand.drag((x, y), (x - 10, y + 40), (0, y + 300))  # far off the line: the drag goes on
    assert session.mind.agent.epsilon == 0
    hand.drag((x, y), (SIZE[0], y))
    assert session.mind.agent.epsilon == 1
    hand.click("pause")
    hand.until(lambda: session.step > 220)
    x, y = hand.place("timeline")
    hand.drag((x, y), (0, y))
    assert session.past.looked_at == 0
    hand.click("present")
    assert session.past.looked_at is None
    hand.click("help")
    assert session.help
    hand.drag((600, 400))
    assert not session.help
    hand.click("close")
    assert hand.window.closed


def test_a_click_right_after_the_help_is_closed_counts(visit: Callable[..., Visit]) -> None:
    hand = visit()
    pause = hand.place("pause")
    hand.click("help")
    for pos in ((600, 400), pause):
        hand.post("MOUSEBUTTONDOWN", button=1, pos=pos)
        hand.post("MOUSEBUTTONUP", button=1, pos=pos)
    hand.turn()
    assert not hand.session.help
    assert hand.session.clock.paused


def test_a_stroke_is_seen_before_it_is_done(visit: Callable[..., Visit]) -> None:
    hand = visit()
    hand.key("space", "1")
    one, other = hand.place("cell 17"), hand.place("cell 18")
    hand.post("MOUSEBUTTONDOWN", button=1, pos=one)
    hand.post("MOUSEMOTION", pos=other, rel=(0, 0), buttons=(1, 0, 0))
    hand.draw()
    board = hand.app._seen().boards[0]
    assert board.level.map[2][:3] == "###"
    assert hand.session.mind.level.map[2][:3] == "#  "
    hand.post("MOUSEBUTTONUP", button=1, pos=other)
    hand.turn()
    assert hand.session.mind.level.map[2][:3] == "###"


def test_what_is_under_the_pointer_is_told(visit: Callable[..., Visit]) -> None:
    hand = visit()
    hand.post("MOUSEMOTION", pos=hand.place("cell 14"), rel=(0, 0), buttons=(0, 0, 0))
    hand.draw()
    (facts,) = hand.app._seen().facts
    assert facts.title.startswith("row 2, column 7")
    hand.post("WINDOWLEAVE")
    hand.draw()
    assert hand.app._seen().facts == ()


def test_resizing_draws_at_the_new_size(visit: Callable[..., Visit]) -> None:
    import pygame

    hand = visit()
    for size in [(900, 640), (320, 240), (1600, 900), (64, 48)]:
        pygame.display.set_mode(size, pygame.RESIZABLE)
        hand.post("VIDEORESIZE", size=size, w=size[0], h=size[1])
        hand.draw()
        hand.draw()
        screen = pygame.display.get_surface()
        assert screen.get_size() == hand.window.size == size
        seen = pygame.surfarray.array3d(screen)
        expected = pygame.surfarray.array3d(Page().draw(hand.app._seen(), size, hand.window.zoom, hand.app._pointer))
        np.testing.assert_array_equal(seen, expected)  # nothing is left of the old size


def test_the_screen_shows_the_page_however_little_of_it_is_updated(visit: Callable[..., Visit]) -> None:
    import pygame

    hand = visit(speed=200.0)
    hand.key("1")
    for cell in (17, 18, 19, 20):
        hand.click(f"cell {cell}")
        hand.draw()
        seen = pygame.surfarray.array3d(pygame.display.get_surface())
        whole = Page().draw(hand.app._seen(), SIZE, hand.window.zoom, hand.app._pointer)
        np.testing.assert_array_equal(seen, pygame.surfarray.array3d(whole))


MOMENTS: dict[str, Callable[[Visit], None]] = {
    "at once": lambda hand: None,
    "flat out": lambda hand: hand.until(lambda: hand.session.step > 300),
    "paused": lambda hand: hand.key("space"),
    "in a stroke": lambda hand: (hand.key("1"), hand.post("MOUSEBUTTONDOWN", button=1, pos=hand.place("cell 17"))),  # type: ignore[dict-item, return-value, func-returns-value]
    "drawing a slider": lambda hand: hand.post("MOUSEBUTTONDOWN", button=1, pos=hand.place("slip")),
    "in the past": lambda hand: (hand.until(lambda: hand.session.step > 120), hand.key("page up")),  # type: ignore[dict-item, return-value, func-returns-value]
    "help": lambda hand: hand.key("?"),
    "recording": lambda hand: (hand.key("f"), hand.draw(), hand.draw()),  # type: ignore[dict-item, return-value, func-returns-value]
    "greedy": lambda hand: (hand.key("w"), hand.draw()),  # type: ignore[dict-item, return-value, func-returns-value]
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("closer", ["key", "cross"])
def test_it_closes_at_every_moment(visit: Callable[..., Visit], moment: str, closer: str) -> None:
    hand = visit(speed=float("inf"))
    MOMENTS[moment](hand)
    hand.key("escape") if closer == "key" else hand.post("QUIT")
    end = time.monotonic() + NEVER
    hand.app.run()  # returns by itself
    assert time.monotonic() < end
    assert hand.window.closed
    assert (moment == "recording") == Path("studio-1.gif").exists()


def test_a_request_to_stop_ends_it(visit: Callable[..., Visit]) -> None:
    hand = visit()
    hand.app.run(stop=True)
    assert not hand.window.closed  # its owner closes it


def test_pictures_and_films_show_what_was_seen(visit: Callable[..., Visit]) -> None:
    hand = visit()
    hand.key("space")
    hand.draw()
    hand.key("s")
    hand.until(lambda: Path("studio-1.png").exists())
    hand.key("f12")
    hand.until(lambda: Path("studio-2.png").exists())
    picture = np.asarray(Image.open("studio-1.png"))
    assert picture.shape == (SIZE[1], SIZE[0], 3)
    hand.key("space", "f")
    begun = time.monotonic()
    hand.until(lambda: time.monotonic() > begun + 0.6)
    hand.key("f")
    hand.until(lambda: "wrote studio-1.gif" in hand.session.message)
    with Image.open("studio-1.gif") as film:
        assert film.size == SIZE
        assert film.n_frames >= 2
        film.seek(film.n_frames - 1)
        assert np.asarray(film.convert("RGB")).std() > 5


class TestCamera:
    @pytest.fixture
    def camera(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Camera, list[str]]]:
        monkeypatch.chdir(tmp_path)
        said: list[str] = []
        camera = Camera(said.append)
        yield camera, said
        camera.close()

    @staticmethod
    def picture(size: tuple[int, int], colour: tuple[int, int, int]) -> Any:
        import pygame

        surface = pygame.Surface(size)
        surface.fill(colour)
        return surface

    def test_a_still_picture_lasts_as_long_as_it_was_seen(self, camera: tuple[Camera, list[str]]) -> None:
        lens, _ = camera
        lens.switch(".gif")
        lens.see(self.picture((8, 8), (255, 0, 0)), 100.0)
        lens.see(self.picture((8, 8), (0, 0, 255)), 101.0)  # nothing was drawn for a second
        (done,) = lens.close()
        assert done == "wrote studio-1.gif, 1.1 seconds"
        with Image.open("studio-1.gif") as film:
            durations = []
            for frame in range(film.n_frames):
                film.seek(frame)
                durations.append(film.info["duration"])
        assert sum(durations) == 1100
        assert durations[-1] == 100

    def test_it_ends_when_the_window_changes_and_when_it_is_long(self, camera: tuple[Camera, list[str]]) -> None:
        lens, said = camera
        lens.switch(".gif")
        assert lens.recording == ".gif"
        lens.see(self.picture((8, 8), (255, 0, 0)), 0.0)
        lens.see(self.picture((9, 8), (255, 0, 0)), 0.1)
        assert "another size" in said[-1]
        assert lens.recording == ""
        lens.switch(".gif")
        lens.see(self.picture((8, 8), (255, 0, 0)), 0.0)
        lens.see(self.picture((8, 8), (255, 0, 0)), LONGEST_S[".gif"] + 0.1)
        assert "30 seconds" in said[-1]
        assert lens.recording == ""
        said += lens.close()
        # The second film began while the first one was being written, perhaps: each has a name of its own.
        assert sorted(line for line in said if line.startswith("wrote")) == [
            "wrote studio-1.gif, 0.1 seconds",
            "wrote studio-2.gif, 0.1 seconds",
        ]

    def test_what_cannot_be_written_is_told(self, camera: tuple[Camera, list[str]]) -> None:
        lens, said = camera
        lens.switch(".gif")  # and nothing is seen
        assert lens.close() == ["a film needs at least one frame, got none"]
        if os.geteuid() != 0:
            os.chmod(".", 0o500)
            lens.take()
            lens.see(self.picture((8, 8), (255, 0, 0)), 0.0)
            os.chmod(".", 0o700)
            assert "cannot write" in said[-1]


def test_thousands_of_frames_do_not_fill_the_memory(
    visit: Callable[..., Visit], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gridrl.studio.live.app.FRAME_S", 0.0)
    monkeypatch.setattr("gridrl.studio.live.app.DRAWING_SHARE", 1.0)  # a frame after every step
    hand = visit(speed=float("inf"))
    hand.post("MOUSEMOTION", pos=hand.place("cell 14"), rel=(0, 0), buttons=(0, 0, 0))

    def objects_after(frames: int) -> int:
        hand.until(lambda: hand.app.num_frames >= frames)
        gc.collect()
        return len(gc.get_objects())

    counts = [objects_after(frames) for frames in (100, 250, 400)]
    assert counts[-1] - counts[0] < 250  # less than one for a frame; moments and metrics are bounded, but not full yet
