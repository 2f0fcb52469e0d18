"""What the tests of the views share: the pages, and pictures as arrays."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from gridrl.studio.views import text
from gridrl_envs.rendering import load_pygame


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
