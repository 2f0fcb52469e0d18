"""The table of numbers: how far a mind has come."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from gridrl.maps.beliefs import values_at
from gridrl.studio.measures.curves import curves
from gridrl.studio.measures.maps import MINUS, truth_of
from gridrl.studio.truth import Truth

if TYPE_CHECKING:
    from gridrl.studio.minds.mind import Mind
    from gridrl.truth.known import Known

UNKNOWN = "\N{EN DASH}"
BEING_SOLVED = "\N{HORIZONTAL ELLIPSIS}"


def numbers(minds: Sequence["Mind"], truth: Truth) -> tuple[tuple[str, ...], ...]:
    """Return the rows of a table: what it is, then one text for each mind; a dash where a mind has no such thing.

    Q and V are run 0's, returns the means over all runs of what was measured last.
    """
    columns = [_column(mind, truth) for mind in minds]
    labels = dict.fromkeys(label for column in columns for label in column)
    return tuple((label, *(column.get(label, UNKNOWN) for column in columns)) for label in labels)


def _column(mind: "Mind", truth: Truth) -> dict[str, str]:
    measured = {metric: float(curve.values[-1]) for metric, curve in curves(mind).items()}
    believed = start_value(mind)
    optimum, over = _beside_the_truth(believed, truth_of(mind, truth))
    found = {
        "steps": count(mind.step),
        "updates": count(mind.agent.num_updates),
        "episodes": count(mind.num_episodes),
        "return, learning": amount(measured.get("train_return")),
        "return, greedy": amount(measured.get("greedy_return")),
        "max Q, start": amount(believed),
        "V*, start": optimum,
        f"max Q {MINUS} V*": over,
        "epsilon": f"{mind.agent.epsilon:.2g}",
    }
    if "states" in measured:
        found["states met"] = count(round(measured["states"]))
    dead = dead_units(mind)
    if dead is not None:
        found["dead units"] = f"{dead:.0%}"
    return found


def _beside_the_truth(believed: float, known: "Known | None") -> tuple[str, str]:
    """Return V* at the start and how far max Q is above it, in words; of bounds, above the upper one."""
    if known is None:
        return BEING_SOLVED, BEING_SOLVED
    if known.bounds is None:
        return UNKNOWN, UNKNOWN
    low, high = known.bounds
    over = believed - high if believed > high else min(believed - low, 0.0)
    return amount(low) if low == high else f"{amount(low)}\N{EN DASH}{amount(high)}", signed(over)


def start_value(mind: "Mind") -> float:
    """Return max_a Q at the start as run 0 believes it, the mean over the starts where there are several."""
    world = mind.problem.gridworld
    begun = world.dynamics.reset(len(world.level.starts))._replace(cell=np.array(world.level.starts))
    return float(values_at(mind.agent, world, begun)[0].max(axis=1).mean())


def dead_units(mind: "Mind") -> float | None:
    """Return the share of run 0's rectified units that nothing wakes, as of the latest rows; None where none tells."""
    version = len(mind.rows), mind.agent
    known = _DEAD.get(mind)
    if known is None or known[0] != version:
        share = mind.agent.dead_units()
        known = _DEAD[mind] = (version, None if share is None else float(share[0]))
    return known[1]


# Working it out takes longer than a frame should.
_DEAD: "WeakKeyDictionary[Mind, tuple[object, float | None]]" = WeakKeyDictionary()


def count(number: int) -> str:
    """Return a count as people write it: "12,400"."""
    return f"{number:,}"


def amount(value: float | None) -> str:
    """Return a number with the digits that tell something: "546", "82.6", "-0.31"; a dash for none."""
    if value is None or np.isnan(value):
        return UNKNOWN
    size = abs(value)
    if size >= 1e6 or not np.isfinite(value):
        return f"{value:.3g}".replace("-", MINUS)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2
    text = f"{value:,.{digits}f}"
    return text.replace("-", MINUS if text.strip("-0.,") else "")


def signed(value: float) -> str:
    """Return a difference with its sign: "+12.4"."""
    return f"+{amount(value)}" if value > 0 else amount(value)
