"""Shards on the cores of this machine: a process each, replaced when it is lost."""

from collections.abc import Sequence
from pathlib import Path

from gridrl.grouping import num_cores
from gridrl.interrupt import StopRequest
from gridrl.sweeps.engine import Progress, Tell
from gridrl.sweeps.shard import Shard
from gridrl.sweeps.work import do_shard
from gridrl.workers import Report, share_out


class Processes:
    """One spawned process for each core, or as many as are asked for."""

    def __init__(self, num_processes: int | None = None) -> None:
        self._num_processes = num_processes or num_cores()

    def run(self, shards: Sequence[Shard], folder: Path, tell: Tell) -> None:
        """Do all shards; see `Engine`."""
        payloads = [(shard.to_json(), str(folder)) for shard in shards]
        for answer in share_out(_work, payloads, [f"shard {shard.key}" for shard in shards], self._num_processes):
            tell(Progress(answer.job, None if answer.is_result else answer.content))


def _work(payload: tuple[str, str], say: Report, stop: StopRequest) -> None:
    text, folder = payload
    do_shard(Shard.from_json(text), Path(folder), say, stop)
