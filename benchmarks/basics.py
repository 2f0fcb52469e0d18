"""The first numbers of the project: `python -m benchmarks.basics`.

Updates per second of DQN on dense-v0 for 1, 4 and 8 runs on one thread, steps per second of one environment and of
1024, and the time to `gridrl --help`. Medians of five, the measurements taken in turn, so that a slow moment of the
machine falls on all of them.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import gymnasium
import numpy as np

from gridrl.loop import steps
from gridrl.problem import Problem, ProblemSettings
from gridrl_agents.registry import make

REPEATS = 5


def dqn(num_runs: int, num_updates: int = 400) -> Callable[[], float]:
    """Return a measurement of DQN's updates per second, of all runs together, with acting and the environment."""
    problem = Problem(ProblemSettings())
    env = problem.make_vector(num_runs)
    agent = make(
        "dqn",
        problem.observation_space,
        problem.action_space,
        range(num_runs),
        observation_support=problem.observation_support,
    )
    obs, _ = env.reset(seed=list(range(num_runs)))
    learning = steps(agent, env, obs)
    while agent.num_updates < 200:
        next(learning)

    def measure() -> float:
        begun = time.perf_counter()
        for _ in range(num_updates):
            next(learning)
        return num_updates * num_runs / (time.perf_counter() - begun)

    return measure


def one_environment(num_steps: int = 50_000) -> float:
    """Return steps per second of `gymnasium.make("dense-v0")`, resets included."""
    env = gymnasium.make("dense-v0")
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 4, num_steps).tolist()
    begun = time.perf_counter()
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()
    return num_steps / (time.perf_counter() - begun)


def many_environments(num_envs: int = 1024, num_steps: int = 300) -> float:
    """Return steps per second of `gymnasium.make_vec("dense-v0", 1024)`, all environments together."""
    env = gymnasium.make_vec("dense-v0", num_envs)
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 4, (num_steps, num_envs))
    begun = time.perf_counter()
    for action in actions:
        env.step(action)
    return num_envs * num_steps / (time.perf_counter() - begun)


def help_seconds() -> float:
    """Return the seconds that `gridrl --help` takes, as a process of its own."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "gridrl", "--help"], check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    """Measure everything in turn and print the medians."""
    measurements: dict[str, tuple[Callable[[], float], str]] = {
        **{f"DQN on dense-v0, {runs} run(s)": (dqn(runs), "updates/s") for runs in (1, 4, 8)},
        "dense-v0, one environment": (one_environment, "steps/s"),
        "dense-v0, 1024 environments": (many_environments, "steps/s"),
        "gridrl --help": (help_seconds, "s"),
    }
    found: dict[str, list[float]] = {name: [] for name in measurements}
    for _ in range(REPEATS):
        for name, (measure, _unit) in measurements.items():
            found[name].append(measure())
    for name, (_measure, unit) in measurements.items():
        low, middle, high = min(found[name]), statistics.median(found[name]), max(found[name])
        digits = 3 if middle < 10 else 0
        print(f"{name:30} {middle:12,.{digits}f} {unit}   ({low:,.{digits}f} to {high:,.{digits}f})")


if __name__ == "__main__":
    main()
