"""`python -m benchmarks.engines`: what each engine of `gridrl sweep` costs per shard, beyond the work itself.

Many tiny shards are done by every engine with one process, so that nothing is gained by doing two at once. The engines
take turns; of each, the time from the first shard that is done to the last is divided by the shards in between, and the
time before the first is told apart. Needs the extra `cluster`.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gridrl.make_run import make_config
from gridrl.problem import ProblemSettings
from gridrl.sweeps.engine import ENGINES, EngineSettings, Progress, make_engine
from gridrl.sweeps.results import Results
from gridrl.sweeps.shard import Shard
from gridrl.training_settings import TrainSettings


class Cost(NamedTuple):
    """Seconds."""

    first: float  # until the first shard was done, with all that had to be started
    each: float  # of every further one


def main() -> None:
    """Let the engines take turns, and print the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument("--shards", type=int, default=50, help="shards in each turn, 50 if not given")
    parser.add_argument("--turns", type=int, default=5, help="turns of each engine, 5 if not given")
    options = parser.parse_args()
    if options.shards < 2 or options.turns < 1:
        parser.error("--shards must be 2 or more and --turns 1 or more")
    shards = [tiny_shard(seed) for seed in range(options.shards)]
    costs: dict[str, list[Cost]] = {engine: [] for engine in ENGINES}
    for _ in range(options.turns):
        for engine in ENGINES:
            costs[engine].append(measure(engine, shards))
    work = statistics.median(cost.each for cost in costs["serial"])
    print(f"{options.shards} shards of 20 steps, one process, median of {options.turns} turns; milliseconds")
    print(f"{'engine':<10} {'first shard':>12} {'each further':>13} {'beyond serial':>14}")
    for engine, found in costs.items():
        first, each = statistics.median(cost.first for cost in found), statistics.median(cost.each for cost in found)
        print(f"{engine:<10} {1000 * first:12.0f} {1000 * each:13.1f} {1000 * (each - work):14.1f}")


def tiny_shard(seed: int) -> Shard:
    """Return a shard of one run of 20 steps."""
    training = TrainSettings(steps=20, eval_period=20, eval_episodes=1)
    return Shard.of(make_config("q-learning", ProblemSettings(env="dense-small-v0", coins=2), training, {}, [seed]))


def measure(engine: str, shards: Sequence[Shard]) -> Cost:
    """Return what it takes one process of an engine to do some shards."""
    done: list[float] = []

    def tell(progress: Progress) -> None:
        if progress.reached is None:
            done.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        Results(Path(folder)).create()
        begun = time.perf_counter()
        make_engine(EngineSettings(engine=engine, processes=1)).run(shards, Path(folder), tell)
    return Cost(done[0] - begun, (done[-1] - done[0]) / (len(shards) - 1))


if __name__ == "__main__":
    main()
