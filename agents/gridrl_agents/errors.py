"""What is wrong with an agent's settings or spaces, and the checks that say so in one sentence."""

import math
import numbers
from collections.abc import Iterable
from difflib import get_close_matches


class SettingsError(ValueError):
    """Anything wrong with an agent's name, settings, spaces or saved state, in one sentence that says what to do."""


def check_number(
    name: str, value: object, low: float, high: float, *, above: bool = False, infinite: bool = False
) -> None:
    """Raise `SettingsError` unless `value` is a number from `low` to `high` (greater than `low` where `above`)."""
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (low < value if above else low <= value)
        and value <= high
        and (infinite or math.isfinite(value))
    ):
        return
    if low == -math.inf:
        expected = "that is finite"
    elif high == math.inf:
        expected = f"above {low:g}" if above else f"of at least {low:g}"
        expected += ", or inf" if infinite else ""
    else:
        expected = f"above {low:g} and at most {high:g}" if above else f"from {low:g} to {high:g}"
    raise SettingsError(f"{name} must be a number {expected}, not {value!r}; correct it.")


def check_whole(name: str, value: object, low: int) -> None:
    """Raise `SettingsError` unless `value` is a whole number of at least `low`."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < low:
        raise SettingsError(f"{name} must be a whole number of at least {low}, not {value!r}; correct it.")


def check_known(kind: str, name: object, known: Iterable[str]) -> None:
    """Raise `SettingsError` unless `name` is one of `known`; names the nearest, or all where none is near."""
    known = list(known)
    if name in known:
        return
    near = get_close_matches(str(name), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known)}."
    raise SettingsError(f"unknown {kind} {name!r}; {hint}")
