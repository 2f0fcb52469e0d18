"""What is so of an agent's own policy: the return of acting greedily from any state, found by playing it out.

A level without slip is deterministic, so that one course of the greedy policy is Q^pi(s, a) itself. It is exact where
it ends, or comes back to a state that it was in: what a circle earns for ever is a geometric series. Noise of rewards
has mean zero and moves nobody, so it is left out. What is left to chance, a slip or a tie, is played several times.

Values are discounted by the agent's gamma and know no step limit, as those that agents learn.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridrl.errors import UserError
from gridrl.evaluation import finish
from gridrl.truth.courses import Courses, Ends, pick
from gridrl_agents.base import Agent
from gridrl_agents.streams import EVALUATION, Streams

if TYPE_CHECKING:
    from gridrl_envs.dynamics import States
    from gridrl_envs.vector import GridworldVectorEnv

CHUNK = 2048  # courses of each run that are played side by side
ROLLOUTS = 2  # tells these random streams apart from the others of an evaluation
FINE_TAIL, COARSE_TAIL = 1e-6, 1e-3  # shares of the greatest return that may lie beyond the horizon
MAX_HORIZON = 5_000


class Returns(NamedTuple):
    """Returns of run r's greedy policy, each [R, M]."""

    value: np.ndarray  # discounted, from the state and its first action on, for ever
    std_error: np.ndarray  # 0 where nothing was left to chance; nan where the value is infinite
    tail_bound: np.ndarray  # what lies beyond the horizon is at most this in size; 0 where nothing does
    loop_length: np.ndarray  # int, steps of the circle that was walked in the end, of several the longest; 0: none
    num_rollouts: np.ndarray  # int, 1 where nothing was left to chance

    @property
    def exact(self) -> np.ndarray:
        """Where the value is the return itself, but for rounding: bool [R, M]."""
        return (self.num_rollouts == 1) & (self.tail_bound == 0)


def rollout_returns(
    agent: Agent,
    world: "GridworldVectorEnv",
    states: "States",
    first_action: np.ndarray | None = None,
    *,
    horizon: int | None = None,
    num_rollouts: int = 32,
    key: int = 0,
) -> Returns:
    """Return what `first_action` and then each run's greedy policy earn from `states` on.

    `states` are [R * M], run 0's M first; `first_action` is int [R, M], None: the policy's own. A state that is over is
    worth 0. `horizon` is the greatest number of steps that are played; by default see `default_horizon`. A circle that
    earns anything is worth infinity at gamma 1. Where the patrollers do not come round within an episode nobody knows
    what they do after it, and the step limit is the horizon.

    Where chance has a part, the value is the mean over `num_rollouts` and `std_error` its standard error; a run's draws
    depend on its seed and `key`. A policy with a memory begins with an empty one, whatever the state, and no circle is
    told of it. Raises `UserError` for fewer than 2 rollouts.
    """
    return finish(_rollouts(agent, world, states, first_action, horizon, num_rollouts, key))


