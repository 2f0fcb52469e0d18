"""Do a list of shards with one live table, and return what all of them measured."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gridrl.failures import Failure
from gridrl.run_config import RunConfig
from gridrl.sweeps.engine import Engine, Progress
from gridrl.sweeps.results import Results
from gridrl.sweeps.shard import Shard, cut

if TYPE_CHECKING:
    import pandas
    from rich.console import Console
    from rich.progress import TaskID


def run_configs(
    configs: Sequence[RunConfig], labels: Sequence[str], engine: Engine, folder: Path, console: "Console"
) -> "list[pandas.DataFrame]":
    """Train what `folder` has no result of, and return for each config what was measured, as `Results.read` does.

    Raises `KeyboardInterrupt` when it was stopped by Ctrl-C: the same again goes on.
    """
    import pandas

    shards = [cut(config) for config in configs]
    results = Results(folder)
    results.create()
    by_key = {shard.key: (shard, label) for own, label in zip(shards, labels, strict=True) for shard in own}
    missing = [(shard, label) for shard, label in by_key.values() if not results.has(shard)]
    if missing:
        _run([shard for shard, _ in missing], [label for _, label in missing], engine, folder, console)
    return [pandas.concat([results.read(shard) for shard in own], ignore_index=True) for own in shards]


def failures_of(config: RunConfig, folder: Path) -> list[Failure]:
    """Return the runs of a config that broke, as the results in `folder` tell it."""
    return [failure for shard in cut(config) for failure in Results(folder).failures(shard)]


def _run(shards: Sequence[Shard], labels: Sequence[str], engine: Engine, folder: Path, console: "Console") -> None:
    from gridrl.commands.progress import progress_bar

    sizes = [len(shard.config.seeds) for shard in shards]
    with progress_bar(console) as bars:
        total = sum(shard.config.steps * size for shard, size in zip(shards, sizes, strict=True))
        whole = bars.add_task(f"{len(shards)} shards", total=total, note="")
        tasks: dict[int, TaskID] = {}
        reached = [0] * len(shards)
        begun = time.perf_counter()

        def tell(progress: Progress) -> None:
            number, at = progress.shard, progress.reached
            steps = shards[number].config.steps
            if number not in tasks:
                tasks[number] = bars.add_task(f"  {labels[number]}", total=steps, note="")
            step = steps if at is None else at.step
            bars.update(tasks[number], completed=step, visible=at is not None)
            if at is not None and at.greedy_return is not None:
                bars.update(tasks[number], note=f"greedy return {at.greedy_return:.0f}")
            reached[number] = step * sizes[number]
            bars.update(
                whole,
                completed=sum(reached),
                note=f"{sum(reached) / max(time.perf_counter() - begun, 1e-9):.0f} steps/s",
            )

        engine.run(shards, folder, tell)
