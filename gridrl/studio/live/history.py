"""The moments that are kept while it learns, thinned evenly so that a long learning takes no more room than a short."""

from typing import Any

MOST_MOMENTS = 32
MOST_BYTES = 300 * 2**20
FIRST_PERIOD = 100  # steps between two moments, until they are thinned


class History:
    """Moments by their steps, at least a `period` apart; a full history doubles it, and forgets what lies between."""

    def __init__(self, most: int = MOST_MOMENTS, most_bytes: int = MOST_BYTES, period: int = FIRST_PERIOD) -> None:
        self.period = period
        self._most, self._most_bytes = most, most_bytes
        self._moments: dict[int, Any] = {}  # in the order of their steps
        self._sizes: dict[int, int] = {}

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps of the moments, growing."""
        return tuple(self._moments)

    @property
    def num_bytes(self) -> int:
        """What the moments take up."""
        return sum(self._sizes.values())

    def is_due(self, step: int) -> bool:
        """Whether a moment is to be kept at this step, which is later than all that are kept."""
        return not self._moments or step - next(reversed(self._moments)) >= self.period

    def keep(self, step: int, moment: Any, size: int) -> None:
        """Keep a moment of `size` bytes, later than all others; thin them where they are too many or too large."""
        self._moments[step], self._sizes[step] = moment, size
        while len(self._moments) > 1 and (len(self._moments) > self._most or self.num_bytes > self._most_bytes):
            self.period *= 2
            first, *others = self._moments
            for other in others:
                if other - first >= self.period:
                    first = other
                else:
                    self._drop(other)

    def at(self, step: int) -> Any:
        """Return the moment of one of `steps`."""
        return self._moments[step]

    def forget_after(self, step: int) -> None:
        """Forget the moments later than a step: from there it goes on in another way."""
        for later in [other for other in self._moments if other > step]:
            self._drop(later)

    def _drop(self, step: int) -> None:
        del self._moments[step], self._sizes[step]
