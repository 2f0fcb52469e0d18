"""Faults done to runs for real, and counted: `python -m benchmarks.faults --kills 100`.

Processes that train are killed at random instants, and in the middle of writing, which is slowed down so that it can be
hit; then the run goes on to its end. A kill is survived if all files are those of an unbroken run, byte for byte.
Checkpoints are cut short and changed in one byte, each in turn, and must be refused.
"""

import argparse
import contextlib
import multiprocessing
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

KILLS_OF_A_RUN = 10
LONGEST = 0.3  # seconds from when a process has begun to learn until it is killed
DEADLINE = 120.0  # seconds, for what takes a few
PIECES = 6  # in which a file is written, slowly
PAUSE = 0.002  # seconds between two pieces
SMALL_NET = {"hidden_sizes": (16,), "replay_capacity": 300, "min_replay_size": 40, "target_update_period": 25}
AGENTS = {"dqn": SMALL_NET, "q-learning": {}, "per-dqn": SMALL_NET}
PRELOADED = ["gridrl.training", "gridrl_agents.deep.build", "gridrl_envs.vector", "safetensors.numpy", "filelock"]


@dataclass
class Count:
    """How often a fault was done, and how often nothing was lost by it."""

    tried: int = 0
    survived: int = 0

    @property
    def lost(self) -> int:
        """How often something was lost."""
        return self.tried - self.survived


def begin(folder: Path, agent: str, steps: int) -> None:
    """Make the folder of a run on a level of chance, that saves often."""
    from gridrl.problem import ProblemSettings
    from gridrl.training import start
    from gridrl.training_settings import TrainSettings

    problem = ProblemSettings(env="dense-small-v0", coins=3, slip=0.2, reward_noise=1.0)
    settings = TrainSettings(
        seeds=2, steps=steps, eval_period=40, eval_episodes=1, checkpoint_period=30, snapshot_period=50
    )
    start(agent, problem, settings, AGENTS[agent], seeds=(0, 1), out=folder)


def go_on(folder: str, is_slow: bool) -> None:
    """Train what is left, in a process of its own; where it `is_slow`, files are written in pieces."""
    from gridrl.training import Training

    with slow_writing() if is_slow else contextlib.nullcontext():
        Training.resume(folder).run()


