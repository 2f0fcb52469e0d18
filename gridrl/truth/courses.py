"""Greedy play from many states at once, in the rules over arrays, until its return is known."""

from collections.abc import Generator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridrl.truth.loops import LoopFinder, can_loop
from gridrl.truth.solution import return_bounds
from gridrl_agents.base import Agent
from gridrl_agents.exploration import DRAWS
from gridrl_agents.streams import Streams

if TYPE_CHECKING:
    from gridrl_envs.dynamics import States
    from gridrl_envs.level import Level
    from gridrl_envs.vector import GridworldVectorEnv

FEWEST = 2  # observations of each run: torch multiplies a single row in another way, and rounds it in another
WORTH_DROPPING = 0.75  # dropping copies what is kept


class Ends(NamedTuple):
    """What came of courses, each [R, N]; 0 where they were not wanted."""

    value: np.ndarray  # discounted return
    tail_bound: np.ndarray  # what lies beyond the end is at most this in size
    loop_length: np.ndarray  # int, steps of the circle that was walked at the end; 0: none
    by_chance: np.ndarray  # bool, ended where an action was left to chance, and nothing decided it


class Courses:
    """N courses of each run's greedy policy; those whose return is known are dropped on the way."""

    def __init__(
        self,
        agent: Agent,
        world: "GridworldVectorEnv",
        states: "States",
        first_action: np.ndarray | None,
        wanted: np.ndarray,
        streams: Streams | None = None,
    ) -> None:
        """`states` are [R * N], run 0's first; `first_action` is int [R, N] or None, `wanted` bool [R, N].

        `streams` decide slips and ties; without them nothing slips, and a tie ends a course.
        """
        self._agent, self._world, self._dynamics = agent, world, world.dynamics
        self._policy = agent.policy(0.0)
        self._streams = streams
        self._states, self._first_action = states, first_action
        self._bound = _greatest_return(world.level, agent.gamma)
        self._ends = Ends(*(np.zeros(wanted.shape, dtype=kind) for kind in (float, float, np.int64, bool)))
        self._place = np.tile(np.arange(wanted.shape[1]), (len(wanted), 1))  # [R, n] of those that are still played
        # Where an episode is over nothing is earned any more.
        self._playing = wanted & ~self._dynamics.is_over(states).reshape(wanted.shape)
        self._value = np.zeros(wanted.shape)
        self._earlier = [self._value.ravel()]  # by step
        loops = can_loop(self._dynamics) and not self._policy.remembers
        self._finder = LoopFinder(self._dynamics, states) if loops else None

    def play(self, horizon: int) -> Generator[None, None, Ends]:
        """Play at most `horizon` steps, and return what came of it; pause after each."""
        weight = 1.0
        for step in range(horizon):
            if not self._dynamics.repeats:
                past = self._states.step.reshape(self._playing.shape) >= self._world.level.max_steps
                self._finish(past, weight * self._bound)
            self._drop_ended()
            if not self._playing.any():
                return self._ends
            uniform = self._draw()
            action, by_chance = self._act(step, uniform[..., :DRAWS] if uniform is not None else None)
            if uniform is None:
                self._stop_at_chance(by_chance)
            slip = uniform[..., DRAWS].ravel() if uniform is not None else None
            self._states, reward, terminated, _ = self._dynamics.step(self._states, action.ravel(), slip)
            self._value = self._value + weight * reward.reshape(action.shape)
            weight *= self._agent.gamma
            self._finish(terminated.reshape(action.shape), 0.0)
            if self._finder is not None:
                by_policy = step > 0 or self._first_action is None
                self._close_loops(self._finder, ~by_chance if by_policy else np.zeros_like(by_chance))
            yield
        self._finish(self._playing, weight * self._bound)
        return self._ends

    def _draw(self) -> np.ndarray | None:
        """Return this step's uniform numbers, [R, n, DRAWS + 1]; a course's do not depend on who has ended."""
        if self._streams is None:
            return None
        num_courses = self._ends.value.shape[1]
        drawn = self._streams.uniform(num_courses * (DRAWS + 1)).reshape(-1, num_courses, DRAWS + 1)
        return np.take_along_axis(drawn, self._place[..., None], axis=1)

    def _act(self, step: int, uniform: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the actions, int [R, n], and which of them were left to chance, bool [R, n]."""
        given = self._first_action if step == 0 else None
        if given is None or self._policy.remembers:  # a memory must see the first observation, too
            obs = self._world.observe(self._states)
            action = self._policy.act(obs.reshape(*self._playing.shape, *obs.shape[1:]), uniform)
        if given is not None:
            return np.take_along_axis(given, self._place, axis=1), np.zeros_like(self._playing)
        return action, np.broadcast_to(self._policy.by_chance, action.shape)

    def _stop_at_chance(self, by_chance: np.ndarray) -> None:
        run, column = np.nonzero(by_chance & self._playing)
        self._ends.by_chance[run, self._place[run, column]] = True
        self._playing[run, column] = False

    def _finish(self, ended: np.ndarray, tail_bound: float) -> None:
        """Note what was earned by those that have `ended`, bool [R, n]."""
        run, column = np.nonzero(ended & self._playing)
        place = self._place[run, column]
        self._ends.value[run, place] = self._value[run, column]
        self._ends.tail_bound[run, place] = tail_bound
        self._playing[run, column] = False

    def _close_loops(self, finder: LoopFinder, certain: np.ndarray) -> None:
        """Add to those that are going round in circles what they will earn for ever."""
        begin = finder.step(self._states, certain.ravel()).reshape(certain.shape)
        self._earlier.append(self._value.ravel())
        met = (begin >= 0) & self._playing
        if not met.any():
            return
        length = len(self._earlier) - 1 - begin[met]
        before = [self._earlier[step][course] for step, course in zip(begin[met], np.flatnonzero(met), strict=True)]
        earned = self._value[met] - before
        self._value = self._value.copy()  # the old one is kept
        self._value[met] += _for_ever(earned, length, self._agent.gamma)
        run, column = np.nonzero(met)
        self._ends.loop_length[run, self._place[run, column]] = length
        self._finish(met, 0.0)

    def _drop_ended(self) -> None:
        """Go on with those that are still played, and a few others where the runs have not the same number of them."""
        runs, count = self._playing.shape
        most = max(int(self._playing.sum(axis=1).max()), FEWEST)
        if self._policy.remembers or most > WORTH_DROPPING * count:
            return
        kept = np.argsort(~self._playing, axis=1, kind="stable")[:, :most]
        index = (kept + count * np.arange(runs)[:, None]).ravel()
        self._states = pick(self._states, index)
        self._place, self._value, self._playing = (
            array.ravel()[index].reshape(kept.shape) for array in (self._place, self._value, self._playing)
        )
        if self._finder is not None:
            self._finder.keep(index)
            self._earlier = [value[index] for value in self._earlier]


def pick(states: "States", index: np.ndarray) -> "States":
    """Return the states number `index`, in that order."""
    return states._replace(cell=states.cell[index], step=states.step[index], items=states.items[index])


def _for_ever(earned: np.ndarray, length: np.ndarray, gamma: float) -> np.ndarray:
    """Return what rounds of `length` steps will earn, as a geometric series, when the first was worth `earned`."""
    if gamma == 1:
        return np.where(earned == 0, 0.0, np.copysign(np.inf, earned))
    shrinks = gamma**length
    return earned * shrinks / (1 - shrinks)


def _greatest_return(level: "Level", gamma: float) -> float:
    """Return the greatest size of any return, in a life without a step limit."""
    if gamma == 1 and level.rewards.step != 0:
        return np.inf
    return max(map(abs, return_bounds(level, gamma)))
