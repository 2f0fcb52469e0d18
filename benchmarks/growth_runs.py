"""The time of a learning step of DQN by the number of runs that share it."""

from collections.abc import Sequence
from typing import Any

from benchmarks.contest import Contender, Work
from benchmarks.dqn import HIDDEN, our_agent, our_learning
from benchmarks.growth import Growth, Line, Part

RUNS = (1, 2, 4, 8, 16, 32)
NETWORKS = ((64, 64), HIDDEN, (256, 256))
CAPACITY = 1_000  # of a replay, so that many runs fit
WARM_UP = 200  # updates; we flush the denormal numbers that would come later


def learning_steps(num_runs: int, level: str | None = None, hidden_sizes: Sequence[int] = HIDDEN) -> Work:
    """Return work of whole learning steps (act, environment, replay, update), each of all runs."""
    agent = our_agent(num_runs, capacity=CAPACITY, level=level, hidden_sizes=hidden_sizes)
    learn = our_learning(num_runs, agent, WARM_UP, level=level)
    return lambda: learn() // num_runs


def _line(hidden_sizes: Sequence[int]) -> Line:
    name = "-".join(map(str, hidden_sizes))

    def contender(num_runs: int) -> Contender:
        settings: dict[str, Any] = {"num_runs": num_runs, "hidden_sizes": hidden_sizes}
        return Contender(f"{name}, R = {num_runs}", "steps", learning_steps, settings)

    return Line(name, RUNS, tuple(map(contender, RUNS)))


GROWTH = Growth(
    "growth-runs",
    "Whole learning steps of DQN on dense-v0 (act, environment, replay, update) by the number of runs in lockstep in "
    f"one process, one thread, for three networks; batch 32, a full replay of {CAPACITY}. Slopes are those of a step "
    "of all runs together: below 1, each run gets cheaper; 1, a further run costs as much as those before.",
    "runs in one process",
    "a run's learning step",
    (Part("to 8 runs", "below 1", high=8), Part("from 8 runs", "1", low=8)),
    tuple(map(_line, NETWORKS)),
    shared=True,
)
