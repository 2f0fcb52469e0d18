"""What is known of the best that can be done on a level: its solution, or what plans and bounds say."""

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridrl.truth.solution import Solution, best_known_path, optimal_path, optimum, solve
from gridrl.truth.state_samples import distinct
from gridrl_agents.errors import SettingsError

if TYPE_CHECKING:
    from gridrl_envs.dynamics import States
    from gridrl_envs.level import Level

PATH_SEED = 0  # for the slips of an optimal path


class Known(NamedTuple):
    """What is known of the best that can be done on a level."""

    solution: Solution | None  # None where the level cannot be solved
    why_unsolved: str
    bounds: tuple[float, float] | None  # of the start's value; None where nothing is known
    path: "States | None"  # of the best known policy, ends left out
    path_is_optimal: bool


@lru_cache(maxsize=4)
def known(level: "Level", gamma: float) -> Known:
    """Return what is known of the best that can be done; worked out once, however many runs ask."""
    from gridrl_envs.dynamics import Dynamics
    from gridrl_envs.level import LevelError

    dynamics, rng = Dynamics(level), np.random.default_rng(PATH_SEED)
    try:
        solution = solve(level, gamma)
    except SettingsError as error:  # values that do not settle at gamma 1
        return Known(None, str(error), None, None, False)
    except LevelError as error:
        path, is_optimal = best_known_path(level, gamma) or (None, False)
        return Known(None, str(error), optimum(level, gamma), path, is_optimal)
    value, path = solution.start_value(), optimal_path(solution, rng)
    return Known(solution, "", (value, value), distinct(dynamics, path, rng, most=path.cell.size), True)
