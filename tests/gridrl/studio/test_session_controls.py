"""The table of controls: every one has a key of its own and a place for the mouse."""

from collections import Counter
from collections.abc import Callable

import pytest

from gridrl.studio.live.app import OWN_KEYS, App
from gridrl.studio.live.controls import ALIASES, BY_KEY, CONTROLS, control_of
from gridrl.studio.live.dials import DIALS
from gridrl.studio.live.session import Session
from gridrl.studio.live.showing import Showing
from gridrl.studio.views.page import Page

MakeSession = Callable[..., Session]


def test_names_and_keys_are_unique() -> None:
    assert max(Counter(control.name for control in CONTROLS).values()) == 1
    keys = [control.key for control in CONTROLS] + list(ALIASES) + list(OWN_KEYS)
    assert [key for key, times in Counter(keys).items() if times > 1] == []


def test_every_control_says_what_it_is() -> None:
    for control in CONTROLS:
        assert control.label
        assert control.key
        assert control.group
        assert control.hint[0].isupper()
        assert control.hint.endswith(".")
    for dial in DIALS:
        assert dial.label
        assert dial.hint.endswith(".")


def test_keys_are_such_as_pygame_names_or_types(monkeypatch: pytest.MonkeyPatch) -> None:
    import pygame

    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.init()
    for key in [*BY_KEY, *ALIASES]:
        name = key.removeprefix("ctrl ")
        assert len(name) == 1 or pygame.key.key_code(name)


def test_aliases_lead_to_controls() -> None:
    for key, meant in ALIASES.items():
        assert control_of(key) is BY_KEY[meant]
    assert control_of("unheard of") is None


@pytest.mark.parametrize("agents", [("q-learning",), ("q-learning", "sarsa")])
@pytest.mark.parametrize("size", [(1280, 800), (900, 640)])
def test_the_mouse_alone_reaches_every_control(
    make_session: MakeSession,
    places: Callable[..., dict[str, tuple[int, int]]],
    agents: tuple[str, ...],
    size: tuple[int, int],
) -> None:
    session = make_session(*agents)
    session.work()
    shown = Showing(session).shown()
    reached = places(Page(), shown, size)
    assert {control.name for control in CONTROLS} - reached.keys() == set()
    assert {dial.name for dial, _ in session.tuning.dials()} - reached.keys() == set()
    assert "timeline" in reached
    level = session.mind.level
    assert {f"cell {cell}" for cell in range(level.rows * level.columns)} <= reached.keys()


def test_what_the_session_cannot_do_the_window_does(make_session: MakeSession) -> None:
    class NoWindow:
        def close(self) -> None:
            """Do nothing."""

    app = App(make_session(), NoWindow(), Page())  # type: ignore[arg-type]
    assert {control.name for control in CONTROLS if control.do is None} == app._own.keys()
