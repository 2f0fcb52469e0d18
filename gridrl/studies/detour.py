"""What a policy does off its path: after steps that it did not choose, and in states that it never met."""

from typing import Any

import numpy as np

from gridrl.evaluation import TUTORIAL_EPSILON
from gridrl.run import Run

DETOUR_STEPS = 30
NUM_DETOURS = 32  # the same for every agent and run
DETOUR_SEED = 0
NUM_EPISODES = 20  # of each run, for the states that it meets
KEY = 2**31 + 2  # apart from the keys of other evaluations


def share_after_detour(run: Run) -> np.ndarray:
    """Return the share of the coins' worth left after a detour that each run's greedy policy then earns, [R].

    A detour is 30 random steps from the start, the same 32 for all runs and agents of a level; those in which the
    episode ends are left out. Poison counts against it, as in any return. The mean over the detours; nan where all end.
    """
    env = run.problem.make_vector(run.agent.num_runs * NUM_DETOURS)
    world: Any = env.unwrapped
    shape = run.agent.num_runs, NUM_DETOURS
    obs, _ = env.reset(seed=0)
    policy = run.agent.policy(0.0, stream_key=KEY)
    actions = np.random.default_rng(DETOUR_SEED).integers(4, size=(DETOUR_STEPS, NUM_DETOURS))
    playing = np.ones(shape, dtype=bool)
    earned, left = np.zeros(shape), np.zeros(shape)
    for step in range(world.level.max_steps):
        action = policy.act(obs.reshape(*shape, *obs.shape[1:]))  # a memory sees the detour, too
        if step < DETOUR_STEPS:
            action = np.broadcast_to(actions[step], shape)
        if step == DETOUR_STEPS:
            on_the_way = playing.copy()
            coins = world.get_states().items[:, : world.dynamics.num_coins].sum(axis=1)
            left = world.level.rewards.coin * coins.reshape(shape)
        obs, reward, terminated, truncated, _ = env.step(action.reshape(-1))
        if step >= DETOUR_STEPS:
            earned += reward.reshape(shape) * playing
        ended = terminated | truncated
        playing &= ~ended.reshape(shape)
        if ended.any():
            policy.reset(ended.reshape(shape))
            obs, _ = env.reset(options={"reset_mask": ended})
    if not on_the_way.any():
        return np.full(shape[0], np.nan)
    return np.array([(earned[r] / left[r])[on_the_way[r]].mean() for r in range(shape[0])])


def unseen_share(run: Run) -> np.ndarray:
    """Return which share of the moments of its own episodes at epsilon .05 a growing table has no row for, [R]."""
    index = run.agent.state_dict()["index"]
    known = [{row.tobytes() for row in index[str(r)]} for r in range(run.agent.num_runs)]
    shape = run.agent.num_runs, NUM_EPISODES
    env = run.problem.make_vector(shape[0] * shape[1])
    obs, _ = env.reset(seed=0)
    policy = run.agent.policy(TUTORIAL_EPSILON, stream_key=KEY)
    playing = np.ones(shape, dtype=bool)
    moments, unseen = np.zeros(shape[0]), np.zeros(shape[0])
    while playing.any():
        shown = obs.reshape(*shape, *obs.shape[1:])
        for r, episode in np.argwhere(playing):
            moments[r] += 1
            unseen[r] += shown[r, episode].tobytes() not in known[r]
        obs, _, terminated, truncated, _ = env.step(policy.act(shown).reshape(-1))
        ended = terminated | truncated
        playing &= ~ended.reshape(shape)
        if ended.any():
            obs, _ = env.reset(options={"reset_mask": ended})
    return unseen / moments
