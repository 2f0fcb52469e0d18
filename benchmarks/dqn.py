"""DQN on dense-v0, ours beside Stable-Baselines3's: the same environment, network, batch and updates per step."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.contest import Comparison, Contender, Contest, Work

if TYPE_CHECKING:
    import stable_baselines3

    from gridrl_agents.base import Agent

# The settings of both sides.
HIDDEN = (128, 128)
BATCH = 32
CAPACITY = 20_000  # and full before the clock starts: learning begins when it is
LEARNING_RATE = 1e-3
GAMMA = 0.99
EPSILON = 0.05
TARGET_PERIOD = 500  # updates between two copies
MAX_GRADIENT_NORM = 10.0
WARM_UP = 1_500  # updates before the clock starts: by then 7 % of their Adam's moments are denormal, as in a long run
PIECE = 50  # steps, and as many updates of each run
NEVER = 10**9

# What Rainbow and others add to DQN without changing its output.
COMBINED = {"double": True, "dueling": True, "replay": "proportional", "n_step": 3}


def our_agent(
    num_runs: int,
    *,
    capacity: int = CAPACITY,
    reads_all: bool = False,
    level: str | None = None,
    hidden_sizes: Sequence[int] = HIDDEN,
    **choices: Any,
) -> "Agent":
    """Return our DQN; `reads_all`: with all 1200 inputs, though three quarters of them are always zero.

    With a `level` (a name or a map) it is for that one, not for dense.
    """
    from gridrl.problem import Problem, ProblemSettings
    from gridrl_agents.registry import make

    problem = Problem(ProblemSettings(env="dense-v0", level=level))
    return make(
        "dqn",
        problem.observation_space,
        problem.action_space,
        range(num_runs),
        observation_support=None if reads_all else problem.observation_support,
        hidden_sizes=tuple(hidden_sizes),
        batch_size=BATCH,
        replay_capacity=capacity,
        min_replay_size=capacity,
        learn_period=1,
        learning_rate=LEARNING_RATE,
        gamma=GAMMA,
        epsilon_begin=EPSILON,
        epsilon_end=EPSILON,
        target_update_period=TARGET_PERIOD,
        max_gradient_norm=MAX_GRADIENT_NORM,
        **choices,
    )


def our_learning(num_runs: int, agent: "Agent", warm_up: int = WARM_UP, level: str | None = None) -> Work:
    """Return work of our learning loop (act, step the environment, keep, learn) after `warm_up` updates."""
    from itertools import islice

    from gridrl.loop import steps
    from gridrl.problem import Problem, ProblemSettings

    env = Problem(ProblemSettings(env="dense-v0", level=level)).make_vector(num_runs, learning=True)
    obs, _ = env.reset(seed=list(range(num_runs)))
    learning = steps(agent, env, obs)
    while agent.num_updates < warm_up:
        next(learning)

    def work() -> int:
        before = agent.num_updates
        for _ in islice(learning, PIECE):
            pass
        return (agent.num_updates - before) * num_runs

    return work


def ours(num_runs: int, **options: Any) -> Work:
    """Return the work of our DQN, in updates of a run."""
    return our_learning(num_runs, our_agent(num_runs, **options))


def their_model(capacity: int = CAPACITY) -> "stable_baselines3.DQN":
    """Return Stable-Baselines3's DQN, without its Monitor and logger, which ours has none of here."""
    import gymnasium
    from stable_baselines3 import DQN
    from stable_baselines3.common.vec_env import DummyVecEnv

    return DQN(
        "MlpPolicy",
        DummyVecEnv([lambda: gymnasium.make("dense-v0")]),
        policy_kwargs={"net_arch": list(HIDDEN)},
        batch_size=BATCH,
        buffer_size=capacity,
        learning_starts=capacity,
        train_freq=1,
        gradient_steps=1,
        learning_rate=LEARNING_RATE,
        gamma=GAMMA,
        exploration_initial_eps=EPSILON,
        exploration_final_eps=EPSILON,
        target_update_interval=TARGET_PERIOD,
        max_grad_norm=MAX_GRADIENT_NORM,
        seed=0,
        device="cpu",
    )


def theirs(capacity: int = CAPACITY, warm_up: int = WARM_UP) -> Work:
    """Return the work of Stable-Baselines3's DQN, in updates, after `warm_up` of them."""
    model = their_model(capacity)
    model.learn(capacity + warm_up, log_interval=NEVER)

    def work() -> int:
        before = model._n_updates
        model.learn(PIECE, log_interval=NEVER, reset_num_timesteps=False)
        return model._n_updates - before

    return work


SB3 = ("stable_baselines3",)


def run_contender(num_runs: int, name: str = "", **options: Any) -> Contender:
    """Return ours with so many runs in lockstep."""
    runs = f"{num_runs} run{'s' if num_runs > 1 else ''}"
    return Contender(f"gridrl, {runs}{name}", "updates", ours, {"num_runs": num_runs, **options})


LEARNING = Contest(
    "dqn",
    "Whole learning steps on dense-v0 (act, environment, replay, update), one thread; network 128-128, batch 32, one "
    f"update per step, epsilon {EPSILON}; {CAPACITY} transitions kept and {WARM_UP} updates made before; no logging.",
    (
        run_contender(1),
        Contender("Stable-Baselines3", "updates", theirs, needs=SB3),
        run_contender(1, ", all inputs", reads_all=True),
        run_contender(4),
        run_contender(8),
    ),
    (
        Comparison("DQN, one run, one thread", "gridrl, 1 run", "Stable-Baselines3", 5),
        Comparison("DQN, one run that reads all 1200 inputs", "gridrl, 1 run, all inputs", "Stable-Baselines3"),
        Comparison("DQN, 4 runs in lockstep, one core", "gridrl, 4 runs", "Stable-Baselines3", 8),
        Comparison("DQN, 8 runs in lockstep, one core", "gridrl, 8 runs", "Stable-Baselines3", 8),
    ),
)

VARIANTS = Contest(
    "variants",
    "As dqn, ours alone: what Double, proportional priorities, Dueling and 3 steps cost together.",
    (
        run_contender(1),
        run_contender(1, ", combined", **COMBINED),
        run_contender(4),
        run_contender(4, ", combined", **COMBINED),
    ),
    (
        Comparison("Double, PER, Dueling, 3 steps: 1 run", "gridrl, 1 run, combined", "gridrl, 1 run", 0.6),
        Comparison("Double, PER, Dueling, 3 steps: 4 runs", "gridrl, 4 runs, combined", "gridrl, 4 runs", 0.6),
    ),
)
