"""The window, driven by posted events without a display, and by real keys where an X server can be started."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import count

import numpy as np
import pygame
import pytest

from gridrl_envs.window import BACKGROUND, NoDisplayError, Window

NEVER = 60.0  # seconds: far longer than a test may take


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield
    pygame.display.quit()


@pytest.fixture
def window(hidden: None) -> Iterator[Window]:
    window = Window("test")
    yield window
    window.close()


def picture(height: int = 40, width: int = 80) -> np.ndarray:
    """A dark left half, a bright right half."""
    frame = np.full((height, width, 3), 10, np.uint8)
    frame[:, width // 2 :] = (200, 100, 50)
    return frame


def press(key: int) -> None:
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))
    pygame.event.post(pygame.event.Event(pygame.KEYUP, key=key))


def shown() -> np.ndarray:
    """What the window holds, [H, W, 3]."""
    return pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)


CLOSERS = {
    "escape": {"type": pygame.KEYDOWN, "key": pygame.K_ESCAPE},
    "q": {"type": pygame.KEYDOWN, "key": pygame.K_q},
    "quit": {"type": pygame.QUIT},
    "its X": {"type": pygame.WINDOWCLOSE},
}


def post(closer: str) -> None:
    fields = dict(CLOSERS[closer])
    pygame.event.post(pygame.event.Event(fields.pop("type"), fields))


@pytest.mark.parametrize("closer", CLOSERS)
@pytest.mark.parametrize("call", ["poll", "wait", "show"])
def test_esc_q_and_the_x_close_it(window: Window, closer: str, call: str) -> None:
    window.show(picture())
    assert not window.closed
    post(closer)
    {"poll": window.poll, "wait": lambda: window.wait(NEVER), "show": lambda: window.show(picture())}[call]()
    assert window.closed
    assert not pygame.display.get_init()


@pytest.mark.parametrize("closer", CLOSERS)
def test_it_closes_in_the_middle_of_waiting(window: Window, closer: str) -> None:
    window.show(picture())
    timer = threading.Timer(0.2, post, [closer])
    timer.start()
    window.wait()  # without end: only closing ends it
    timer.join()
    assert window.closed


def test_it_closes_in_the_middle_of_a_slow_show(hidden: None) -> None:
    window = Window(fps=1 / NEVER)
    window.show(picture())
    timer = threading.Timer(0.2, post, ["escape"])
    timer.start()
    window.show(picture())
    timer.join()
    assert window.closed


def test_a_closed_window_does_nothing_and_another_can_be_opened(window: Window) -> None:
    window.show(picture())
    window.close()
    window.close()
    window.show(picture())
    window.wait(NEVER)
    assert window.poll() == []
    assert window.size == (0, 0)
    assert not pygame.display.get_init()
    again = Window()
    again.show(picture())
    assert not again.closed
    assert window.closed
    again.close()


def test_a_second_window_closes_the_first(window: Window) -> None:
    window.show(picture())
    second = Window()
    assert window.closed
    second.show(picture())
    window.close()
    assert not second.closed
    second.close()


def test_a_display_ended_by_other_code_counts_as_closed(window: Window) -> None:
    window.show(picture())
    pygame.display.quit()
    window.show(picture())
    assert window.closed


def test_keys_come_by_name_once_and_in_order(window: Window) -> None:
    window.show(picture())
    for key in (pygame.K_UP, pygame.K_RIGHT, pygame.K_SPACE, pygame.K_r, pygame.K_w, pygame.K_LEFT, pygame.K_DOWN):
        press(key)
    assert window.poll() == ["up", "right", "space", "r", "w", "left", "down"]
    assert window.poll() == []


def test_keys_pressed_while_it_waits_or_shows_are_kept(window: Window) -> None:
    window.show(picture())
    press(pygame.K_UP)
    window.wait(0.01)
    press(pygame.K_DOWN)
    window.show(picture())
    assert window.poll() == ["up", "down"]


def test_a_held_key_repeats_only_if_it_moves(window: Window) -> None:
    window.show(picture())
    for key in (pygame.K_RIGHT, pygame.K_SPACE) * 3:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))
    assert window.poll() == ["right", "space", "right", "right"]
    pygame.event.post(pygame.event.Event(pygame.KEYUP, key=pygame.K_SPACE))
    press(pygame.K_SPACE)
    assert window.poll() == ["space"]


def test_waiting_for_a_key_ends_with_the_key(window: Window) -> None:
    window.show(picture())
    timer = threading.Timer(0.2, press, [pygame.K_r])
    timer.start()
    window.wait(until_key=True)
    timer.join()
    assert window.poll() == ["r"]
    press(pygame.K_s)
    window.wait(0.0)
    window.wait(until_key=True)  # the key that was pressed before counts
    assert window.poll() == ["s"]


def test_a_wait_lasts_as_long_as_asked_whatever_happens(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    window.show(picture())
    clock = count(0.0, 0.1)
    monkeypatch.setattr("gridrl_envs.window.time.monotonic", lambda: next(clock))
    press(pygame.K_UP)
    window.wait(1.0)
    assert next(clock) > 1.0
    assert window.poll() == ["up"]


def test_it_opens_at_the_pictures_size_and_shows_every_pixel(window: Window) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (400, 800, 3), np.uint8)
    window.show(frame)
    assert (shown() == frame).all()
    assert window.size == (800, 400)


def test_a_small_picture_opens_enlarged_by_a_whole_factor(window: Window) -> None:
    frame = picture(50, 100)
    window.show(frame)
    assert (shown() == frame.repeat(6, axis=0).repeat(6, axis=1)).all()  # 640 // 100


def test_a_picture_larger_than_the_desktop_opens_smaller(window: Window) -> None:
    width, height = pygame.display.get_desktop_sizes()[0]
    window.show(picture(2 * height, 3 * width))
    opened_width, opened_height = window.size
    assert opened_width <= width
    assert opened_height <= height
    assert opened_width / opened_height == pytest.approx(3 * width / (2 * height), rel=0.01)


@pytest.mark.parametrize("size", [(500, 400), (400, 900), (150, 60), (333, 91), (1, 1)])
def test_a_resized_window_keeps_the_pictures_shape_between_bars(window: Window, size: tuple[int, int]) -> None:
    window.show(picture(40, 80))
    pygame.display.set_mode(size, pygame.RESIZABLE)
    pygame.event.post(pygame.event.Event(pygame.VIDEORESIZE, size=size, w=size[0], h=size[1]))
    window.poll()
    assert window.size == size
    now = shown()
    assert now.shape[:2] == (size[1], size[0])
    factor = min(size[0] / 80, size[1] / 40)
    pixels = (now != BACKGROUND).any(axis=-1)
    assert pixels.any()
    if min(size) > 1:
        rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
        assert len(rows) == rows[-1] - rows[0] + 1 == int(40 * factor)
        assert len(columns) == columns[-1] - columns[0] + 1 == int(80 * factor)
        assert abs(rows[0] - (size[1] - 1 - rows[-1])) <= 1
        assert abs(columns[0] - (size[0] - 1 - columns[-1])) <= 1
        # The edge between the halves stays sharp: all but two columns are one colour or the other.
        line = now[rows[len(rows) // 2], columns[0] : columns[-1] + 1].astype(int)
        pure = (np.abs(line - (10, 10, 10)) <= 5).all(axis=-1) | (np.abs(line - (200, 100, 50)) <= 5).all(axis=-1)
        assert (~pure).sum() <= 2


def test_the_caption_stands_below_the_picture(window: Window) -> None:
    frame = picture(400, 800)
    window.show(frame, "step 12   return 300")
    assert window.size == (800, 400)
    now = shown()
    assert (now[:400] == frame).all()
    strip = now[400:]
    letters = np.abs(strip.astype(int) - BACKGROUND).sum(axis=-1) > 300
    rows, columns = np.flatnonzero(letters.any(axis=1)), np.flatnonzero(letters.any(axis=0))
    assert rows[0] > 0
    assert rows[-1] < len(strip) - 1
    assert abs(columns[0] - (799 - columns[-1])) <= 6
    window.show(frame, "step 13   return 400")
    assert (shown()[400:] != strip).any()


@pytest.mark.parametrize("width", [200, 60, 20])
def test_a_caption_too_long_is_cut_to_the_window(window: Window, width: int) -> None:
    window.show(picture(), "many words " * 40)
    pygame.display.set_mode((width, 200), pygame.RESIZABLE)
    window.show(picture(), "many words " * 40)
    letters = np.abs(shown()[window.size[1] :].astype(int) - BACKGROUND).sum(axis=-1) > 300
    assert letters.any()
    assert not letters[:, :2].any() or width == 20


def test_a_picture_changed_later_does_not_change_the_window(window: Window) -> None:
    frame = picture(400, 800)
    window.show(frame)
    before = shown()
    frame[:] = 255
    pygame.event.post(pygame.event.Event(pygame.WINDOWEXPOSED))
    window.poll()
    assert (shown() == before).all()


@pytest.mark.parametrize("fps", [0, -5])
def test_fps_must_be_above_zero(hidden: None, fps: float) -> None:
    with pytest.raises(ValueError, match="fps is pictures per second"):
        Window(fps=fps)


def test_the_sound_stays_untouched(window: Window) -> None:
    window.show(picture(), "text")
    assert pygame.mixer.get_init() is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")
class TestNoDisplay:
    def test_it_is_said_in_one_sentence_what_to_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
            monkeypatch.delenv(name, raising=False)
        with pytest.raises(NoDisplayError, match=r'^[^.]*no display[^.]*--video out\.gif.*render_mode="rgb_array"'):
            Window()
        assert not pygame.display.get_init()

    @pytest.mark.parametrize("driver", [None, "x11", "no-such-driver"])
    def test_a_display_that_does_not_answer_is_none(self, monkeypatch: pytest.MonkeyPatch, driver: str | None) -> None:
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        monkeypatch.setenv("DISPLAY", ":987")
        monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
        if driver:
            monkeypatch.setenv("SDL_VIDEODRIVER", driver)
        with pytest.raises(NoDisplayError, match=r"--video out\.gif"):
            Window()
        assert not pygame.display.get_init()


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise on Windows")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_the_program_while_the_window_waits(number: signal.Signals) -> None:
    code = (
        "import numpy, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from gridrl_envs.window import Window\n"
        "window = Window()\n"
        "window.show(numpy.zeros((9, 9, 3), 'uint8'))\n"
        "try:\n    print('ready', flush=True)\n    window.wait()\n"
        "except KeyboardInterrupt:\n    raise SystemExit(130)\n"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", code], env=os.environ | {"SDL_VIDEODRIVER": "dummy"}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        program.send_signal(number)
        assert program.wait(NEVER) == (130 if number == signal.SIGINT else -signal.SIGTERM)
    finally:
        program.kill()
        program.communicate()


REAL_PROGRAM = """
import numpy as np
from gridrl_envs.window import Window
window = Window("gridrl test")
window.show(np.full((200, 400, 3), (200, 100, 50), np.uint8), "press a key")
window.wait(0.2)
print("ready", window.size, flush=True)
while not window.closed:
    window.wait(until_key=True)
    for key in window.poll():
        print(key, window.size, flush=True)