def _rollouts(
    agent: Agent,
    world: "GridworldVectorEnv",
    states: "States",
    first_action: np.ndarray | None,
    horizon: int | None,
    num_rollouts: int,
    key: int,
) -> Generator[None, None, Returns]:
    """Do what `rollout_returns` does; pause after each step."""
    runs, count = agent.num_runs, states.cell.size // agent.num_runs
    if num_rollouts < 2:
        raise UserError(f"a standard error takes 2 rollouts or more, not {num_rollouts}; play more.")
    slips = world.level.slip > 0
    remembers = agent.policy(0.0).remembers
    kinds = (float, float, float, np.int64, np.int64)
    found = Returns(*(np.zeros((runs, count), dtype=kind) for kind in kinds))

    def play(place: np.ndarray, wanted: np.ndarray, streams: Streams | None) -> Generator[None, None, Ends]:
        index = (place + count * np.arange(runs)[:, None]).ravel()
        first = None if first_action is None else np.take_along_axis(first_action, place, axis=1)
        steps = default_horizon(world, agent.gamma, remembers or bool(streams)) if horizon is None else horizon
        return (yield from Courses(agent, world, pick(states, index), first, wanted, streams).play(steps))

    by_chance = np.full((runs, count), slips)
    for begin in range(0, 0 if slips else count, CHUNK):
        part = slice(begin, begin + CHUNK)
        place = np.tile(np.arange(count)[part], (runs, 1))
        ends = yield from play(place, np.ones_like(place, dtype=bool), None)
        found.value[:, part], found.tail_bound[:, part] = ends.value, ends.tail_bound
        found.loop_length[:, part], found.num_rollouts[:, part] = ends.loop_length, 1
        by_chance[:, part] = ends.by_chance

    order = np.argsort(~by_chance, axis=1, kind="stable")  # those that are left to chance come first
    at_once = max(CHUNK // num_rollouts, 1)
    for number, begin in enumerate(range(0, int(by_chance.sum(axis=1).max(initial=0)), at_once)):
        # Always as many, so that a run's draws do not depend on how many states there are, or in what company it is.
        columns = np.arange(begin, begin + at_once)
        place = order[:, np.minimum(columns, count - 1)]
        wanted = np.take_along_axis(by_chance, place, axis=1) & (columns < count)
        streams = Streams(agent.seeds, EVALUATION, key, ROLLOUTS, number)
        ends = yield from play(place.repeat(num_rollouts, axis=1), wanted.repeat(num_rollouts, axis=1), streams)
        run, column = np.nonzero(wanted)
        at = run, place[run, column]
        value, tail_bound, loop_length = (
            array.reshape(runs, -1, num_rollouts)[run, column]
            for array in (ends.value, ends.tail_bound, ends.loop_length)
        )
        found.value[at], found.tail_bound[at] = value.mean(axis=1), tail_bound.mean(axis=1)
        with np.errstate(invalid="ignore"):  # of infinite returns
            found.std_error[at] = value.std(axis=1, ddof=1) / num_rollouts**0.5
        found.loop_length[at], found.num_rollouts[at] = loop_length.max(axis=1), num_rollouts
    return found


def action_returns(agent: Agent, world: "GridworldVectorEnv", states: "States", **options: Any) -> Returns:
    """Return Q^pi(s, a) of each run's greedy policy for every action in `states` [N]; each array is [R, N, A].

    `options` are those of `rollout_returns`.
    """
    return finish(action_rollouts(agent, world, states, **options))


def action_rollouts(
    agent: Agent,
    world: "GridworldVectorEnv",
    states: "States",
    *,
    horizon: int | None = None,
    num_rollouts: int = 32,
    key: int = 0,
) -> Generator[None, None, Returns]:
    """Do what `action_returns` does, a step at a time: for those who have other things to do in between."""
    from gridrl_envs.dynamics import NUM_ACTIONS

    runs, count = agent.num_runs, states.cell.size
    repeated = pick(states, np.tile(np.arange(count).repeat(NUM_ACTIONS), runs))
    first_action = np.tile(np.arange(NUM_ACTIONS), (runs, count))
    found = yield from _rollouts(agent, world, repeated, first_action, horizon, num_rollouts, key)
    return Returns(*(array.reshape(runs, count, NUM_ACTIONS) for array in found))


def default_horizon(world: "GridworldVectorEnv", gamma: float, coarse: bool) -> int:
    """Return the steps that leave a millionth of the greatest return at most; `coarse`: a thousandth.

    Coarse are courses that are averaged, whose noise is greater than that, and those of a memory, which close no
    circle. At gamma 1 it is the level's step limit, and never more than `MAX_HORIZON`.
    """
    level = world.level
    if gamma == 1:
        return level.max_steps
    steps = int(np.ceil(np.log(COARSE_TAIL if coarse else FINE_TAIL) / np.log(gamma))) if gamma > 0 else 1
    # One that has collected what it will in an episode's time closes its circle with the patrollers' round.
    return min(steps if coarse else max(steps, level.max_steps + world.dynamics.num_phases), MAX_HORIZON)
