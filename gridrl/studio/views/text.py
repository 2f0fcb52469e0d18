"""Text, set in Inter at its true size in pixels; pictures of it are kept."""

import io
import math
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from gridrl.studio.views.palette import Colour
from gridrl_envs.rendering import load_pygame

if TYPE_CHECKING:
    import pygame

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_KEYS = {
    "up": "\N{UPWARDS ARROW}",
    "down": "\N{DOWNWARDS ARROW}",
    "left": "\N{LEFTWARDS ARROW}",
    "right": "\N{RIGHTWARDS ARROW}",
    "escape": "Esc",
    "return": "Enter",
    "backspace": "Bksp",
    "delete": "Del",
    "page up": "PgUp",
    "page down": "PgDn",
}


@lru_cache(maxsize=64)
def font(px: int, bold: bool = False) -> "pygame.font.Font":
    """Return Inter, Regular or SemiBold, `px` pixels high."""
    pygame: Any = load_pygame()
    pygame.font.init()
    name = f"Inter-{'SemiBold' if bold else 'Regular'}.otf"
    return pygame.font.Font(io.BytesIO((files("gridrl.studio") / "fonts" / name).read_bytes()), px)


@lru_cache(maxsize=8192)
def picture(text: str, px: int, colour: Colour, bold: bool = False) -> "pygame.Surface":
    """Return one line of text on nothing; the picture is shared, so do not draw on it."""
    return font(px, bold).render(text, True, colour)


@lru_cache(maxsize=8192)
def width(text: str, px: int, bold: bool = False) -> int:
    """Return how many pixels wide a line is."""
    return font(px, bold).size(text)[0] if text else 0


def height(px: int, bold: bool = False) -> int:
    """Return how many pixels high the picture of a line is."""
    return font(px, bold).get_height()


@lru_cache(maxsize=4096)
def shortened(text: str, px: int, room: int, bold: bool = False) -> str:
    """Return the text, or as much of it as fits `room` pixels with an ellipsis; "" where not even one letter does."""
    if width(text, px, bold) <= room:
        return text
    low, high = 0, len(text)  # the longest beginning that fits
    while low < high:
        middle = (low + high + 1) // 2
        if width(text[:middle].rstrip(" ,;:") + ELLIPSIS, px, bold) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip(" ,;:") + ELLIPSIS if low else ""


@lru_cache(maxsize=512)
def wrapped(text: str, px: int, room: int, max_lines: int = 99) -> tuple[str, ...]:
    """Return the text in lines of at most `room` pixels; what does not fit `max_lines` ends with an ellipsis."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and width(longer, px) > room:
            lines.append(line)
            line = word
        else:
            line = longer
    lines.append(line)
    if len(lines) > max_lines:
        lines[max_lines - 1 :] = [" ".join(lines[max_lines - 1 :])]
    return tuple(shortened(line, px, room) for line in lines)


def key_cap(key: str) -> str:
    """Return what stands on a key that pygame names so: "space" is "Space", "left" an arrow, "ctrl s" "Ctrl S"."""
    named = _KEYS.get(key)
    if named is not None:
        return named
    modifier, space, last = key.rpartition(" ")
    return f"{modifier.capitalize()} {_KEYS.get(last, last.capitalize())}" if space else key.capitalize()


def decimals_of(size: float, digits: int) -> int:
    """Return how many decimals give a number of this size (0 or above) so many digits, zeros before them apart."""
    if not size:
        return 0
    if size < 0.0995:
        return digits - 1 + math.floor(-math.log10(size))
    return max(digits - 1 - sum(size >= limit for limit in (9.995, 99.95)), 0)


def number(value: float, digits: int = 3) -> str:
    """Return a number with at most `digits` digits where it has decimals, thousands apart, and a true minus sign."""
    if not math.isfinite(value):
        return "\N{EN DASH}" if value != value else "\N{INFINITY}" if value > 0 else "\N{MINUS SIGN}\N{INFINITY}"
    size = abs(value)
    if size >= 1e6:
        for unit, letter in ((1e9, "G"), (1e6, "M")):
            if size >= unit:
                return number(value / unit, digits) + letter
    if 0 < size < 1e-5:
        return f"{value:.1e}".replace("e-0", "e-").replace("-", "\N{MINUS SIGN}")
    text = f"{value:,.{decimals_of(size, digits)}f}"
    if not text.strip("-0."):
        return "0"
    return text.replace("-", "\N{MINUS SIGN}")


def count(value: float) -> str:
    """Return a count, rounded, thousands apart."""
    return f"{value:,.0f}".replace("-", "\N{MINUS SIGN}")
