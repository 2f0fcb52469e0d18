"""A moment of a mind: all that it was, in memory, to be looked at and gone back to."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from gridrl.problem import Problem
    from gridrl.recorder import Row
    from gridrl.studio.minds.touches import Touch
    from gridrl_agents.base import Transition

_numbers = count(1)


@dataclass(frozen=True)
class Line:
    """The line of moments that a mind has come along: going back and learning on begins a branch of it."""

    branches: tuple[tuple[int, int], ...] = ((0, 0),)  # (number, the step that it began at) of each

    def branch(self, step: int) -> "Line":
        """Return the line that leaves this one at `step`."""
        return Line((*self.branches, (next(_numbers), step)))

    def passed(self, other: "Line", step: int) -> bool:
        """Say whether this line came by the moment at `step` of another."""
        rest = self.branches[len(other.branches) :]
        return self.branches[: len(other.branches)] == other.branches and all(begin >= step for _, begin in rest)


@dataclass(frozen=True, eq=False)
class Moment:
    """What `Mind.moment` returns. Nothing in it is changed by what is learned later."""

    agent: dict[str, Any]  # states, as `state_dict` gives them
    env: dict[str, Any]
    recorder: dict[str, Any]
    problem: "Problem"
    settings: dict[str, Any]
    step: int
    num_episodes: int
    episode_return: float
    visits: np.ndarray
    last_transition: "Transition | None"
    rows: "tuple[Row, ...]"
    trail: tuple[int, ...]
    touches: "tuple[Touch, ...]"
    failure: str
    seconds: float
    broken: tuple[int, ...]
    line: Line

    @cached_property
    def num_bytes(self) -> int:
        """The memory that its arrays take."""
        return _num_bytes((self.agent, self.env, self.recorder, self.visits))


def _num_bytes(state: Any) -> int:
    if isinstance(state, np.ndarray):
        return state.nbytes
    if isinstance(state, Mapping):
        return sum(map(_num_bytes, state.values()))
    if isinstance(state, Sequence) and not isinstance(state, str):
        return sum(map(_num_bytes, state))
    return 0


def own(agent: str, state: dict[str, Any]) -> dict[str, Any]:
    """Return an agent's state as it is now; one of the user's may give the very arrays that it learns in."""
    return copy.deepcopy(state) if ":" in agent else state
