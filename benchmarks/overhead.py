"""What a training does beside learning: evaluations, metrics, snapshots and checkpoints, all as they are by default."""

import dataclasses
from typing import TYPE_CHECKING, Any

from benchmarks.contest import Comparison, Contender, Contest, Work

if TYPE_CHECKING:
    from gridrl.training import Training

WARM_UP = 500  # updates before the clock starts, after the replay is full
PIECE = 10_000  # steps: ten evaluations, five snapshots, one checkpoint
SAVING_PIECE = 500  # steps for each checkpoint, where one is always being written: it is done before they are


def full_training(num_runs: int, warm_up: int = WARM_UP, **settings: Any) -> "Training":
    """Return a training of DQN on dense-v0 with a full replay, in a folder that goes when the process ends.

    All is as by default but for the start: learning begins when the replay is full.
    """
    import atexit
    from itertools import islice
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from gridrl.loop import steps
    from gridrl.problem import ProblemSettings
    from gridrl.training import start
    from gridrl.training_settings import TrainSettings
    from gridrl_agents.registry import settings_class

    folder = TemporaryDirectory(prefix="gridrl-overhead-")
    atexit.register(folder.cleanup)
    capacity = settings.setdefault("replay_capacity", settings_class("dqn")().replay_capacity)
    training = start(
        "dqn",
        ProblemSettings(env="dense-v0"),
        TrainSettings(seeds=num_runs),
        settings | {"min_replay_size": capacity},
        out=Path(folder.name) / "run",
    )
    for step in islice(steps(training.agent, training.env, training.obs), capacity - 1 + warm_up):
        training.obs = step.obs
    return training


def whole(num_runs: int, piece: int = PIECE, **settings: Any) -> Work:
    """Return work of whole trainings, in steps of a run."""
    training = full_training(num_runs, **settings)

    def work() -> int:
        training.config = dataclasses.replace(training.config, steps=training.step + piece)
        training.run()
        return piece * num_runs

    return work


def bare(num_runs: int, piece: int = PIECE, **settings: Any) -> Work:
    """Return work of the same training's loop alone, in steps of a run."""
    from itertools import islice

    from gridrl.loop import steps

    training = full_training(num_runs, **settings)
    learning = steps(training.agent, training.env, training.obs)

    def work() -> int:
        for _ in islice(learning, piece):
            pass
        return piece * num_runs

    return work


def saving(num_runs: int, piece: int = SAVING_PIECE, **settings: Any) -> Work:
    """Return work of the loop while checkpoints are written, one after the other, in steps of a run."""
    from itertools import count, islice

    from gridrl.loop import steps
    from gridrl.writer import Writer

    training = full_training(num_runs, **settings)
    learning, writer, numbers = steps(training.agent, training.env, training.obs), Writer(), count()

    def work() -> int:
        writer.begin(training.folder.save_checkpoint, next(numbers), training.state_dict())
        for _ in islice(learning, piece):
            pass
        return piece * num_runs

    return work


def checkpoints(num_runs: int, **settings: Any) -> Work:
    """Return work of checkpoints that are waited for, the training standing still."""
    from itertools import count

    training = full_training(num_runs, **settings)
    numbers = count()

    def work() -> int:
        training.folder.save_checkpoint(next(numbers), training.state_dict())
        return 1

    return work


def copies(num_runs: int, **settings: Any) -> Work:
    """Return work of what a checkpoint stops the training for: the copy of all that it holds."""
    training = full_training(num_runs, **settings)

    def work() -> int:
        training.state_dict()
        return 1

    return work


def _contenders(num_runs: int) -> tuple[Contender, ...]:
    runs, settings = _runs(num_runs), {"num_runs": num_runs}
    return (
        Contender(f"bare loop, {runs}", "steps", bare, settings),
        Contender(f"training, {runs}", "steps", whole, settings),
        Contender(f"always saving, {runs}", "steps", saving, settings),
        Contender(f"checkpoint, {runs}", "checkpoints", checkpoints, settings),
        Contender(f"copy, {runs}", "checkpoints", copies, settings),
    )


def _comparisons(num_runs: int) -> tuple[Comparison, ...]:
    runs = _runs(num_runs)
    return (
        Comparison(f"whole training beside its bare loop, {runs}", f"training, {runs}", f"bare loop, {runs}", 0.95),
        Comparison(
            f"learning while checkpoints are written without a pause, {runs}",
            f"always saving, {runs}",
            f"bare loop, {runs}",
        ),
        Comparison(f"checkpoint of a full replay, waited for, {runs}", f"checkpoint, {runs}"),
        Comparison(f"the part of it that learning waits for, {runs}", f"copy, {runs}"),
    )


def _runs(num_runs: int) -> str:
    return f"{num_runs} run{'s' if num_runs > 1 else ''}"


CONTEST = Contest(
    "overhead",
    "DQN on dense-v0 with all settings as by default and a full replay of 20 000, one thread: whole trainings "
    "(an evaluation each 1000 steps, a snapshot each 2000, a checkpoint each 10 000) beside the loop that only learns; "
    "and checkpoints alone.",
    (*_contenders(1), *_contenders(4)),
    (*_comparisons(1), *_comparisons(4)),
)
