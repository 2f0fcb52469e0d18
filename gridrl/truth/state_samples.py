"""Which states a measure is taken over, by name: starts, what is visited, the best path, a fixed sample."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from gridrl.evaluation import TUTORIAL_EPSILON
from gridrl.play import first_episodes
from gridrl_agents.streams import EVALUATION, seed_sequence

if TYPE_CHECKING:
    from gridrl.problem import Problem
    from gridrl_agents.base import Agent
    from gridrl_envs.dynamics import Dynamics, States

MOST = 100  # states of a set that is drawn
NUM_EPISODES = 5  # of each run, for the states that it visits
NUM_WALKS = 64  # random episodes that the fixed sample is drawn from
WALK_STEPS = 200  # of a random episode, at most
WALK_SEED = 0  # one and the same for every agent and run

STATE_SETS = {
    "start": "the states that an episode begins in",
    "visited": f"the states met in {NUM_EPISODES} episodes of the run's own policy at epsilon {TUTORIAL_EPSILON:g}, "
    f"each once, at most {MOST} of them: another sample for each run and step",
    "optimal-path": "the states of the best path that is known, from the start to its end",
    "random": f"the states met in {NUM_WALKS} episodes of random actions, each once, at most {MOST} of them: the same "
    "sample for all runs",
}


def start_states(dynamics: "Dynamics") -> "States":
    """Return the states that an episode begins in, one for each start of the level."""
    starts = np.array(dynamics.level.starts, np.intp)
    return dynamics.reset(starts.size)._replace(cell=starts)


def random_states(dynamics: "Dynamics") -> "States":
    """Return a sample of the states that random actions lead to, the same whenever it is asked for."""
    rng = np.random.default_rng(WALK_SEED)
    states = dynamics.reset(NUM_WALKS, rng.random(NUM_WALKS))
    met = [states]
    for _ in range(min(WALK_STEPS, dynamics.level.max_steps) - 1):
        action = rng.integers(4, size=states.cell.size)
        states, _, terminated, _ = dynamics.step(states, action, rng.random(states.cell.size))
        states = take(states, ~terminated)
        met.append(states)
    return distinct(dynamics, joined(met), rng)


def visited_states(agent: "Agent", problem: "Problem", key: int) -> "list[States]":
    """Return the states that each run's own policy visits, a sample for each of the R runs; `key` fixes the draws.

    A run's sample depends on its own seed and on `key` alone. States count once, however often they were met: else a
    policy that goes round in circles would be measured in the circle and hardly anywhere else.
    """
    shape = (agent.num_runs, NUM_EPISODES)
    env = problem.make_vector(agent.num_runs * NUM_EPISODES)
    world: Any = env.unwrapped
    policy = agent.policy(TUTORIAL_EPSILON, stream_key=key)
    seeds = [seed_sequence(seed, EVALUATION, key, 1).generate_state(NUM_EPISODES).tolist() for seed in agent.seeds]
    obs, _ = env.reset(seed=list(chain.from_iterable(seeds)))
    met, counts = [world.get_states()], [np.ones(shape, dtype=bool)]
    for moment in first_episodes(policy, env, obs, shape):
        met.append(world.get_states())
        counts.append(moment.playing.copy())
    everywhere, is_counted = joined(met), np.array(counts)  # [T, R, episodes]
    samples = []
    for run, seed in enumerate(agent.seeds):
        mine = is_counted & (np.arange(agent.num_runs) == run)[:, None]
        rng = np.random.default_rng(seed_sequence(seed, EVALUATION, key, 2))
        samples.append(distinct(world.dynamics, take(everywhere, mine.ravel()), rng))
    return samples


def take(states: "States", which: np.ndarray) -> "States":
    """Return those of `states` that an index or a mask picks."""
    return type(states)(*(array[which] for array in states))


def joined(parts: "Iterable[States]") -> "States":
    """Return several groups of states, one or more, as one."""
    parts = list(parts)
    return type(parts[0])(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def side_by_side(sets: "Sequence[Sequence[States]]") -> "tuple[States, np.ndarray]":
    """Return several sets of states, each with a group for each of the R runs, as one batch.

    The batch is states [R * M], run-major, and the number of the set that each belongs to, int [R, M]; where a run has
    fewer states than another its last one fills the gap, numbered -1.
    """
    counts = np.array([[states.cell.size for states in groups] for groups in sets])  # [sets, R]
    most = counts.sum(axis=0).max()
    batch, numbers = [], np.full((counts.shape[1], most), -1)
    for run, groups in enumerate(zip(*sets, strict=True)):
        mine = joined(groups)
        size = mine.cell.size
        numbers[run, :size] = np.repeat(np.arange(len(sets)), counts[:, run])
        batch.append(take(mine, np.minimum(np.arange(most), size - 1)))
    return joined(batch), numbers


def distinct(dynamics: "Dynamics", states: "States", rng: np.random.Generator, most: int = MOST) -> "States":
    """Return each state once, at most `most` of them, drawn evenly; steps of one phase of the patrollers are one."""
    phase = states.step % dynamics.num_phases
    rows = np.column_stack([states.cell, phase, states.items])
    _, first = np.unique(rows, axis=0, return_index=True)
    if first.size > most:
        first = rng.choice(first, most, replace=False)
    return take(states, np.sort(first))
