"""The maps of a mind: numbers for each cell, in the situation of the episode that is shown."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridrl.maps.beliefs import greedy_of, lay_out, q_grid, spread
from gridrl.maps.situations import Situation, on_every_cell
from gridrl.maps.td_errors import td_errors
from gridrl.studio.measures.places import player_cells
from gridrl.studio.measures.scales import calm_scale
from gridrl.studio.shown import CellMap, Scale
from gridrl.studio.truth import Truth

if TYPE_CHECKING:
    from gridrl.studio.minds.mind import Mind
    from gridrl.truth.known import Known

MINUS = "\N{MINUS SIGN}"
MOST_ERRORS = 0.98  # of the cells have errors on the scale; the few others have its last colour
MOST_COUNTS = 0.9  # the start, and what is learned there, dwarfs the rest
Found = tuple[CellMap | None, str]


class Kind(NamedTuple):
    """A kind of map, and the control that chooses it."""

    name: str
    label: str
    key: str
    hint: str


KINDS = (
    Kind(
        "value", "V", "v", "Value: what is expected from each cell on, the maximum of Q; arrows are the best actions."
    ),
    Kind("q", "Q", "q", "Q of each action, as four triangles."),
    Kind("difference", f"Q {MINUS} V*", "d", "How far the value is from the truth: blue is too high, orange too low."),
    Kind("td-error", "TD error", "t", "How far each value is from what the next step says, on average."),
    Kind("visits", "Visits", "n", "How often the player was on each cell, in all of its learning."),
    Kind("priority", "Priority", "p", "How likely what is remembered of each cell is to be learned from next."),
    Kind("uncertainty", "Seeds", "u", "How far the seeds disagree: the standard deviation of the value over them."),
)


def cell_map(mind: "Mind", kind: str, situation: Situation, truth: Truth, before: Scale | None = None) -> Found:
    """Return the map called `kind` of run 0, or None and one sentence that says why there is none.

    `before` is the scale of the frame before, if that showed the same kind of the same mind: it keeps still as long as
    it can.
    """
    return _MAPS[kind](mind, situation, truth, before)


def difference(left: CellMap, right: CellMap, before: Scale | None = None) -> CellMap:
    """Return how far the left mind's map is above the right one's; of values, the left one's arrows stay."""
    values = left.values - right.values
    scale = calm_scale(values, before, signed=True, share=MOST_ERRORS)
    return CellMap(f"left {MINUS} right: blue is higher on the left", values, left.greedy, scale)


def truth_of(mind: "Mind", truth: Truth) -> "Known | None":
    """Return what is known of a mind's level; None as long as that is being worked out."""
    truth.ask(mind.level, mind.agent.gamma)
    return truth.known(mind.level, mind.agent.gamma)


def why_unsolved(known: "Known", mind: "Mind") -> str:
    """Return why a level has no solution as a sentence, without the advice: that is for the command line."""
    reason = known.why_unsolved.removeprefix(f"level '{mind.level.name}': ").split(";")[0]
    return f"No V* is known here: {reason}."


def _value(mind: "Mind", situation: Situation, truth: Truth, before: Scale | None) -> Found:
    q_values = _q_values(mind, situation)
    values = q_values.max(axis=1)
    return CellMap("V: what is expected from here on", values, greedy_of(q_values), calm_scale(values, before)), ""


def _action_values(mind: "Mind", situation: Situation, truth: Truth, before: Scale | None) -> Found:
    q_values = _q_values(mind, situation)
    name = "Q: what is expected after each action"
    return CellMap(name, q_values, greedy_of(q_values), calm_scale(q_values, before)), ""


def _difference(mind: "Mind", situation: Situation, truth: Truth, before: Scale | None) -> Found:
    known = truth_of(mind, truth)
    if known is None:
        return None, "The level is being solved."
    if known.solution is None:
        # The reason comes last: it may be long.
        advice = "Not solved. Point at a cell: beside its Q stands what its own policy earns."
        return None, f"{advice} {why_unsolved(known, mind)}"
    world = mind.problem.gridworld
    best = known.solution.q_at(on_every_cell(world, situation)).max(axis=1)
    q_values = _q_values(mind, situation)
    errors = q_values.max(axis=1) - lay_out(world, situation, best[None])[0]
    name = f"V {MINUS} V*: blue expects too much, orange too little"
    return _signed(name, errors, q_values, before), ""


def _td_error(mind: "Mind", situation: Situation, truth: Truth, before: Scale | None) -> Found:
    errors = td_errors(mind.agent, mind.problem.gridworld, situation)[0]
    name = f"TD error: r + \N{GREEK SMALL LETTER GAMMA} V(next) {MINUS} Q of the best action"
    return _signed(name, errors, _q_values(mind, situation), before), ""


def _visits(mind: "Mind", situation: Situation, truth: Truth, before: Scale | None) -> Found:
    visits = mind.visits[0].astype(float)
    visits[visits == 0] = np.nan  # never there: nothing is drawn
    scale = calm_scale(visits, before, from_zero=True, share=MOST_COUNTS)
    return CellMap("visits: steps begun here, in all of its learning", visits, None, scale), ""


def _priority(mind: "Mind", situation: Situation, truth: Truth, before: Scale | None) -> Found:
    memory = mind.agent.memory(0)
    if memory is None:
        if mind.settings.get("replay", "uniform") != "uniform":
            return None, "Nothing is remembered yet; let it take some steps."
        return None, "This agent has no priorities; per-dqn and rainbow have."
    cells = player_cells(mind.problem, memory.obs)
    if cells is None:
        return None, f"The observation '{mind.problem.observation}' does not tell on which cell the player stands."
    num_cells = mind.level.rows * mind.level.columns
    count = np.bincount(cells, minlength=num_cells).astype(float)
    count[count == 0] = np.nan
    # 1: it is as likely as if all were alike.
    relative = np.bincount(cells, weights=memory.priority, minlength=num_cells) / count * len(cells)
    scale = calm_scale(relative, before, from_zero=True, share=MOST_COUNTS)
    return CellMap("priority of what is remembered here: 1 is the average", relative, None, scale), ""


def _uncertainty(mind: "Mind", situation: Situation, truth: Truth, before: Scale | None) -> Found:
    if mind.agent.num_runs < 2:
        return None, "How far seeds differ takes two of them; begin with --seeds 2 or more."
    values = spread(mind.agent, mind.problem.gridworld, situation)
    scale = calm_scale(values, before, from_zero=True)
    return CellMap(f"standard deviation of V over {mind.agent.num_runs} seeds", values, None, scale), ""


def _q_values(mind: "Mind", situation: Situation) -> np.ndarray:
    """Return Q of run 0 with the player put on each cell, [cells, 4]; NaN where nobody plays."""
    grid: np.ndarray = q_grid(mind.agent, mind.problem.gridworld, situation)[0]
    return grid


def _signed(name: str, errors: np.ndarray, q_values: np.ndarray, before: Scale | None) -> CellMap:
    return CellMap(name, errors, greedy_of(q_values), calm_scale(errors, before, signed=True, share=MOST_ERRORS))


_MAPS: dict[str, Callable[["Mind", Situation, Truth, Scale | None], Found]] = {
    "value": _value,
    "q": _action_values,
    "difference": _difference,
    "td-error": _td_error,
    "visits": _visits,
    "priority": _priority,
    "uncertainty": _uncertainty,
}
