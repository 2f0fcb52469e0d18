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
    processes: int | None = None
    """Processes that train the run's groups, where it has several; by default one for each core."""
    device: str = "cpu"
    """Where networks and replays are from now on: cpu, or cuda."""


def main(argv: list[str]) -> int:
    """Resume the run named in `argv`; where it is complete, say so, and which of its runs broke."""
    options: Any = parse(Options, "resume", argv, "Go on with a run from its newest checkpoint.")

    from rich.console import Console

    from gridrl.commands.progress import tell_failures, train_in_front
    from gridrl.run import Run, make_problem
    from gridrl.run_folder import RunFolder

    folder = RunFolder.open(options.run)
    if options.steps is not None:
        folder.extend(options.steps)
    config = folder.config
    problem = make_problem(config.agent, config.problem)
    if not problem.saves_state:
        how = " as it is wrapped" if problem.is_gridworld else ""
        print(f"{config.problem.env}{how} cannot save its state: the run goes on with a new episode.")
    if folder.step >= config.steps:
        Run.load(folder.path)  # refused where it is damaged
        print(f"{options.run} is complete at step {folder.step}; to train on: --steps {2 * folder.step}")
        return tell_failures(Console(soft_wrap=True, highlight=False), folder.failures)
    print(f"going on from step {folder.step}")
    return train_in_front(folder, options.processes, options.device)
