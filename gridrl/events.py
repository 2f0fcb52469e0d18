"""TensorBoard's events beside metrics.csv: the same numbers, a folder for each run.

They are written with the tensorboard package's own messages and records; torch, whose writer would do as well, is not
needed for a table.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gridrl.extras import require
from gridrl.recorder import Row
from gridrl.run_folder import RunFolder, writing

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event


def open_events(folder: RunFolder, step: int) -> "EventFiles | None":
    """Return where a run's events go from `step` on; None where nobody asked for any (there is no such folder)."""
    return EventFiles(folder.events, folder.config.seeds, step) if folder.events.is_dir() else None


class EventFiles:
    """`FOLDER/seed-S/`, each with a file more for each time that the training went on.

    A new file tells TensorBoard to forget what older ones say of `step` and what is after it. Raises `UserError` where
    the tensorboard package is not installed, and where the files cannot be written.
    """

    def __init__(self, folder: Path, seeds: Sequence[int], step: int) -> None:
        require("tensorboard", "tensorboard", "--tensorboard")
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog

        self._paths: dict[int, Path] = {}
        for seed in seeds:
            own = folder / f"seed-{seed}"
            with writing(own):
                own.mkdir(exist_ok=True)
                number = len(list(own.iterdir()))
            # TensorBoard reads them in the order of their names.
            self._paths[seed] = own / f"events.out.tfevents.{number:010d}"
            begun = SessionLog(status=SessionLog.START)
            self._write(seed, [Event(file_version="brain.Event:2"), Event(step=step, session_log=begun)])

    def append(self, rows: Sequence[Row]) -> None:
        """Write rows of metrics, and have them on the disk when it returns."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = defaultdict(list)
        for seed, _, step, metric, value in rows:
            values[seed, step].append(Summary.Value(tag=metric, simple_value=value))
        for (seed, step), found in values.items():
            self._write(seed, [Event(step=step, summary=Summary(value=found))])

    def _write(self, seed: int, events: "Sequence[Event]") -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        path = self._paths[seed]
        with writing(path), open(path, "ab") as file:
            records = RecordWriter(file)
            for event in events:
                event.wall_time = time.time()
                records.write(event.SerializeToString())
