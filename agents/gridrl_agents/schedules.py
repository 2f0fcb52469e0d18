"""Settings that change with time."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LinearSchedule:
    """A straight line from `begin` to `end` over `decay_steps` steps, and `end` ever after.

    It is driven by the count of all steps so far, never by a share of the run's length: a longer run starts the same.
    """

    begin: float
    end: float
    decay_steps: int

    def __call__(self, step: int) -> float:
        """Return the value at `step`, counted from 0."""
        if step >= self.decay_steps:
            return self.end
        return self.begin + (self.end - self.begin) * (step / self.decay_steps)
