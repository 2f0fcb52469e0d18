"""Do a shard: from the start, or from where a process that was lost left it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gridrl.interrupt import StopRequest
from gridrl.recorder import Row, mean_over_runs
from gridrl.run_folder import RunFolder
from gridrl.sweeps.results import PATIENCE, Results
from gridrl.sweeps.shard import Shard
from gridrl.workers import Stopped


class Reached(NamedTuple):
    """How far a shard is."""

    step: int
    greedy_return: float | None  # the latest mean, where there is a new one


def do_shard(
    shard: Shard, folder: Path, say: Callable[[Reached], None], stop: StopRequest, patience: float = PATIENCE
) -> None:
    """Train a shard and keep its result in `folder`; nothing, where that is there already.

    Raises `Stopped` where it was asked to stop, and saved, `Claimed` where another process is at it for `patience`
    seconds, and `UserError` for what is wrong.
    """
    from gridrl.training import Training

    results = Results(folder)
    results.create()
    with results.claim(shard, patience):
        if results.has(shard):
            return
        path = results.work(shard)
        if not (path / "config.toml").is_file():
            shutil.rmtree(path, ignore_errors=True)  # what was begun to be made, and not finished
            RunFolder.create(path, shard.placed_in(path.parent), f"gridrl sweep, shard {shard.key}")
        training = Training.resume(path)

        def report(step: int, rows: list[Row]) -> None:
            say(Reached(step, mean_over_runs(rows, "greedy_return")))

        if not training.run(stop, report):
            raise Stopped
        results.keep(shard, (path / "metrics.csv").read_bytes())
