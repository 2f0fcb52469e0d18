"""Environments alone: steps a second with random actions, resets included."""

from typing import Any

from benchmarks.contest import Comparison, Contender, Contest, Work

PIECE = 1000  # steps
MANY, MANY_PIECE = 1024, 10  # environments; steps of all


def single(env_id: str, **settings: Any) -> Work:
    """Return work of one environment from `gymnasium.make`."""
    import gymnasium
    import numpy as np

    if env_id.startswith("MiniGrid"):
        import minigrid  # noqa: F401  (registers its ids)
    env = gymnasium.make(env_id, **settings)
    env.reset(seed=0)
    num_actions: int = env.action_space.n  # type: ignore[attr-defined]
    actions = np.random.default_rng(0).integers(0, num_actions, PIECE).tolist()

    def work() -> int:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        return PIECE

    return work


def many(vectorization_mode: str) -> Work:
    """Return work of many dense-v0 from `gymnasium.make_vec`, ours ("vector_entry_point") or Gymnasium's ("sync")."""
    import gymnasium
    import numpy as np

    env = gymnasium.make_vec("dense-v0", MANY, vectorization_mode=vectorization_mode)
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 4, (MANY_PIECE, MANY))

    def work() -> int:
        for action in actions:
            env.step(action)
        return MANY_PIECE * MANY

    return work


MINIGRID = ("minigrid",)
CONTEST = Contest(
    "environments",
    "Steps a second with random actions, resets included. One: from gymnasium.make; each shows what it shows by "
    "default, dense-v0 its planes, FrozenLake a number, MiniGrid a window of 7 x 7. 1024: dense-v0, planes.",
    (
        Contender("dense-v0, planes", "steps", single, {"env_id": "dense-v0"}),
        Contender("FrozenLake-v1", "steps", single, {"env_id": "FrozenLake-v1"}),
        Contender("four-rooms-v0, state", "steps", single, {"env_id": "four-rooms-v0", "observation": "state"}),
        Contender(
            "four-rooms-v0, window",
            "steps",
            single,
            {"env_id": "four-rooms-v0", "observation": "window", "window_radius": 3},
        ),
        Contender("MiniGrid-FourRooms-v0", "steps", single, {"env_id": "MiniGrid-FourRooms-v0"}, needs=MINIGRID),
        Contender("GridworldVectorEnv", "steps", many, {"vectorization_mode": "vector_entry_point"}),
        Contender("SyncVectorEnv", "steps", many, {"vectorization_mode": "sync"}),
    ),
    (
        Comparison("environment, one: planes", "dense-v0, planes", "FrozenLake-v1", 1.2),
        Comparison("environment, one: state", "four-rooms-v0, state", "FrozenLake-v1"),
        Comparison("environment, one: window of 7 x 7", "four-rooms-v0, window", "MiniGrid-FourRooms-v0"),
        Comparison(f"environments, {MANY} at once: planes", "GridworldVectorEnv", "SyncVectorEnv", 30),
    ),
)
