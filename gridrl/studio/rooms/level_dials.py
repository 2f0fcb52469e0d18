"""The settings of a level that sliders set."""

import math
from collections.abc import Callable
from typing import NamedTuple

from gridrl.studio.rooms.room import SLIDER_STEP
from gridrl.studio.shown import Slider

MOST_STEPS, LONGEST_PERIOD, MOST_NOISE = 10_000, 10, 100.0  # where the sliders end


class Dial(NamedTuple):
    """A setting of a level that a slider sets."""

    label: str
    hint: str
    place: Callable[[float], float]  # number -> position from 0 to 1
    number: Callable[[float], float]  # position -> number

    def slider(self, name: str, number: float) -> Slider:
        """Return the slider that stands at a number."""
        return Slider(name, self.label, f"{number:g}", min(max(self.place(number), 0.0), 1.0), self.hint, "settings")

    def nudged(self, number: float, direction: int) -> float:
        """Return the position, which may lie past an end, that is a little above (1) or below (-1) a number's."""
        position = min(self.place(number), 1.0)
        while 0 <= position <= 1 and self.number(position) == number:  # whole numbers stand far apart
            position += direction * SLIDER_STEP
        return position


DIALS = {
    "max_steps": Dial(
        "step limit",
        "Steps after which an episode is cut.",
        lambda number: math.log(number) / math.log(MOST_STEPS),
        lambda position: round(MOST_STEPS**position),
    ),
    "patrol_period": Dial(
        "patrol period",
        "Patrollers move every so many steps.",
        lambda number: (number - 1) / (LONGEST_PERIOD - 1),
        lambda position: 1 + round(position * (LONGEST_PERIOD - 1)),
    ),
    "slip": Dial(
        "slip",
        "How likely an action is replaced by one to its side.",
        lambda number: number,
        lambda position: round(position, 3),
    ),
    "reward_noise": Dial(
        "reward noise",
        "Standard deviation of what is added to each reward by chance.",
        lambda number: number / MOST_NOISE,
        lambda position: round(position * MOST_NOISE, 1),
    ),
}
