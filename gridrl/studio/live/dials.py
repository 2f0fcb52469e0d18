"""The sliders: what each sets, between what, and how its place along the line becomes a number."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gridrl.studio.minds.mind import Mind

KEY_STEP = 1 / 40  # of the line, for a press of an arrow key


class Along(NamedTuple):
    """How the places along a slider, from 0 to 1, and numbers belong together."""

    place: Callable[[float], float]  # of a number
    number: Callable[[float], float]  # at a place


class Dial(NamedTuple):
    """A number that a slider sets."""

    name: str
    label: str
    hint: str
    read: Callable[["Mind"], float | None]  # None: this agent has no such number
    along: Along
    of_level: bool = False  # set in the level; otherwise in the agent

    def text(self, value: float) -> str:
        """Return a number in words."""
        return f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) >= 0.1 or not value else f"{value:.2g}"


def _line(low: float, high: float) -> Along:
    return Along(lambda value: _held((value - low) / (high - low)), lambda place: round(low + place * (high - low), 3))


def _powers(low: float, high: float, *, whole: bool = False) -> Along:
    span = math.log(high / low)

    def number(place: float) -> float:
        value = low * math.exp(place * span)
        return max(1, round(value)) if whole else float(f"{value:.2g}")

    return Along(lambda value: _held(math.log(max(value, low) / low) / span), number)


def _discount() -> Along:
    """Equal lengths make the horizon 1 / (1 - gamma) longer by the same factor, up to a thousand steps."""
    return Along(
        lambda value: _held(-math.log10(max(1 - value, 1e-3)) / 3), lambda place: round(1 - 10 ** (-3 * place), 4)
    )


def _held(place: float) -> float:
    return min(max(place, 0.0), 1.0)


def _setting(name: str) -> Callable[["Mind"], float | None]:
    return lambda mind: mind.settings.get(name)


DIALS = (
    Dial(
        "epsilon",
        "epsilon",
        "The share of random actions; what is set here stays, and no longer falls by itself.",
        lambda mind: mind.agent.epsilon if "epsilon_end" in mind.settings else None,
        _line(0.0, 1.0),
    ),
    Dial(
        "learning_rate",
        "learning rate",
        "How far one update moves what is believed.",
        _setting("learning_rate"),
        _powers(1e-5, 1.0),
    ),
    Dial("gamma", "discount", "How much what comes one step later counts.", _setting("gamma"), _discount()),
    Dial(
        "target_update_period",
        "target period",
        "Updates between two moves of the target network.",
        _setting("target_update_period"),
        _powers(1, 10_000, whole=True),
    ),
    Dial(
        "slip",
        "slip",
        "How likely an action is replaced by one to its side.",
        lambda mind: mind.level.slip,
        _line(0.0, 1.0),
        of_level=True,
    ),
    Dial(
        "reward_noise",
        "reward noise",
        "Standard deviation of what is added to each reward by chance.",
        lambda mind: mind.level.reward_noise,
        _line(0.0, 100.0),
        of_level=True,
    ),
)
