"""The window that shows pictures. It answers its events whenever it is shown to, asked or waited on."""

import math
import os
import sys
import time
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from gridrl_envs.rendering import load_pygame, sprite_folder

if TYPE_CHECKING:
    import pygame

CLOSING_KEYS = ("escape", "q")
REPEATING_KEYS = ("up", "down", "left", "right", "w", "a", "s", "d")  # held down, these are pressed again and again
REPEAT_DELAY_MS, REPEAT_PERIOD_MS = 250, 90
SCREEN_SHARE = 0.9  # of the desktop that a new window may take up
COMFORTABLE_WIDTH = 640  # a smaller picture is enlarged by a whole factor when its window opens
LONGEST_NAP_S = 0.05  # so that Ctrl-C is answered promptly on systems where it does not end SDL's own waiting

BACKGROUND = (24, 27, 36)
CAPTION_COLOUR = (226, 228, 234)
_UNASKED_DRIVERS = ("dummy", "offscreen", "evdev", "kmsdrm")  # SDL falls back on these; nobody would see the window


class NoDisplayError(RuntimeError):
    """No window can be opened on this machine."""


class Window:
    """A resizable window that shows one picture at a time, letterboxed, with a line of text below it.

    Esc, q and its X close it at once; from then on `closed` is True and every method returns without doing anything.
    There is one window at a time: opening another closes the earlier one. `title` stands in the window's frame; `fps`,
    in pictures per second, is the rate that `show` keeps to by waiting (None shows each at once). Raises
    `NoDisplayError` where there is no display, `ValueError` for an fps that is not above 0.
    """

    _open: ClassVar["Window | None"] = None

    def __init__(self, title: str = "gridrl", fps: float | None = None) -> None:
        if fps is not None and not fps > 0:
            raise ValueError(f"fps is pictures per second, above 0, got {fps!r}; None shows each at once")
        if Window._open is not None:
            Window._open.close()
        self._pygame = open_display()
        self._title = title
        self._frame_period = 1 / fps if fps else 0.0
        self._next_show = 0.0
        self._frame: np.ndarray | None = None
        self._caption = ""
        self._keys: list[str] = []
        self._held: set[str] = set()
        self._closed = False
        Window._open = self

    @property
    def closed(self) -> bool:
        """Whether the window has been closed, by its user or by `close`."""
        return self._closed

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels that a picture may fill now; (0, 0) before the first picture and when closed.

        A caller that draws its next picture to this size (`rendering.frame_tile`) gets the sharpest result.
        """
        screen = None if self._closed else self._pygame.display.get_surface()
        if screen is None:
            return 0, 0
        width, height = screen.get_size()
        return width, height - self._caption_height()

    def show(self, frame: np.ndarray, caption: str = "") -> None:
        """Show a picture, uint8 [H, W, 3], with `caption` below it; waits first where `fps` asks for it."""
        if self._frame_period:
            self.wait(self._next_show - time.monotonic())
            self._next_show = time.monotonic() + self._frame_period
        self._answer_pending()
        if self._closed:
            return
        self._frame, self._caption = np.array(frame, np.uint8), caption
        if self._pygame.display.get_surface() is None:
            self._pygame.display.set_caption(self._title)
            self._pygame.display.set_mode(self._first_size(), self._pygame.RESIZABLE)
        self._paint()

    def poll(self) -> list[str]:
        """Names of the keys pressed since the last call ("up", "space", "r", ...), oldest first."""
        self._answer_pending()
        keys, self._keys = self._keys, []
        return keys

    def wait(self, seconds: float | None = None, *, until_key: bool = False) -> None:
        """Answer events for `seconds` (None: without end); closing the window, or a key if asked for, ends it."""
        end = math.inf if seconds is None else time.monotonic() + seconds
        self._answer_pending()
        while not self._closed and not (until_key and self._keys) and (left := end - time.monotonic()) > 0:
            event = self._pygame.event.wait(max(1, round(min(left, LONGEST_NAP_S) * 1000)))
            self._answer([event])
            self._answer_pending()

    def close(self) -> None:
        """Close the window; a new `Window` can be opened afterwards."""
        if self._closed:
            return
        self._closed = True
        self._frame = None
        Window._open = None
        self._pygame.display.quit()

    def _answer_pending(self) -> None:
        """Answer every event that waits; a display that other code has ended counts as a closed window."""
        if self._closed:
            return
        if self._pygame.display.get_init():
            self._answer(self._pygame.event.get())
        else:
            self.close()

    def _answer(self, events: "list[pygame.event.Event]") -> None:
        pygame = self._pygame
        repaint = False
        for event in events:
            if event.type in (pygame.QUIT, pygame.WINDOWCLOSE):
                return self.close()
            if event.type == pygame.KEYDOWN:
                key = pygame.key.name(event.key)
                if key in CLOSING_KEYS:
                    return self.close()
                if key not in self._held or key in REPEATING_KEYS:
                    self._keys.append(key)
                self._held.add(key)
            elif event.type == pygame.KEYUP:
                self._held.discard(pygame.key.name(event.key))
            elif event.type == pygame.WINDOWFOCUSLOST:
                self._held.clear()
            elif event.type in (pygame.VIDEORESIZE, pygame.WINDOWEXPOSED):
                repaint = True
        if repaint:
            self._paint()

    def _paint(self) -> None:
        """Draw the present picture and caption into the window as it is now."""
        screen = self._pygame.display.get_surface()
        if self._frame is None or screen is None:
            return
        screen.fill(BACKGROUND)
        width, height = screen.get_size()
        room = height - self._caption_height()
        if width > 0 and room > 0:
            picture = self._fitted(width, room)
            screen.blit(picture, ((width - picture.get_width()) // 2, (room - picture.get_height()) // 2))
        if self._caption:
            text = self._caption_text(width)
            screen.blit(text, ((width - text.get_width()) // 2, room + (height - room - text.get_height()) // 2))
        self._pygame.display.flip()

    def _fitted(self, width: int, height: int) -> "pygame.Surface":
        """The picture as large as fits: enlarged by a whole factor, then made smaller, so that its edges stay sharp."""
        assert self._frame is not None
        transform = self._pygame.transform
        frame_height, frame_width = self._frame.shape[:2]
        picture = self._pygame.image.frombuffer(self._frame, (frame_width, frame_height), "RGB")
        factor = min(width / frame_width, height / frame_height)
        if factor > 1:
            picture = transform.scale_by(picture, math.ceil(factor))
        fitted = max(1, int(frame_width * factor)), max(1, int(frame_height * factor))
        return picture if picture.get_size() == fitted else transform.smoothscale(picture, fitted)

    def _first_size(self) -> tuple[int, int]:
        """The picture's own size, enlarged if it is small, with room for a caption, within the desktop."""
        assert self._frame is not None
        height, width = self._frame.shape[:2]
        factor = max(1, COMFORTABLE_WIDTH // width)
        desktop_width, desktop_height = self._pygame.display.get_desktop_sizes()[0]
        room_width, room_height = desktop_width * SCREEN_SHARE, desktop_height * SCREEN_SHARE - self._caption_height()
        shrink = min(1.0, room_width / (width * factor), room_height / (height * factor))
        return round(width * factor * shrink), round(height * factor * shrink) + self._caption_height()

    def _caption_height(self) -> int:
        return 36 if self._caption else 0

    def _caption_text(self, width: int) -> "pygame.Surface":
        """The caption as a picture at most `width` wide: set smaller, and if that is not enough cut short."""
        text = self._caption
        for size in (24, 20, 17):
            font = self._pygame.font.Font(None, size)
            if font.size(text)[0] <= width - 16:
                break
        else:
            while len(text) > 1 and font.size(text + "...")[0] > width - 16:
                text = text[:-1]
            text += "..."
        return font.render(text, True, CAPTION_COLOUR)


def open_display() -> Any:
    """Start SDL's display and nothing else of it; raise `NoDisplayError` where nobody would see the window."""
    advice = 'use `--video out.gif` on the command line or render_mode="rgb_array" in Python instead'
    asked_for = os.environ.get("SDL_VIDEODRIVER")
    has_server = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not asked_for and not has_server:
        raise NoDisplayError(f"this machine has no display to open a window on; {advice}")
    # SDL would otherwise swallow SIGTERM, and `kill` would close the window but leave the program running.
    os.environ.setdefault("SDL_NO_SIGNAL_HANDLERS", "1")
    pygame = load_pygame()
    try:
        pygame.display.init()
    except pygame.error as error:
        raise NoDisplayError(f"no window can be opened here ({error}); {advice}") from None
    if not asked_for and pygame.display.get_driver() in _UNASKED_DRIVERS:
        pygame.display.quit()
        raise NoDisplayError(f"the display does not answer; {advice}")
    pygame.font.init()
    with (sprite_folder() / "player.png").open("rb") as icon:
        pygame.display.set_icon(pygame.image.load(icon, "player.png"))
    pygame.key.set_repeat(REPEAT_DELAY_MS, REPEAT_PERIOD_MS)
    return pygame
