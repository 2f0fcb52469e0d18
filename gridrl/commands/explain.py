"""`gridrl explain AGENT` or `gridrl explain RUN`: one real update, step by step, with every number."""

import dataclasses
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridrl.commands.options import RunArgument, parse, unchecked
from gridrl.errors import UserError
from gridrl.problem import ProblemSettings
from gridrl_agents.registry import agent_names, describe, paper, settings_class

USAGE = """usage: gridrl explain AGENT [OPTIONS]      gridrl explain AGENT --help tells the agent's options
       gridrl explain RUN [OPTIONS]        explains the next update of a trained run

agents:
{agents}"""
SMALL_LEVEL = ProblemSettings(env="dense-small-v0")
SMALL_REPLAY = 200  # transitions that are enough to learn from, for an agent that is only to be looked at


@dataclass
class RunOptions:
    """Explain the next update of a run; nothing is written."""

    run: RunArgument
    """The run's folder."""
    seed: int | None = None
    """Which of its seeds; the first if not given."""
    item: int | None = None
    """Which transition of the batch, from 0; the one with the largest |td_error| if not given."""


def main(argv: list[str]) -> int:
    """Explain an update of the agent, or of the run, named first in `argv`."""
    if not argv or argv[0].startswith("-"):
        print(USAGE.format(agents="\n".join(f"  {name:18} {describe(name)}" for name in agent_names())))
        return 0 if argv and argv[0] in ("-h", "--help") else 2
    name = argv[0]
    if (Path(name) / "config.toml").is_file():
        return _explain_run(argv)
    if name not in agent_names() and ":" not in name:
        _refuse(name)
    return _explain_agent(name, argv[1:])


def _explain_agent(name: str, argv: list[str]) -> int:
    settings: Any = settings_class(name)
    AgentSettings: Any = unchecked(settings)
    fields = {field.name for field in dataclasses.fields(settings)}
    small = AgentSettings(**({"min_replay_size": SMALL_REPLAY} if "min_replay_size" in fields else {}))

    @dataclass
    class Options:
        problem: ProblemSettings = SMALL_LEVEL
        agent: AgentSettings = small
        """What the agent does with what it sees."""
        steps: int = 1_000
        """Environment steps of learning before the update that is explained."""
        seed: int = 0
        """Seed of the agent and of its environment."""
        item: int | None = None
        """Which transition of the batch, from 0; the one with the largest |td_error| if not given."""

    options: Any = parse(Options, f"explain {name}", argv, f"Explain one update of {name}: {describe(name)}")
    if options.steps < 0:
        raise UserError(f"--steps must be 0 or more, got {options.steps}.")

    from gridrl.explanations.next_update import explain_next, fresh

    learning = fresh(name, options.problem, dataclasses.asdict(options.agent), options.seed, options.steps)
    _show(name, learning, options.seed, explain_next(learning, item=options.item))
    env = shlex.quote(options.problem.env)
    print(f"\nNothing was written. Next:\n  gridrl train {name} --env {env} --seeds 4")
    return 0


def _explain_run(argv: list[str]) -> int:
    options: Any = parse(RunOptions, "explain", argv, "Explain the next update of a run.")

    from gridrl.explanations.next_update import explain_next, resumed
    from gridrl.run_folder import RunFolder

    folder = RunFolder.open(options.run)
    config = folder.config
    seeds = config.seeds
    seed = seeds[0] if options.seed is None else options.seed
    if seed not in seeds:
        raise UserError(f"{options.run} has no run with seed {seed}; it has {', '.join(map(str, seeds))}.")
    group = next(group for group in folder.groups if seed in group.config.seeds)
    learning = resumed(str(group.path))
    _show(config.agent, learning, seed, explain_next(learning, group.config.seeds.index(seed), options.item))
    print(f"\nNothing was written. Next:\n  gridrl resume {shlex.quote(options.run)} --steps {2 * learning.step}")
    return 0


def _show(name: str, learning: Any, seed: int, explained: Any) -> None:
    from rich.console import Console
    from rich.text import Text

    from gridrl.explanations.text import print_explanation

    console = Console(highlight=False)
    env = learning.problem.settings.env
    console.print(Text(f"{name} on {env}, seed {seed}: what it learned at step {explained.step}", style="bold"))
    console.print(Text(f"{describe(name)} ({paper(name)})\n"))
    print_explanation(explained.told, console)


def _refuse(name: str) -> None:
    """Raise the one sentence for a word that is neither an agent nor a run's folder."""
    import difflib

    if Path(name).is_dir():
        raise UserError(
            f"{name} has no config.toml, so it is no run's folder; give a run's folder, or an agent's name."
        )
    near = difflib.get_close_matches(name, agent_names(), n=1)
    hint = f"did you mean {near[0]!r}?" if near else "gridrl agents lists the agents, and runs/ holds the runs."
    raise UserError(f"{name} is neither an agent nor a run's folder; {hint}")
