"""`gridrl evaluate RUN`: what a trained agent's policy earns."""

from dataclasses import dataclass
from typing import Any

from gridrl.commands.options import RunArgument, parse
from gridrl.errors import UserError

EVALUATION_KEY = 2**31  # apart from the keys used while training, which are steps


@dataclass
class Options:
    """Play episodes with a trained agent, without learning."""

    run: RunArgument
    """The run's folder."""
    epsilon: float = 0.05
    """Share of random actions; the greedy policy is played beside it."""
    episodes: int = 100
    """Episodes of each run."""

    def __post_init__(self) -> None:
        if not 0 <= self.epsilon <= 1:
            raise UserError(f"--epsilon is a probability from 0 to 1, got {self.epsilon}.")
        if self.episodes < 1:
            raise UserError(f"--episodes must be 1 or more, got {self.episodes}.")


def main(argv: list[str]) -> int:
    """Evaluate the run named in `argv` and print a table."""
    options: Any = parse(Options, "evaluate", argv, "Play episodes with a trained agent, without learning.")

    from rich.console import Console
    from rich.table import Table

    from gridrl.diagnosis import loops_of, warnings_of
    from gridrl.evaluation import Evaluator
    from gridrl.run import Run

    run = Run.load(options.run)
    seeds, whole = run.config.seeds, run.whole
    table = Table(title=f"{run.config.agent} on {run.config.problem.env}, step {run.step}")
    for column in ("policy", "seed", "return", "std. error", "discounted", "steps", "episodes"):
        table.add_column(column, justify="left" if column == "policy" else "right")
    loops: list[str] = []  # only a greedy policy has any
    for epsilon in dict.fromkeys((0.0, options.epsilon)):
        episodes = 1 if epsilon == 0 and run.problem.is_deterministic else options.episodes
        played = Evaluator(run.problem, seeds, episodes).play(run.agent, epsilon, EVALUATION_KEY)
        loops += loops_of(run, played)
        for row, seed in enumerate(seeds):
            if seed not in whole:
                continue
            earned = played.undiscounted[row]
            error = f"{earned.std(ddof=1) / len(earned) ** 0.5:.1f}" if episodes > 1 else "exact"
            table.add_row(
                "greedy" if epsilon == 0 else f"epsilon {epsilon:g}",
                str(seed),
                f"{earned.mean():.1f}",
                error if episodes > 1 or run.problem.is_deterministic else "-",
                f"{played.discounted[row].mean():.1f}",
                f"{played.length[row].mean():.1f}",
                str(episodes),
            )
    Console().print(table)
    for failure in run.failures:
        print(f"Left out: {failure.sentence}")
    for sentence in loops:
        print(sentence)
    for sentence in warnings_of(run):
        print(f"Warning: {sentence}")
    print(f"discounted at gamma {run.agent.gamma:g}. Next:\n  gridrl watch {options.run}")
    return 0
