"""`python -m benchmarks.memory`: the memory of a training, by the number of runs and over a million steps.

What is measured is the memory that the system gives the process (resident), each size in a fresh process.
"""

import argparse
import json
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import linear_regression
from typing import Any, NamedTuple

from benchmarks.harness import ONE_THREAD

RUNS = (1, 2, 4, 8)  # the process as a whole is told at each
LEARNING = 2_000  # steps with a full replay, before the memory is looked at: two evaluations and a checkpoint
STEPS = 1_000_000
EVERY = 50_000  # steps between two looks
MEGABYTE = 1e6


class Sizes(NamedTuple):
    """Memory by the number of runs, in MB."""

    runs: list[int]
    resident: list[float]  # of the process, learning with a full replay, after a checkpoint
    peak: list[float]  # the highest that it ever was, a checkpoint's copy included
    a_run: float  # slope of `resident` over the runs
    a_run_at_peak: float


def resident() -> float:
    """Return the present memory of this process, in MB; Linux only."""
    return _status("VmRSS")


def peak() -> float:
    """Return the highest memory so far of this process, in MB; Linux only."""
    return _status("VmHWM")


def _status(name: str) -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024 / MEGABYTE
    raise RuntimeError(f"no {name} in /proc/self/status")


def at_full_replay(num_runs: int, settings: dict[str, Any]) -> tuple[float, float]:
    """Return the memory and its peak of a DQN with a full replay that has been evaluated and saved, in MB."""
    from benchmarks.overhead import full_training

    training = full_training(num_runs, **settings)
    training.config = replace(training.config, steps=LEARNING)
    training.run()
    return resident(), peak()


def over_time(agent: str, env: str, steps: int, every: int, settings: dict[str, Any]) -> list[float]:
    """Return the memory of a whole training of `agent` on `env` by default, at each `every` steps, in MB."""
    from tempfile import TemporaryDirectory

    from gridrl.problem import ProblemSettings
    from gridrl.training import start
    from gridrl.training_settings import TrainSettings

    found: list[float] = []

    def look(step: int, _rows: Any) -> None:
        if step % every == 0:
            found.append(resident())

    with TemporaryDirectory(prefix="gridrl-memory-") as folder:
        training = start(agent, ProblemSettings(env=env), TrainSettings(steps=steps), settings, out=Path(folder, "run"))
        training.run(on_progress=look)
    return found


def by_runs(runs: Sequence[int], **settings: Any) -> Sizes:
    """Return the memory of DQN on dense-v0 at its default capacity by the number of runs, each in a fresh process."""
    found = [in_fresh_process(at_full_replay, num_runs, settings) for num_runs in runs]
    now, highest = ([one[place] for one in found] for place in (0, 1))
    slopes = [linear_regression(runs, memory).slope for memory in (now, highest)]
    return Sizes(list(runs), now, highest, *slopes)


def in_fresh_process(measure: Callable[..., Any], *arguments: Any) -> Any:
    """Return what `measure` returns in a process of its own, with one thread."""
    for name in ONE_THREAD:
        os.environ[name] = "1"
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, arguments)


def report(sizes: Sizes, times: dict[str, list[float]], every: int) -> Iterator[str]:
    """Yield the lines of a table in Markdown."""
    yield f"| runs | {' | '.join(map(str, sizes.runs))} | a further run |"
    yield "|---|" + "---:|" * (len(sizes.runs) + 1)
    for name, values, slope in (("now", sizes.resident, sizes.a_run), ("at most", sizes.peak, sizes.a_run_at_peak)):
        yield f"| process {name} (MB) | {' | '.join(f'{value:.0f}' for value in values)} | {slope:.1f} |"
    yield ""
    yield f"| memory (MB) at step | {' | '.join(f'{every * at:,}'.replace(',', ' ') for at in _shown(times))} |"
    yield "|---|" + "---:|" * len(_shown(times))
    for name, values in times.items():
        yield f"| {name} | {' | '.join(f'{values[at - 1]:.1f}' for at in _shown(times))} |"


def _shown(times: dict[str, list[float]]) -> list[int]:
    """Return which looks the table shows, counted from 1: about six, the first and the last among them."""
    count = min(map(len, times.values()))
    return sorted({1 + round(part * (count - 1) / 5) for part in range(6)})


def main() -> int:
    """Measure, print the tables and write memory.json and memory.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of the long trainings, {STEPS} if not given")
    parser.add_argument("--every", type=int, default=EVERY, help=f"steps between two looks, {EVERY} if not given")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"), help="folder to write")
    options = parser.parse_args()
    sizes = by_runs(RUNS)
    times = {
        f"{agent} on {env}": in_fresh_process(over_time, agent, env, options.steps, options.every, {})
        for agent, env in (("q-learning", "dense-small-v0"), ("dqn", "dense-v0"))
    }
    lines = "\n".join(report(sizes, times, options.every)) + "\n"
    print(lines)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "memory.md").write_text(lines, encoding="utf-8")
    found = {"by_runs": sizes._asdict(), "every": options.every, "over_time": times}
    (options.out / "memory.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {options.out / 'memory.md'} and {options.out / 'memory.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
