"""How lines are told apart, in every figure and in the studio; needs nothing that draws."""

import zlib
from typing import Any, NamedTuple

TRUTH = "#111111"  # the true value, in every figure

# Okabe & Ito 2008: told apart by colour-blind eyes; the order puts far greys beside each other.
_PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5B4A99", "#7A5C3E")
_VARIANTS = (*_PALETTE, "#6b7280")  # one more: the longest of our studies has nine
_DASHES = ("-", (0, (5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (1.5, 1.2)), (0, (3, 1, 1, 1, 1, 1)))
_MARKERS = (
    "osD^vP*X",
    "hp<>d8Hs",
    "^vPoXD<p",
    "D^osP<v8",
    "vdXDh>ph",
)  # no two of a column are alike: they share a colour
_KNOWN = (
    ("q-learning", "dqn", "double-dqn", "dueling-dqn", "per-dqn", "c51", "noisy-dqn", "rainbow"),
    ("expected-sarsa", "sarsa", "double-q-learning", "n-step-dqn", "drqn", "qr-dqn", "monte-carlo", "q-lambda"),
    ("n-step-sarsa", "dyna-q", "fitted-q"),
)


class Look(NamedTuple):
    """How an agent's line is drawn; colour, dashes and marker each tell it apart by themselves."""

    colour: str
    dashes: Any  # matplotlib's `linestyle`
    marker: str


def agent_look(name: str) -> Look:
    """Return the look of an agent by its name, the same in every figure; names unknown here get one by checksum."""
    for dashes, markers, names in zip(_DASHES, _MARKERS, _KNOWN, strict=False):
        if name in names:
            column = names.index(name)
            return Look(_PALETTE[column], dashes, markers[column])
    number = zlib.crc32(name.encode())
    column = number % len(_PALETTE)
    row = len(_KNOWN) + number // len(_PALETTE) % (len(_DASHES) - len(_KNOWN))
    return Look(_PALETTE[column], _DASHES[row], _MARKERS[row][column])


def variant_look(number: int) -> Look:
    """Return the look of the `number`-th variant of a study, counted from 0; after 45 they come again."""
    row, column = divmod(number % (len(_VARIANTS) * len(_DASHES)), len(_VARIANTS))
    return Look(_VARIANTS[column], _DASHES[row], (_MARKERS[row] + "p")[column])
