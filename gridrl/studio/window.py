"""The studio's window: what a hand did to it, in plain words, and pictures that fill it."""

import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from gridrl.errors import UserError
from gridrl_envs.window import NoDisplayError, open_display

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pygame

FIRST_SIZE = (1280, 800)
SMALLEST_SIZE = (320, 240)
SCREEN_SHARE = 0.95  # of the desktop that a new window may take up


class Event(NamedTuple):
    """Something that a hand did.

    `kind` is "key" (pressed), "press", "move" or "release" (of the mouse's first button), "leave", "resize" or "close".
    A key is named by what it types ("v", "?", "+") or else as pygame names it ("space", "page up"), after
    "ctrl " or "shift " where that is held and changes its meaning.
    """

    kind: str
    key: str = ""
    place: tuple[int, int] = (0, 0)  # of the pointer, in pixels


class StudioWindow:
    """A resizable window that shows surfaces of its own size; raises `UserError` where there is no display."""

    def __init__(self, title: str, size: tuple[int, int] | None = None, zoom: float | None = None) -> None:
        os.environ.setdefault("SDL_WINDOWS_DPI_AWARENESS", "permonitorv2")
        try:
            self._pygame = open_display()
        except NoDisplayError as error:
            raise UserError(f"{error}.") from None
        pygame = self._pygame
        pygame.display.set_caption(title)
        self.zoom = zoom or display_scale()
        width, height = size or FIRST_SIZE
        if size is None:
            desktop_width, desktop_height = pygame.display.get_desktop_sizes()[0]
            width = round(min(width * self.zoom, desktop_width * SCREEN_SHARE))
            height = round(min(height * self.zoom, desktop_height * SCREEN_SHARE))
        pygame.display.set_mode((width, height), pygame.RESIZABLE)
        self._held: set[int] = set()
        self._is_new = True  # whether the screen shows nothing of ours
        self.closed = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        surface = None if self.closed else self._pygame.display.get_surface()
        return (0, 0) if surface is None else surface.get_size()

    def events(self, wait: float = 0.0) -> list[Event]:
        """Return what was done since the last call, oldest first; where nothing was, wait for it up to some seconds."""
        if self.closed:
            return []
        pygame = self._pygame
        if not pygame.display.get_init():  # other code has ended it
            self.close()
            return [Event("close")]
        raw = pygame.event.get()
        if not raw and wait > 0:
            first = pygame.event.wait(max(1, round(wait * 1000)))
            raw = [first, *pygame.event.get()]
        return [event for one in raw if (event := self._read(one)) is not None]

    def name(self, title: str) -> None:
        """Write another title into the window's frame."""
        if not self.closed and self._pygame.display.get_caption()[0] != title:
            self._pygame.display.set_caption(title)

    def show(self, picture: "pygame.Surface", changed: "Sequence[tuple[int, int, int, int]] | None" = None) -> None:
        """Show a surface; `changed` are the rects in which it differs from the one before, all of it if not given.

        One of another size than the window is shown as far as it fits.
        """
        if self.closed:
            return
        screen = self._pygame.display.get_surface()
        if changed is None or self._is_new:
            screen.blit(picture, (0, 0))
            self._pygame.display.flip()
            self._is_new = False
        elif changed:
            for rect in changed:
                screen.blit(picture, rect[:2], rect)
            self._pygame.display.update(list(changed))

    def close(self) -> None:
        """Close the window."""
        if not self.closed:
            self.closed = True
            self._pygame.display.quit()

    def _read(self, event: Any) -> Event | None:
        pygame = self._pygame
        kind = event.type
        if kind in (pygame.QUIT, pygame.WINDOWCLOSE):
            return Event("close")
        if kind == pygame.KEYDOWN:
            return self._read_key(event)
        if kind == pygame.KEYUP:
            self._held.discard(event.key)
        elif kind == pygame.WINDOWFOCUSLOST:
            self._held.clear()
        elif kind == pygame.MOUSEMOTION:
            return Event("move", place=event.pos)
        elif kind == pygame.MOUSEBUTTONDOWN and event.button == 1:
            return Event("press", place=event.pos)
        elif kind == pygame.MOUSEBUTTONUP and event.button == 1:
            return Event("release", place=event.pos)
        elif kind == pygame.WINDOWLEAVE:
            return Event("leave")
        elif kind in (pygame.VIDEORESIZE, pygame.WINDOWEXPOSED):
            self._is_new = True
            return Event("resize")
        return None

    def _read_key(self, event: Any) -> Event | None:
        pygame = self._pygame
        key = pygame.key.name(event.key)
        repeated = event.key in self._held
        self._held.add(event.key)
        typed = event.unicode.lower()
        if event.mod & pygame.KMOD_CTRL:
            key = f"ctrl {key}"
        elif key == "tab":
            key = "shift tab" if event.mod & pygame.KMOD_SHIFT else key
        elif typed.isprintable() and typed.strip():
            key = typed
        return None if repeated and key not in REPEATING else Event("key", key)


REPEATING = ("up", "down", "left", "right", "page up", "page down", "+", "-", "=", ".", "ctrl +", "ctrl -", "ctrl =")


def display_scale() -> float:
    """Return how much larger than usual things are drawn on this display, as its desktop or its size says."""
    for name in ("GDK_SCALE", "QT_SCALE_FACTOR"):
        try:
            scale = float(os.environ.get(name, ""))
        except ValueError:
            continue
        if 0.5 <= scale <= 4:
            return scale
    if sys.platform == "win32":
        import ctypes

        return ctypes.windll.user32.GetDpiForSystem() / 96  # type: ignore[attr-defined]
    return 1.0
