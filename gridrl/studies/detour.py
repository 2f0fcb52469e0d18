"""What a policy does off its path: after steps that it did not choose, and in states that it never met."""

from typing import Any

import numpy as np

from gridrl.evaluation import TUTORIAL_EPSILON
from gridrl.play import first_episodes
from gridrl.run import Run
from gridrl_agents.base import Agent

DETOUR_STEPS = 30
NUM_DETOURS = 32  # the same for every agent and run
DETOUR_SEED = 0
NUM_EPISODES = 20  # of each run, for the states that it meets
KEY = 2**31 + 2  # apart from the keys of other evaluations


class _DetourFirst:
    """A greedy policy that takes the detours' steps first; a memory sees them, too."""

    def __init__(self, agent: Agent) -> None:
        self._policy = agent.policy(0.0, stream_key=KEY)
        self._steps = np.random.default_rng(DETOUR_SEED).integers(4, size=(DETOUR_STEPS, NUM_DETOURS))
        self._num_steps = 0
        self.reset = self._policy.reset

    def act(self, obs: np.ndarray) -> np.ndarray:
        """Return an action for each observation, int64 [R, N]; `obs` is [R, N, ...]."""
        action, step = self._policy.act(obs), self._num_steps
        self._num_steps += 1
        return np.broadcast_to(self._steps[step], action.shape) if step < DETOUR_STEPS else action


def share_after_detour(run: Run) -> np.ndarray:
    """Return the share of the coins' worth left after a detour that each run's greedy policy then earns, [R].

    A detour is 30 random steps from the start, the same 32 for all runs and agents of a level; those in which the
    episode ends are left out. Poison counts against it, as in any return. The mean over the detours; nan where all end.
    """
    env = run.problem.make_vector(run.agent.num_runs * NUM_DETOURS)
    world: Any = env.unwrapped
    shape = run.agent.num_runs, NUM_DETOURS
    obs, _ = env.reset(seed=0)
    earned, left, on_the_way = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=bool)
    for step, moment in enumerate(first_episodes(_DetourFirst(run.agent), env, obs, shape)):
        if step >= DETOUR_STEPS:
            earned += moment.reward
        if step == DETOUR_STEPS - 1:
            on_the_way = moment.playing.copy()
            coins = world.get_states().items[:, : world.dynamics.num_coins].sum(axis=1)
            left = world.level.rewards.coin * coins.reshape(shape)
    if not on_the_way.any():
        return np.full(shape[0], np.nan)
    return np.array([(earned[r, on] / left[r, on]).mean() for r, on in enumerate(on_the_way)])


def unseen_share(run: Run) -> np.ndarray:
    """Return which share of the moments of its own episodes at epsilon .05 a growing table has no row for, [R]."""
    index = run.agent.state_dict()["index"]
    known = [{row.tobytes() for row in index[str(r)]} for r in range(run.agent.num_runs)]
    shape = run.agent.num_runs, NUM_EPISODES
    env = run.problem.make_vector(shape[0] * shape[1])
    obs, _ = env.reset(seed=0)
    policy = run.agent.policy(TUTORIAL_EPSILON, stream_key=KEY)
    moments, unseen = np.zeros(shape[0]), np.zeros(shape[0])
    for moment in first_episodes(policy, env, obs, shape):
        for r, episode in np.argwhere(moment.played):
            moments[r] += 1
            unseen[r] += moment.obs[r, episode].tobytes() not in known[r]
    return unseen / moments
