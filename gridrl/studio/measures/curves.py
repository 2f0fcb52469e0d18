"""Curves that grow as a mind learns, beside what is so."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from gridrl.plots.looks import TRUTH, agent_look, variant_look
from gridrl.studio.measures.maps import truth_of
from gridrl.studio.shown import Line, Plot
from gridrl.studio.truth import Truth

if TYPE_CHECKING:
    from gridrl.recorder import Row
    from gridrl.studio.minds.mind import Mind

    Colour = tuple[int, int, int]

MOST_POINTS = 600  # of a line; a plot is not much wider in pixels
PALER = 0.5  # on the way to white


class Curve(NamedTuple):
    """A metric over the steps of learning, the mean over runs."""

    steps: np.ndarray  # [N], growing
    values: np.ndarray  # [N]


def plots(minds: Sequence["Mind"], truth: Truth) -> tuple[Plot, ...]:
    """Return the return, max Q at the start beside its true value, what is left to learn, and epsilon.

    Each mind has its agent's colour in every figure of gridrl (the second another one where both have the same).
    """
    found = list(zip(names(minds), colours(minds), map(curves, minds), strict=True))

    def lines(metric: str, label: str = "{}", *, pale: bool = False) -> list[Line]:
        return [
            Line(label.format(name), *curve[metric], _paler(colour) if pale else colour)
            for name, colour, curve in found
            if metric in curve
        ]

    one = len(minds) == 1
    returns = lines("greedy_return", "greedy" if one else "{}")
    returns += lines("train_return", "learning" if one else "", pale=True)
    tables = [name for name, _, curve in found if "td_error" in curve and "loss" not in curve]
    left = "loss" if not tables else "TD error" if len(tables) == len(minds) else "loss, TD error"
    errors = lines("loss") + [line for line in lines("td_error") if line.label in tables]
    runs = max(mind.agent.num_runs for mind in minds)
    over = f", {runs} seeds" if runs > 1 else ""
    return (
        Plot(f"Return{over}" + ("" if one else " (pale: as it learns)"), tuple(returns)),
        Plot(f"Max Q, start{over}", (*lines("max_q_start"), *_true_lines(minds, truth))),
        Plot(left[0].upper() + left[1:] + over, tuple(errors)),
        Plot("Epsilon", tuple(lines("epsilon"))),
    )


def names(minds: Sequence["Mind"]) -> list[str]:
    """Return a name for each mind: its agent's, and its side where both are of one kind."""
    found = [mind.name for mind in minds]
    if len(set(found)) == len(found):
        return found
    return [f"{name} ({side})" for name, side in zip(found, ("left", "right"), strict=True)]


def colours(minds: Sequence["Mind"]) -> "list[Colour]":
    """Return a colour for each mind, no two the same."""
    found: list[Colour] = []
    for mind in minds:
        number, colour = 0, _rgb(agent_look(mind.name).colour)
        while colour in found:
            colour, number = _rgb(variant_look(number).colour), number + 1
        found.append(colour)
    return found


def curves(mind: "Mind") -> dict[str, Curve]:
    """Return each metric of a mind's rows over the steps, thinned; worked out anew when there are other rows."""
    rows = mind.rows
    version = (len(rows), rows[0], rows[-1]) if rows else None
    known = _CURVES.get(mind)
    if known is None or known[0] != version:
        known = _CURVES[mind] = (version, _curves(rows))
    return known[1]


_CURVES: "WeakKeyDictionary[Mind, tuple[object, dict[str, Curve]]]" = WeakKeyDictionary()


def _curves(rows: "Sequence[Row]") -> dict[str, Curve]:
    by_metric: dict[str, dict[int, list[float]]] = {}
    for _, _, step, metric, value in rows:
        by_metric.setdefault(metric, {}).setdefault(step, []).append(value)
    return {
        metric: thinned(Curve(np.array(list(by_step)), np.array([sum(of) / len(of) for of in by_step.values()])))
        for metric, by_step in by_metric.items()
    }


def thinned(curve: Curve, most: int = MOST_POINTS) -> Curve:
    """Return a curve of `most` points at most: of each stretch the lowest and the highest, so that no peak is lost.

    Its first and its last point stay.
    """
    count = len(curve.steps)
    if count <= most:
        return curve
    edges = np.linspace(1, count - 1, (most - 2) // 2 + 1).astype(int)
    kept = [0, count - 1]
    for begin, end in pairwise(edges):
        values = np.nan_to_num(curve.values[begin:end])
        kept += [begin + int(values.argmin()), begin + int(values.argmax())]
    index = np.unique(kept)
    return Curve(curve.steps[index], curve.values[index])


def _true_lines(minds: Sequence["Mind"], truth: Truth) -> list[Line]:
    """Return what max Q should be at the start, for each discount; where it is not known, the bounds that are."""
    end, lines = max(1, *(mind.step for mind in minds)), []
    by_gamma = {mind.agent.gamma: mind for mind in minds}
    for gamma, mind in by_gamma.items():
        known = truth_of(mind, truth)
        if known is None or known.bounds is None:
            continue
        low, high = known.bounds
        levels = [("V*", low)] if low == high else [("V*, at least", low), ("V*, at most", high)]
        at = f" (gamma {gamma:g})" if len(by_gamma) > 1 else ""
        lines += [
            Line(label + at, np.array([0, end]), np.array([value, value]), _rgb(TRUTH), dashed=True)
            for label, value in levels
        ]
    return lines


def _rgb(colour: str) -> "Colour":
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def _paler(colour: "Colour") -> "Colour":
    red, green, blue = (round(part + PALER * (255 - part)) for part in colour)
    return red, green, blue
