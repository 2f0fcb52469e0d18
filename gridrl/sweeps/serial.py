"""Shards one after the other, in this process."""

from collections.abc import Sequence
from pathlib import Path

from gridrl.interrupt import stop_on_signal
from gridrl.sweeps.engine import Progress, Tell
from gridrl.sweeps.shard import Shard
from gridrl.sweeps.work import do_shard
from gridrl.workers import Stopped


class Serial:
    """The plainest engine, which the others are held equal to."""

    def run(self, shards: Sequence[Shard], folder: Path, tell: Tell) -> None:
        """Do all shards; see `Engine`."""
        with stop_on_signal() as stop:
            for number, shard in enumerate(shards):
                try:
                    do_shard(shard, folder, lambda reached: tell(Progress(number, reached)), stop)  # noqa: B023
                except Stopped:
                    raise KeyboardInterrupt from None
                tell(Progress(number, None))
