"""Programs from nothing: starts a second, each a process of its own, imports and all."""

import subprocess
import sys
from collections.abc import Sequence

from benchmarks.contest import Comparison, Contender, Contest, Work
from benchmarks.dqn import SB3


def program(arguments: Sequence[str]) -> Work:
    """Return work that runs `python ARGUMENTS` once."""

    def work() -> int:
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        return 1

    return work


def imports(modules: str) -> Sequence[str]:
    """Return the arguments that make Python import `modules` and end."""
    return ("-c", f"import {modules}")


CONTEST = Contest(
    "startup",
    "Processes started and ended a second, one after the other: the program's help, and the imports alone that a "
    "DQN and its environment take.",
    (
        Contender("gridrl --help", "starts", program, {"arguments": ("-m", "gridrl", "--help")}),
        Contender("empty Python", "starts", program, {"arguments": ("-c", "pass")}),
        Contender(
            "gridrl's imports",
            "starts",
            program,
            {"arguments": imports("gymnasium, gridrl.loop, gridrl_agents.deep.build")},
        ),
        Contender(
            "Stable-Baselines3's imports",
            "starts",
            program,
            {"arguments": imports("gymnasium, stable_baselines3")},
            needs=SB3,
        ),
    ),
    (
        Comparison("start: gridrl --help beside an empty Python", "gridrl --help", "empty Python"),
        Comparison("start: imports for a DQN", "gridrl's imports", "Stable-Baselines3's imports"),
    ),
)
