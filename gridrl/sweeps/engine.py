"""Who does the shards: the interface that all engines have, and the engines by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from gridrl.errors import UserError, unknown
from gridrl.sweeps.shard import Shard
from gridrl.sweeps.work import Reached


class Progress(NamedTuple):
    """What is heard of a shard, by its number."""

    shard: int
    reached: Reached | None  # None: it is done, and its result is kept


Tell = Callable[[Progress], None]


class Engine(Protocol):
    """Does shards. Whichever does them, the results are the same, byte for byte."""

    def run(self, shards: Sequence[Shard], folder: Path, tell: Tell) -> None:
        """Do all shards, whose results come into `folder`, and tell how far they are.

        Ctrl-C lets what is at work save, and is raised. Raises `UserError` where a shard fails.
        """


@dataclass(frozen=True)
class EngineSettings:
    """Who does the work."""

    engine: str = "processes"
    """serial: this process; processes: one for each core; dask: Dask's scheduler, from the extra gridrl[cluster]."""
    processes: int | None = None
    """Processes of the engines on this machine; one for each core if not given."""
    scheduler: str | None = None
    """Address of a Dask scheduler that is running, as tcp://host:8786; without one a local cluster is started."""
    tls_ca_file: Path | None = None
    """Certificate authority of a scheduler that is reached by tls://."""
    tls_cert: Path | None = None
    """This client's certificate for it."""
    tls_key: Path | None = None
    """The certificate's key."""

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise unknown("engine", self.engine, ENGINES)
        if self.processes is not None and self.processes < 1:
            raise UserError(f"processes must be 1 or more, got {self.processes}; give a larger number.")
        for name in DASK_ONLY:
            path = getattr(self, name)
            if path is not None and self.engine != "dask":
                raise UserError(f"--{name.replace('_', '-')} is for --engine dask; give that too, or leave it out.")
            if name.startswith("tls_") and path is not None:
                if not path.is_file():
                    raise UserError(f"--{name.replace('_', '-')} must be a file, and {path} is none; check the path.")
                if not (self.scheduler or "").startswith("tls://"):
                    raise UserError(
                        f"--{name.replace('_', '-')} is for a scheduler that is reached by tls://, got "
                        f"{self.scheduler or 'none'}; give --scheduler tls://host:8786, or leave it out."
                    )


def make_engine(settings: EngineSettings) -> Engine:
    """Return the engine that the settings ask for; its module is imported now, and no other."""
    if settings.engine == "serial":
        from gridrl.sweeps.serial import Serial

        return Serial()
    if settings.engine == "processes":
        from gridrl.sweeps.processes import Processes

        return Processes(settings.processes)
    from gridrl.sweeps.dask_engine import DaskEngine

    return DaskEngine(settings)


ENGINES = ("serial", "processes", "dask")
DASK_ONLY = ("scheduler", "tls_ca_file", "tls_cert", "tls_key")