print("closed", flush=True)
"""


class TestRealWindow:
    """Under a real X server, with real key presses."""

    @pytest.fixture
    def display(self) -> Iterator[dict[str, str]]:
        missing = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]
        if missing:
            pytest.skip(f"needs {' and '.join(missing)} to press real keys in a real window")
        read, write = os.pipe()
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "1000x700x24", "-nolisten", "tcp"],
            pass_fds=[write],
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as numbers:
            number = numbers.readline().strip()  # the server writes it once it is ready
        hidden = ("SDL_VIDEODRIVER", "WAYLAND_DISPLAY")
        yield {name: value for name, value in os.environ.items() if name not in hidden} | {"DISPLAY": f":{number}"}
        server.terminate()
        server.wait(NEVER)

    @pytest.mark.parametrize("closer", ["q", "Escape"])
    def test_real_keys(self, display: dict[str, str], closer: str) -> None:
        def tool(*words: str) -> str:
            done = subprocess.run(["xdotool", *words], env=display, capture_output=True, text=True, timeout=NEVER)
            return done.stdout.strip()

        program = subprocess.Popen([sys.executable, "-c", REAL_PROGRAM], env=display, stdout=subprocess.PIPE, text=True)
        watchdog = threading.Timer(NEVER, program.kill)  # reading a line then ends, and the test fails
        watchdog.start()
        try:
            assert program.stdout is not None
            assert program.stdout.readline() == "ready (400, 200)\n"
            window = tool("search", "--pid", str(program.pid))
            assert tool("getwindowname", window) == "gridrl test"
            tool("windowfocus", "--sync", window)
            for key, name in [("Up", "up"), ("Left", "left"), ("d", "d"), ("space", "space"), ("r", "r")]:
                tool("key", key)
                assert program.stdout.readline() == f"{name} (400, 200)\n"
            tool("windowsize", "--sync", window, "900", "600")
            tool("key", "Down")
            assert program.stdout.readline() == "down (900, 564)\n"
            tool("key", closer)
            assert program.stdout.readline() == "closed\n"
            assert program.wait(NEVER) == 0
        finally:
            watchdog.cancel()
            program.kill()
            program.communicate()
