"""Small pictures on buttons and in the help: the sprite that a control paints."""

from functools import lru_cache
from typing import TYPE_CHECKING

from gridrl.studio.views import tiles

if TYPE_CHECKING:
    import pygame

# What a control that paints has in its name, "paint-coin" or "coin": a sprite, or a pile of ground.
_PICTURES: dict[str, str | tuple[str, ...]] = {
    "coin": "coin",
    "poison": "poison",
    "goal": "goal",
    "pit": "pit",
    "start": "player",
    "patroller": "patroller3",
    "wall": ("wall",),
    "floor": ("floor",),
}


def has_icon(name: str) -> bool:
    """Return whether a control of this name is shown by a picture of what it paints."""
    return _meaning(name) is not None


@lru_cache(maxsize=128)
def icon(name: str, size: int) -> "pygame.Surface":
    """Return the picture of a control that has one, `size` pixels square."""
    kind = _meaning(name)
    assert kind is not None
    if isinstance(kind, tuple):
        return tiles.ground(size, kind)
    return tiles.sprite(size, kind)


def _meaning(name: str) -> str | tuple[str, ...] | None:
    return _PICTURES.get(name.rpartition("-")[2])