@contextlib.contextmanager
def slow_writing() -> Iterator[None]:
    """Let checkpoints, snapshots and tables be written in pieces, with pauses between them."""
    import safetensors.numpy

    from gridrl.tidy_table import TidyTable

    save_file, append, replace = safetensors.numpy.save_file, TidyTable.append, Path.write_bytes

    def in_pieces(path: Path, data: bytes, mode: str) -> None:
        with open(path, mode, buffering=0) as file:
            for piece in range(PIECES):
                file.write(data[len(data) * piece // PIECES : len(data) * (piece + 1) // PIECES])
                time.sleep(PAUSE)

    def save_slowly(arrays: Any, path: Any, metadata: Any = None) -> None:
        in_pieces(Path(path), safetensors.numpy.save(arrays, metadata), "wb")

    safetensors.numpy.save_file = save_slowly  # type: ignore[assignment]
    TidyTable.append = lambda table, lines: in_pieces(table.path, "".join(lines).encode(), "ab")  # type: ignore[method-assign]
    Path.write_bytes = lambda path, data: in_pieces(path, data, "wb")  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        safetensors.numpy.save_file, TidyTable.append, Path.write_bytes = save_file, append, replace  # type: ignore[method-assign]


def files_of(folder: Path) -> dict[str, bytes]:
    """Return all that a run has come to, but for the time that it took."""
    files = [folder / "metrics.csv", *(folder / "checkpoints").iterdir(), *(folder / "snapshots").iterdir()]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def is_half_written(folder: Path) -> bool:
    """Say whether something in a run's folder is there in part."""
    from gridrl.checkpoint import TEMPORARY

    return any(folder.rglob(TEMPORARY)) or not (folder / "metrics.csv").read_bytes().endswith(b"\n")


def kill_again_and_again(folder: Path, kills: int, chance: random.Random, while_writing: bool) -> tuple[int, int]:
    """Train a run, and kill the process `kills` times; return how many were, and how many left something half-written.

    They are killed at random instants or, `while_writing`, at the sight of something that is half-written.
    """
    context: Any = multiprocessing.get_context("forkserver" if sys.platform != "win32" else "spawn")
    if sys.platform != "win32":
        context.set_forkserver_preload(PRELOADED)
    done = halves = 0
    while True:
        process = context.Process(target=go_on, args=(str(folder), while_writing and done < kills), daemon=True)
        process.start()
        if done < kills:
            _wait(lambda: _is_at_work(folder, process.pid) or not process.is_alive())  # noqa: B023
            time.sleep(chance.uniform(0, LONGEST))
            if while_writing:
                _wait(lambda: is_half_written(folder) or not process.is_alive())  # noqa: B023
                time.sleep(chance.uniform(0, PIECES * PAUSE))
            process.kill()
        process.join(DEADLINE)
        if process.exitcode == 0:
            return done, halves
        if process.exitcode != -9 or done == kills:
            raise RuntimeError(f"a process that was to go on with {folder} ended with exit code {process.exitcode}")
        done += 1
        halves += is_half_written(folder)


def _is_at_work(folder: Path, pid: int) -> bool:
    with contextlib.suppress(OSError):
        return f"process {pid} " in (folder / ".lock-owner").read_text(encoding="utf-8")
    return False


def _wait(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not happened():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited for {DEADLINE:.0f} seconds in vain")
        time.sleep(0.0005)


def count_kills(
    kills: int, chance: random.Random, while_writing: bool, steps: int = 600, per_run: int = KILLS_OF_A_RUN
) -> tuple[Count, int]:
    """Kill processes `kills` times, in as many runs as that takes; return the count, and how many left halves."""
    count, halves = Count(), 0
    with TemporaryDirectory(prefix="gridrl-faults-") as temporary:
        unbroken: dict[str, dict[str, bytes]] = {}
        while count.tried < kills:
            agent = chance.choice(list(AGENTS))
            if agent not in unbroken:
                begin(Path(temporary) / agent, agent, steps)
                go_on(str(Path(temporary) / agent), is_slow=False)
                unbroken[agent] = files_of(Path(temporary) / agent)
            folder = Path(temporary) / f"{agent}-{count.tried}"
            begin(folder, agent, steps)
            done, half = kill_again_and_again(folder, min(per_run, kills - count.tried), chance, while_writing)
            count.tried += done
            halves += half
            if files_of(folder) == unbroken[agent]:
                count.survived += done
    return count, halves


def count_damages(flips: int, chance: random.Random) -> dict[str, Count]:
    """Cut a checkpoint short at each sixteenth, and change it in one byte `flips` times; survived: it was refused."""
    from gridrl import checkpoint
    from gridrl.errors import UserError

    counts = {"checkpoint cut short": Count(), "one byte changed": Count()}
    with TemporaryDirectory(prefix="gridrl-faults-") as temporary:
        begin(Path(temporary) / "run", "per-dqn", 200)
        go_on(str(Path(temporary) / "run"), is_slow=False)
        path = max((Path(temporary) / "run" / "checkpoints").iterdir())
        data = path.read_bytes()

        def changed(place: int) -> bytes:
            return data[:place] + bytes([data[place] ^ chance.randrange(1, 256)]) + data[place + 1 :]

        damaged = [("checkpoint cut short", data[: len(data) * part // 16]) for part in range(16)]
        damaged += [("one byte changed", changed(chance.randrange(len(data)))) for _ in range(flips)]
        for fault, found in damaged:
            path.write_bytes(found)
            counts[fault].tried += 1
            try:
                checkpoint.load(path)
            except UserError as error:
                counts[fault].survived += path.name in str(error)
    return counts


def main() -> int:
    """Do all faults, and print the table; the exit code is 1 where something was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument(
        "--kills", type=int, default=100, help="processes killed at random instants, and as many while they write"
    )
    parser.add_argument("--flips", type=int, default=500, help="checkpoints with one byte changed")
    parser.add_argument("--seed", type=int, default=0, help="of the instants and the bytes")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    counts = {}
    for fault, while_writing in (("killed at a random instant", False), ("killed while writing", True)):
        counts[fault], halves = count_kills(options.kills, chance, while_writing)
        print(f"{fault}: {halves} of {counts[fault].tried} left something half-written", flush=True)
    counts |= count_damages(options.flips, chance)
    print(f"\n{'fault':30} {'tried':>6} {'survived':>9} {'lost':>6}")
    for fault, count in counts.items():
        print(f"{fault:30} {count.tried:6} {count.survived:9} {count.lost:6}")
    return int(any(count.lost for count in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
