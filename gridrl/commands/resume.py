"""`gridrl resume RUN`: go on where a run was stopped or killed."""

from dataclasses import dataclass
from typing import Any

from gridrl.commands.options import RunArgument, parse


@dataclass
class Options:
    """Go on with a run from its newest checkpoint."""

    run: RunArgument
    """The run's folder."""
    steps: int | None = None
    """A new length, larger than the old one, to train on."""


def main(argv: list[str]) -> int:
    """Resume the run named in `argv`."""
    options: Any = parse(Options, "resume", argv, "Go on with a run from its newest checkpoint.")

    from gridrl.commands.progress import run_in_front
    from gridrl.run_folder import RunFolder
    from gridrl.training import Training

    if options.steps is not None:
        RunFolder.open(options.run).extend(options.steps)
    training = Training.resume(options.run)
    if not training.is_exact:
        how = " as it is wrapped" if training.problem.is_gridworld else ""
        print(f"{training.config.problem.env}{how} cannot save its state: the run goes on with a new episode.")
    if training.step >= training.config.steps:
        print(f"{options.run} is complete at step {training.step}; to train on: --steps {2 * training.step}")
        return 0
    print(f"going on from step {training.step}")
    return run_in_front(training)
