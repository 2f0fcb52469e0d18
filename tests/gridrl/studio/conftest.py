"""What the tests of the studio share: pages, pictures as arrays, and sessions on a small level."""

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridrl.problem import ProblemSettings
from gridrl.studio.live.session import Session
from gridrl.studio.minds.mind import Mind
from gridrl.studio.shown import Shown
from gridrl.studio.truth import Truth
from gridrl.studio.views import text
from gridrl.studio.views.page import Page
from gridrl_envs.rendering import load_pygame

ROOM = "########\n#P   @$#\n#   #  #\n#     $#\n########"
NEARBY = 8  # pixels between two places that are asked for


@pytest.fixture(scope="session")
def pages():
    """The module `pages.py` beside this file."""
    spec = importlib.util.spec_from_file_location("studio_pages", Path(__file__).with_name("pages.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def pixels():
    """surface -> int [H, W, 3]."""
    pygame = load_pygame()

    def pixels(surface):
        width, height = surface.get_size()
        return np.frombuffer(pygame.image.tobytes(surface, "RGB"), np.uint8).reshape(height, width, 3).astype(int)

    return pixels


@pytest.fixture(scope="session")
def raw():
    """surface -> uint32 [H, W], a copy: to compare pages quickly."""

    def raw(surface):
        width, height = surface.get_size()
        return np.frombuffer(surface.get_buffer().raw, np.uint32).reshape(height, -1)[:, :width].copy()

    return raw


@pytest.fixture
def texts(monkeypatch):
    """The lines that are set from now on, in their order."""
    lines, picture = [], text.picture

    def recorded(line, *rest):
        lines.append(line)
        return picture(line, *rest)

    monkeypatch.setattr(text, "picture", recorded)
    return lines


@pytest.fixture
def make_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Session]]:
    """Return a maker of sessions in a folder of their own: `make_session("q-learning", speed=20, epsilon_end=0.5)`."""
    monkeypatch.chdir(tmp_path)
    truths: list[Truth] = []

    def make(
        *agents: str, level: str = ROOM, seeds: Sequence[int] = (0,), speed: float = 50.0, **settings: Any
    ) -> Session:
        path = tmp_path / "room.txt"
        path.write_text(level)
        problem = ProblemSettings(level=str(path), max_steps=40)
        truths.append(Truth())
        minds = [Mind(agent, problem, settings, seeds) for agent in agents or ("q-learning",)]
        return Session(minds, truths[-1], command="gridrl live", speed=speed)

    yield make
    for truth in truths:
        truth.close()


@pytest.fixture(scope="session")
def places() -> Callable[..., dict[str, tuple[int, int]]]:
    """(page, shown, size, zoom) -> a place in the middle of each thing, found by asking as a hand would.

    Things are "cell 12" (of the first board), the names of buttons and sliders, and "timeline".
    """

    def places(page: Page, shown: Shown, size: tuple[int, int], zoom: float = 1.0) -> dict[str, tuple[int, int]]:
        found: dict[str, list[tuple[int, int]]] = {}
        for y in range(0, size[1], NEARBY):
            for x in range(0, size[0], NEARBY):
                hit = page.hit(shown, size, zoom, (x, y))
                if hit.kind and hit.board == 0:
                    name = f"cell {hit.cell}" if hit.kind == "cell" else hit.name or hit.kind
                    found.setdefault(name, []).append((x, y))
        return {name: sorted(there)[len(there) // 2] for name, there in found.items()}

    return places
