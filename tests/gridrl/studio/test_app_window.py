"""What the window makes of raw events, on SDL's dummy display."""

from collections.abc import Iterator
from typing import Any

import pytest

from gridrl.errors import UserError
from gridrl.studio.window import FIRST_SIZE, Event, StudioWindow, display_scale


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[StudioWindow]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    for name in ("GDK_SCALE", "QT_SCALE_FACTOR"):
        monkeypatch.delenv(name, raising=False)
    opened = StudioWindow("test", (640, 480))
    opened.events()  # those of its opening
    yield opened
    opened.close()


def post(kind: str, **values: Any) -> None:
    import pygame

    pygame.event.post(pygame.event.Event(getattr(pygame, kind), values))


@pytest.mark.parametrize(
    ("name", "typed", "mod", "key"),
    [
        ("v", "v", "NONE", "v"),
        ("v", "V", "SHIFT", "v"),
        ("/", "?", "SHIFT", "?"),
        ("=", "+", "SHIFT", "+"),
        ("=", "", "CTRL", "ctrl ="),
        ("z", "\x1a", "CTRL", "ctrl z"),
        ("space", " ", "NONE", "space"),
        ("return", "\r", "NONE", "return"),
        ("tab", "\t", "NONE", "tab"),
        ("tab", "\t", "SHIFT", "shift tab"),
        ("page up", "", "NONE", "page up"),
        ("f12", "", "NONE", "f12"),
    ],
)
def test_keys_are_named_by_what_they_type(window: StudioWindow, name: str, typed: str, mod: str, key: str) -> None:
    import pygame

    post("KEYDOWN", key=pygame.key.key_code(name), unicode=typed, mod=getattr(pygame, f"KMOD_{mod}"))
    assert window.events() == [Event("key", key)]


def test_a_held_key_is_pressed_once_but_for_those_that_move(window: StudioWindow) -> None:
    import pygame

    for name in ("v", "up", "v", "up"):
        post("KEYDOWN", key=pygame.key.key_code(name), unicode="v" if name == "v" else "", mod=0)
    assert [event.key for event in window.events()] == ["v", "up", "up"]
    post("KEYUP", key=pygame.key.key_code("v"), mod=0)
    post("KEYDOWN", key=pygame.key.key_code("v"), unicode="v", mod=0)
    assert [event.key for event in window.events()] == ["v"]


def test_the_mouse(window: StudioWindow) -> None:
    post("MOUSEMOTION", pos=(3, 4), rel=(0, 0), buttons=(0, 0, 0))
    post("MOUSEBUTTONDOWN", button=1, pos=(3, 4))
    post("MOUSEBUTTONDOWN", button=3, pos=(3, 4))
    post("MOUSEBUTTONUP", button=1, pos=(5, 6))
    post("WINDOWLEAVE")
    assert window.events() == [
        Event("move", place=(3, 4)),
        Event("press", place=(3, 4)),
        Event("release", place=(5, 6)),
        Event("leave"),
    ]


def test_a_closed_window_answers_nothing(window: StudioWindow) -> None:
    import pygame

    window.close()
    window.close()
    assert window.events(10.0) == []
    assert window.size == (0, 0)
    window.show(pygame.Surface((4, 4)))


def test_a_display_that_other_code_ends_closes_it(window: StudioWindow) -> None:
    import pygame

    pygame.display.quit()
    assert window.events() == [Event("close")]
    assert window.closed


def test_a_window_begins_within_the_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    import pygame

    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.init()
    monkeypatch.setattr(pygame.display, "get_desktop_sizes", lambda: [(1000, 2000)])
    window = StudioWindow("test", zoom=2.0)
    assert window.size == (950, 2 * FIRST_SIZE[1])
    assert window.zoom == 2
    window.close()


@pytest.mark.parametrize(
    ("variables", "scale"),
    [({}, 1.0), ({"GDK_SCALE": "2"}, 2.0), ({"QT_SCALE_FACTOR": "1.5"}, 1.5), ({"GDK_SCALE": "none"}, 1.0)],
)
def test_the_displays_own_scale(variables: dict[str, str], scale: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("GDK_SCALE", "QT_SCALE_FACTOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert display_scale() == scale


def test_no_display_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match="no display"):
        StudioWindow("test")
