"""How fast it learns: not at all, so many steps a second, flat out, or flat out until something happens."""

import math

FLAT_OUT = math.inf
SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, FLAT_OUT)  # steps a second
PATIENCE_S = 0.25


class Clock:
    """Says how many steps are due. It reads no clock itself: `due` is told the time, in seconds, so that a film can
    have a time of its own.

    `speed` is in steps a second; `goal` names what is learned up to, at full speed, before it pauses again ("" none).
    `patience`: who comes late by more than these seconds does not run after the speed for ever.
    """

    def __init__(self, speed: float = SPEEDS[5], patience: float = PATIENCE_S) -> None:
        self.speed = speed
        self._patience = patience
        self.paused = False
        self.goal = ""
        self._debt = 0.0  # steps that are due, a part of one among them
        self._now: float | None = None

    def due(self, now: float) -> float:
        """Return how many whole steps are due at `now`; inf: as many as there is time for. None while it pauses."""
        passed = 0.0 if self._now is None else max(0.0, now - self._now)
        self._now = now
        if self.goal:
            return FLAT_OUT
        if self.paused:
            self._debt = 0.0
            return 0.0
        if self.speed == FLAT_OUT:
            return FLAT_OUT
        self._debt = min(self._debt + passed * self.speed, max(1.0, self.speed * self._patience))
        return math.floor(self._debt + 1e-9)  # sixty sixtieths of a second are a second

    def spent(self, steps: int) -> None:
        """Say how many of the steps that were due have been learned."""
        self._debt = max(0.0, self._debt - steps)

    def next_due(self) -> float:
        """Return after how many seconds a step is due, 0 where it is now, inf while it pauses."""
        if self.goal:
            return 0.0
        if self.paused:
            return math.inf
        return 0.0 if self.speed == FLAT_OUT else max(0.0, (1.0 - self._debt) / self.speed)

    def change(self, direction: int) -> None:
        """Take the next faster (1) or slower (-1) of `SPEEDS`; at the ends nothing changes."""
        if direction > 0:
            self.speed = min((speed for speed in SPEEDS if speed > self.speed), default=SPEEDS[-1])
        else:
            self.speed = max((speed for speed in SPEEDS if speed < self.speed), default=SPEEDS[0])

    @property
    def words(self) -> str:
        """The pace in words: "paused", "20 steps a second", "flat out"."""
        if self.goal:
            return f"until {self.goal}"
        if self.paused:
            return "paused"
        return "flat out" if self.speed == FLAT_OUT else f"{self.speed:g} step{'s' * (self.speed != 1)} a second"
