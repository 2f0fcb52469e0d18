"""Measure every agent and write the Result section of its page: `python docs/agents/measure.py FOLDER [AGENT ...]`.

Trains each agent on dense-small-v0 and dense-v0 with four seeds, two agents at a time, into FOLDER (what is there
already is resumed, or left alone when it is complete), and fills the lines below "## Result" of docs/agents/AGENT.md.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from gridrl.run import make_problem
from gridrl.run_folder import RunFolder
from gridrl.truth.solution import optimum
from gridrl_agents.registry import agent_names

PAGES = Path(__file__).parent
HEADING = "## Result\n"
SEEDS, STEPS = 4, {"dense-small-v0": 20_000, "dense-v0": 80_000}
EXTRA = {"drqn": ["--observation", "window"]}  # the observation that needs a memory
COLUMNS = (
    "level | steps | return, epsilon .05 | of all coins | greedy return | max Q(start) | greedy earns | best possible"
)


def command(agent: str, env: str, folder: Path) -> list[str]:
    """Return the command that makes one run folder."""
    arguments = ["train", agent, "--env", env, "--seeds", str(SEEDS), "--steps", str(STEPS[env])]
    # One evaluation in 5000 steps is enough for the tables.
    return [*arguments, *EXTRA.get(agent, []), "--eval-period", "5000", "--out", str(folder)]


def train(agent: str, env: str, folder: Path) -> None:
    """Train, or go on with, one run folder."""
    arguments = ["resume", str(folder)] if folder.exists() else command(agent, env, folder)
    done = subprocess.run([sys.executable, "-m", "gridrl", *arguments], capture_output=True, text=True, check=False)
    print(f"{agent} on {env}: {(done.stdout + done.stderr).strip().splitlines()[-1]}", flush=True)


def rows(agent: str, env: str, folder: Path) -> list[str]:
    """Return a row of the table for 20 000 steps and one for the end."""
    run = RunFolder.open(folder)
    config, metrics = run.config, run.metrics
    problem = make_problem(agent, config.problem)
    gamma = config.agent_settings["gamma"]
    best = optimum(problem.level, gamma)
    all_coins = problem.level.rewards.coin * len(problem.level.coins)
    found = []
    for step in sorted({20_000, config.steps}):
        at = metrics[metrics["step"] == step].pivot_table(index="run", columns="metric", values="value")
        cells = [env, f"{step}", spread(at["return"]), f"{at['return'].mean() / all_coins:.2f}"]
        cells += [spread(at["greedy_return"]), spread(at["max_q_start"]), spread(at["greedy_discounted_return"])]
        cells.append("unknown" if best is None else " to ".join(dict.fromkeys(f"{bound:.0f}" for bound in best)))
        found.append(" | ".join(cells))
    return found


def spread(values: "np.ndarray") -> str:
    """Return the mean over runs, with the lowest and the highest."""
    return f"{np.mean(values):.0f} ({np.min(values):.0f} to {np.max(values):.0f})"


def section(agent: str, folder: Path) -> str:
    """Return what stands below the heading."""
    commands = "\n".join("    gridrl " + " ".join(command(agent, env, Path(f"runs/{agent}-{env}"))) for env in STEPS)
    table = [COLUMNS, " | ".join(["---"] * len(COLUMNS.split(" | ")))]
    for env in STEPS:
        table += rows(agent, env, folder / f"{agent}-{env}")
    return (
        f"{HEADING}\n{commands}\n\nMeans over the seeds 0 to {SEEDS - 1} (lowest to highest); the last three columns "
        "are discounted by the agent's gamma.\n\n" + "\n".join(f"| {row} |" for row in table) + "\n"
    )


def main(folder: Path, agents: list[str]) -> None:
    """Train what is missing and fill the pages."""
    jobs = [(agent, env, folder / f"{agent}-{env}") for agent in agents for env in STEPS]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda job: train(*job), jobs))
    for agent in agents:
        page = PAGES / f"{agent}.md"
        text = page.read_text(encoding="utf-8")
        page.write_text(text[: text.index(HEADING)] + section(agent, folder), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or agent_names())
