"""The colours of the studio: light and calm, told apart by colour-blind eyes, the same as in our figures.

The ramps are those of `gridrl.plots.style`, written again
because that module needs matplotlib; a test holds them equal.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gridrl.studio.shown import Scale

Colour = tuple[int, int, int]

PAPER: Colour = (238, 240, 244)  # behind everything
CARD: Colour = (255, 255, 255)
EDGE: Colour = (217, 221, 229)  # around cards and buttons
GRID: Colour = (232, 235, 240)  # within plots
INK: Colour = (31, 41, 55)
MUTED: Colour = (98, 107, 122)  # 5.4 : 1 on white
FAINT: Colour = (160, 167, 179)  # what cannot be pressed, tracks
ACCENT: Colour = (0, 104, 168)  # switched on; 5.9 : 1 against white
ACCENT_LIGHT: Colour = (226, 239, 248)
HOVER: Colour = (244, 246, 250)
WARNING: Colour = (176, 72, 0)  # a reason, a message; 5.6 : 1 on white
TRUTH: Colour = (17, 17, 17)
TRAIL: Colour = (24, 78, 140)
GLOW: Colour = (213, 94, 0)

# Okabe & Ito 2008, for lines that have no colour of their own.
LINES: tuple[Colour, ...] = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167))

_VALUES = ("fdfbf0", "cfe3e6", "8fbfdb", "5b97c9")
_DIFFERENCES = ("d9822b", "f3c891", "ffffff", "a9cbe6", "4f8fc4")
NUM_COLOURS = 256


def _ramp(stops: tuple[str, ...]) -> NDArray[np.uint8]:
    colours = np.array([list(bytes.fromhex(stop)) for stop in stops], np.float64)
    at = np.linspace(0, 1, NUM_COLOURS)
    channels = [np.interp(at, np.linspace(0, 1, len(stops)), channel) for channel in colours.T]
    return np.rint(np.column_stack(channels)).astype(np.uint8)


@lru_cache(maxsize=2)
def ramp(signed: bool) -> NDArray[np.uint8]:
    """Return the colours of a scale from its low end to its high end, uint8 [256, 3]."""
    return _ramp(_DIFFERENCES if signed else _VALUES)


@lru_cache(maxsize=2)
def ramp_colours(signed: bool) -> tuple[Colour, ...]:
    """Return `ramp` as plain tuples, which pygame fills with."""
    return tuple((int(r), int(g), int(b)) for r, g, b in ramp(signed))


def ends(scale: Scale) -> tuple[float, float]:
    """Return the values at the two ends of a scale's ramp, always finite; of a signed one zero lies in the middle."""
    if not (math.isfinite(scale.low) and math.isfinite(scale.high)):  # what learns may diverge
        return (-1.0, 1.0) if scale.signed else (0.0, 1.0)
    if scale.signed:
        side = max(abs(scale.low), abs(scale.high)) or 1.0
        return -side, side
    if scale.high - scale.low < 1e-12:  # one value everywhere: it gets the middle colour
        return scale.low - 0.5, scale.low + 0.5
    return scale.low, scale.high


def colour_numbers(values: NDArray[np.floating], scale: Scale) -> NDArray[np.int32]:
    """Return the place of each value on its scale's ramp, 0 to 255, -1 where it is NaN; beyond the ends: the end."""
    low, high = ends(scale)
    known = np.isfinite(values)
    share = np.clip((np.where(known, values, low) - low) / (high - low), 0, 1)
    numbers: NDArray[np.int32] = np.minimum((share * NUM_COLOURS).astype(np.int32), NUM_COLOURS - 1)
    numbers[~known] = -1
    return numbers


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """Return the colour that lies `share` of the way from the first to the second."""
    r, g, b = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return r, g, b
