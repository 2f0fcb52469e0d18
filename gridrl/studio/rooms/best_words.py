"""The best return that is possible in an episode, in words."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gridrl.truth.known import Known
    from gridrl_envs.dynamics import State
    from gridrl_envs.level import Level

GAMMA = 1.0  # returns are shown undiscounted


def best_possible(level: "Level", start: "State", known: "Known") -> str:
    """Return what the best player earns from `start`, undiscounted: "700", "at most 700", "612 on average".

    `known` is what is known of `level` at gamma 1; with slip, the step limit is left aside.
    """
    from gridrl.truth.solution import return_bounds

    if known.solution is None:
        if known.bounds is None:
            return f"at most {_number(return_bounds(level, GAMMA)[1])}"
        low, high = known.bounds
        return _number(low) if low == high else f"{_number(low)} to {_number(high)}"
    return _solved(start, known)


def _solved(start: "State", known: "Known") -> str:
    from gridrl.truth.optimal_play import play
    from gridrl_envs.dynamics import States

    assert known.solution is not None
    solution, states = known.solution, States.of([start])
    value = float(solution.values[solution.state_index.encode(states)][0])
    if solution.level.slip > 0:
        return f"{_number(value)} on average"
    # Values know no step limit, so the best plan is played out within it.
    in_time = float(play(solution, states).returns(GAMMA)[0])
    if np.isclose(in_time, value):
        return _number(value)
    return f"about {_number(value)}" if solution.level.rewards.step < 0 else f"at most {_number(value)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value - round(value)) < 1e-6 else f"{value:,.2f}"
