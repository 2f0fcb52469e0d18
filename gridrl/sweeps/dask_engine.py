"""Shards on a Dask cluster: one that is running, or one of this machine's cores that lives as long as the sweep."""

import contextlib
import logging
import signal
from collections.abc import Iterator, Sequence
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING

from gridrl.errors import UserError
from gridrl.extras import require
from gridrl.grouping import num_cores
from gridrl.interrupt import stop_on_signal
from gridrl.sweeps.dask_driver import Driver
from gridrl.sweeps.engine import EngineSettings, Tell
from gridrl.sweeps.shard import Shard
from gridrl.workers import PATIENCE

if TYPE_CHECKING:
    from distributed import Client

CONNECT = 10.0  # seconds for a scheduler to answer


class DaskEngine:
    """Raises `UserError` where Dask's scheduler is not installed."""

    def __init__(self, settings: EngineSettings, patience: float = PATIENCE) -> None:
        require("distributed", "cluster", "--engine dask")
        self._settings = settings
        self._patience = patience

    def run(self, shards: Sequence[Shard], folder: Path, tell: Tell) -> None:
        """Do all shards; see `Engine`."""
        num_workers = self._settings.processes or num_cores()
        with (
            stop_on_signal() as stop,
            _quiet(),
            _joined(self._settings) if self._settings.scheduler else _local(num_workers) as client,
        ):
            Driver(client, shards, folder, tell, self._patience).run(stop)


@contextlib.contextmanager
def _local(num_workers: int) -> Iterator["Client"]:
    from distributed import Client, LocalCluster

    with _deaf():
        cluster = LocalCluster(
            n_workers=num_workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # whatever port is free, for a page that is not shown
            scheduler_kwargs={"dashboard": False},
            memory_limit=0,  # an equal share for each would stop a large replay that the machine has room for
            silence_logs=logging.CRITICAL,
        )
    with cluster, Client(cluster, set_as_default=False) as client:
        yield client


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Hold back the signals of a terminal. Threads that begin meanwhile never hear them, nor do their processes.

    Ctrl-C comes to all processes of a terminal; but it is for the driver alone, which lets the workers save.
    """
    if not hasattr(signal, "pthread_sigmask"):  # not on Windows
        yield
        return
    resource_tracker.ensure_running()  # whoever starts it later would let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _joined(settings: EngineSettings) -> Iterator["Client"]:
    from distributed import Client, Security

    files = {
        "tls_ca_file": settings.tls_ca_file,
        "tls_client_cert": settings.tls_cert,
        "tls_client_key": settings.tls_key,
    }
    given = {name: str(path) for name, path in files.items() if path is not None}
    try:
        security = Security(require_encryption=True, **given) if given else None
        client = Client(settings.scheduler, timeout=CONNECT, set_as_default=False, security=security)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"no scheduler answers at {settings.scheduler} ({reason}); start one with `dask scheduler`, and give the "
            "address that it prints; tls:// needs --tls-ca-file, --tls-cert and --tls-key."
        ) from None
    with client:
        yield client


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own messages off the screen: what the user should know of them is said in a sentence."""
    loggers = [logging.getLogger(name) for name in ("distributed", "tornado")]
    levels = {handler: handler.level for logger in loggers for handler in logger.handlers}
    for handler in levels:
        handler.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for handler, level in levels.items():
            handler.setLevel(level)
