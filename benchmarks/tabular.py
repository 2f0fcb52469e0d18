"""Q-learning, ours beside the plain loop that tutorials teach, on FrozenLake and CliffWalking."""

from typing import TYPE_CHECKING

from benchmarks.contest import Comparison, Contender, Contest, Work

if TYPE_CHECKING:
    from gridrl_envs.level import Level

GAMMA, EPSILON, LEARNING_RATE = 0.99, 0.1, 0.1
PIECE = 100  # steps of every run
RUNS = 256

# FrozenLake-v1's 4 x 4 map: its holes are pits, its edges walls.
LAKE = """
######
#P   #
# X X#
#   X#
#X  G#
######
"""
CLIFF = "\n".join(["#" * 14, *["#" + " " * 12 + "#"] * 3, "#P" + "X" * 10 + "G#", "#" * 14]) + "\n"


def lake() -> "Level":
    """Return FrozenLake-v1 as a level of ours: the same states, probabilities and rewards."""
    from gridrl_envs.level import Level

    rewards = {"goal": 1.0, "pit": 0.0}
    return Level.from_string(LAKE, "lake", slip=2 / 3, max_steps=100, rewards=rewards)


def cliff() -> "Level":
    """Return CliffWalking-v1 as a level of ours, but that the cliff ends the episode, where it sends back there."""
    from gridrl_envs.level import Level

    return Level.from_string(CLIFF, "cliff", rewards={"step": -1.0, "goal": 0.0, "pit": -99.0})


LEVELS = {"FrozenLake-v1": lake, "CliffWalking-v1": cliff}


class PlainLoop:
    """One Q-table and one Gymnasium environment, as in any introduction."""

    def __init__(self, env_id: str) -> None:
        import gymnasium
        import numpy as np

        self._env = gymnasium.make(env_id)
        self._state, _ = self._env.reset(seed=0)
        self._env.action_space.seed(0)
        self._rng = np.random.default_rng(0)
        self.q = np.zeros((self._env.observation_space.n, self._env.action_space.n))  # type: ignore[attr-defined]

    def __call__(self) -> int:
        """Learn from a piece's steps."""
        env, q, rng, state = self._env, self.q, self._rng, self._state
        num_steps = PIECE * 10
        for _ in range(num_steps):
            action = env.action_space.sample() if rng.random() < EPSILON else q[state].argmax()
            next_state, reward, terminated, truncated, _ = env.step(action)
            target = reward if terminated else reward + GAMMA * q[next_state].max()
            q[state, action] += LEARNING_RATE * (target - q[state, action])
            state = next_state
            if terminated or truncated:
                state, _ = env.reset()
        self._state = state
        return num_steps


def ours(env_id: str, num_runs: int, native: bool = True) -> Work:
    """Return our Q-learning on our level like `env_id`, or, not `native`, on Gymnasium's own environments."""
    from itertools import islice

    from gymnasium.vector import AutoresetMode

    from gridrl.loop import steps
    from gridrl.problem import Problem, ProblemSettings
    from gridrl_agents.registry import make
    from gridrl_envs.vector import GridworldVectorEnv

    if native:
        level = LEVELS[env_id]()
        env = GridworldVectorEnv(num_runs, level, observation="state", autoreset_mode=AutoresetMode.DISABLED)
    else:
        env = Problem(ProblemSettings(env=env_id)).make_vector(num_runs, learning=True)  # type: ignore[assignment]
    agent = make(
        "q-learning",
        env.single_observation_space,
        env.single_action_space,
        range(num_runs),
        gamma=GAMMA,
        epsilon_begin=EPSILON,
        epsilon_end=EPSILON,
        learning_rate=LEARNING_RATE,
    )
    obs, _ = env.reset(seed=list(range(num_runs)))
    learning = steps(agent, env, obs)

    def work() -> int:
        for _ in islice(learning, PIECE):
            pass
        return PIECE * num_runs

    return work


def plain(env_id: str) -> Work:
    """Return the plain loop."""
    return PlainLoop(env_id)


CONTEST = Contest(
    "tabular",
    "Q-learning, one thread: 256 runs in lockstep on levels like FrozenLake (the same MDP) and CliffWalking (its cliff "
    "ends the episode here), beside one table in a plain Python loop over Gymnasium's environments.",
    (
        *(Contender(f"gridrl, {RUNS} runs, {env}", "steps", ours, {"env_id": env, "num_runs": RUNS}) for env in LEVELS),
        *(Contender(f"plain loop, {env}", "steps", plain, {"env_id": env}) for env in LEVELS),
        Contender("gridrl, 1 run", "steps", ours, {"env_id": "FrozenLake-v1", "num_runs": 1}),
        Contender(
            f"gridrl, {RUNS} runs, Gymnasium's own lake",
            "steps",
            ours,
            {"env_id": "FrozenLake-v1", "num_runs": RUNS, "native": False},
        ),
    ),
    (
        Comparison(
            f"Q-learning, {RUNS} runs: FrozenLake",
            f"gridrl, {RUNS} runs, FrozenLake-v1",
            "plain loop, FrozenLake-v1",
            40,
        ),
        Comparison(
            f"Q-learning, {RUNS} runs: CliffWalking",
            f"gridrl, {RUNS} runs, CliffWalking-v1",
            "plain loop, CliffWalking-v1",
        ),
        Comparison("Q-learning, 1 run: FrozenLake", "gridrl, 1 run", "plain loop, FrozenLake-v1"),
        Comparison(
            f"Q-learning, {RUNS} runs: Gymnasium's lake",
            f"gridrl, {RUNS} runs, Gymnasium's own lake",
            "plain loop, FrozenLake-v1",
        ),
    ),
)
