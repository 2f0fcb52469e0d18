"""`gridrl train AGENT`: train, with a progress bar, into a run folder."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridrl.commands.options import command_line, parse, unchecked
from gridrl.problem import ProblemSettings
from gridrl.training_settings import TrainSettings
from gridrl_agents.registry import agent_names, describe, settings_class

USAGE = """usage: gridrl train AGENT [OPTIONS]        gridrl train AGENT --help tells the agent's options

agents:
{agents}"""


def main(argv: list[str]) -> int:
    """Train the agent named first in `argv`."""
    if not argv or argv[0].startswith("-"):
        print(USAGE.format(agents="\n".join(f"  {name:12} {describe(name)}" for name in agent_names())))
        return 0 if argv and argv[0] in ("-h", "--help") else 2
    name, *rest = argv
    AgentSettings: Any = unchecked(settings_class(name))

    @dataclass
    class Options:
        run: TrainSettings
        problem: ProblemSettings
        agent: AgentSettings
        """What the agent does with what it sees."""
        out: Path | None = None
        """Run folder to write; by default the next free one under runs/."""

    options: Any = parse(Options, f"train {name}", rest, f"Train {name}: {describe(name)}")

    from gridrl.commands.progress import train_in_front
    from gridrl.make_run import make_run_folder

    folder = make_run_folder(
        name,
        options.problem,
        options.run,
        dataclasses.asdict(options.agent),
        out=options.out,
        command=command_line(),
    )
    return train_in_front(folder, options.run.processes, options.run.device)
