"""`python -m benchmarks.replay`: sample + update of the replays beside the C++ one of cpprb, in one process.

Same batch (32), same observations (320 bytes, as of dense-v0), buffers full. Contestants take turns; each number is a
median over the turns. cpprb is optional: `pip install cpprb`.
"""

import argparse
import os
import platform
from collections.abc import Callable
from statistics import median
from timeit import timeit

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from gridrl_agents.deep.make_replay import make_replay

WIDTH, BATCH = 320, 32
KINDS = ("uniform", "proportional", "rank-based")


def ours(kind: str, capacity: int, runs: int, n_step: int = 1) -> Callable[[], None]:
    """Return one sample + update of a full replay."""
    rng = np.random.default_rng(0)
    replay = make_replay(kind, capacity, WIDTH, torch.uint8, range(runs), gamma=0.99, batch_size=BATCH, n_step=n_step)
    obs = rng.integers(2, size=(256, runs, WIDTH), dtype=np.uint8)
    zeros, ended = np.zeros(runs), rng.random((256, runs)) < 0.01
    for number in range(capacity):
        at = number % 256
        replay.add(obs[at], zeros, zeros, ended[at], ended[at], obs[at])
    priorities = rng.exponential(size=(199, runs, BATCH))
    turn = 0

    def once() -> None:
        nonlocal turn
        turn += 1
        batch = replay.sample()
        replay.update_priorities(batch.place, priorities[turn % 199])

    return once


def peers(capacity: int) -> Callable[[], None] | None:
    """Return the same for cpprb, or None where it is not installed."""
    try:
        import cpprb
    except ImportError:
        return None
    rng = np.random.default_rng(0)
    row = {"shape": WIDTH, "dtype": np.uint8}
    fields = {"obs": row, "act": {"dtype": np.int64}, "rew": {}, "next_obs": row, "done": {}}
    buffer = cpprb.PrioritizedReplayBuffer(capacity, fields, alpha=0.6)
    obs, zeros = rng.integers(2, size=(1000, WIDTH), dtype=np.uint8), np.zeros(1000)
    for _ in range(0, capacity, 1000):
        buffer.add(obs=obs, act=zeros, rew=zeros, next_obs=obs, done=zeros)
    priorities = rng.exponential(size=(199, BATCH))
    turn = 0

    def once() -> None:
        nonlocal turn
        turn += 1
        batch = buffer.sample(BATCH, beta=0.5)
        buffer.update_priorities(batch["indexes"], priorities[turn % 199])

    return once


def main() -> None:
    """Print a table: microseconds of one sample + update of all runs, run-updates a second, ratio to cpprb."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--capacities", type=int, nargs="+", default=[20_000, 1_000_000])
    parser.add_argument("--runs", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--turns", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"{platform.processor() or platform.machine()}, numpy {np.__version__}, torch {torch.__version__}, one thread"
    )
    print(f"{'capacity':>9}  {'replay':<22}{'runs':>4}{'us':>9}{'run-updates/s':>15}{'of cpprb':>10}")
    for capacity in options.capacities:
        for runs in options.runs:
            contestants = {kind: ours(kind, capacity, runs) for kind in KINDS}
            contestants["uniform, 5 steps"] = ours("uniform", capacity, runs, n_step=5)
            peer = peers(capacity)
            if peer is not None:
                contestants["cpprb, one run"] = peer
            times: dict[str, list[float]] = {name: [] for name in contestants}
            for once in contestants.values():
                timeit(once, number=200)
            for _ in range(options.turns):
                for name, once in contestants.items():
                    times[name].append(timeit(once, number=400) / 400)
            base = median(times["cpprb, one run"]) if peer is not None else float("nan")
            for name, all_turns in times.items():
                each, lanes = median(all_turns), 1 if name.startswith("cpprb") else runs
                rate, ratio = lanes / each, lanes * base / each
                print(f"{capacity:>9}  {name:<22}{lanes:>4}{each * 1e6:>9.1f}{rate:>15.0f}{ratio:>10.2f}", flush=True)


if __name__ == "__main__":
    main()
