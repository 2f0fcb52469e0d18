"""How runs are put together into groups that learn in lockstep, each group in a process of its own.

A step of a group goes through the networks, moments and gradients of all its runs. While these fit a few times into the
cache that a core has to itself, every further run is cheaper than the first; then memory is what is waited for.
"""

import os
from pathlib import Path

CACHES_OF_A_GROUP = (
    8  # networks of 64 to 512 units a layer were fastest where a step went through 8 to 17 caches' worth
)
USUAL_CACHE = 2**20  # bytes, where the machine does not say
WORTH_A_PROCESS = 2**20  # bytes of a step: with less, two processes are hardly faster than one


def group_sizes(num_runs: int, run_bytes: int, processes: int | None = None, cache: int | None = None) -> list[int]:
    """Return how many runs each group has, as even as can be; what a run learns does not depend on it.

    `run_bytes` is what a learning step of one run goes through. `processes` None: one for each core, as far as that is
    worth it; `cache`: bytes of a core's own, this machine's where it is None.
    """
    run_bytes = max(run_bytes, 1)
    largest = max(CACHES_OF_A_GROUP * (cache or core_cache()) // run_bytes, 1)
    side_by_side = min(processes or max(min(num_cores(), num_runs * run_bytes // WORTH_A_PROCESS), 1), num_runs)
    rounds = -(-num_runs // (largest * side_by_side))  # of groups that each process trains, one after the other
    groups = min(rounds * side_by_side, num_runs)
    return [num_runs // groups + (number < num_runs % groups) for number in range(groups)]


def num_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def core_cache(core: Path = Path("/sys/devices/system/cpu/cpu0/cache")) -> int:
    """Return the bytes of the largest cache that a core has to itself (the second level's)."""
    for index in sorted(core.glob("index*")):
        try:
            if (index / "level").read_text().strip() == "2":
                return int((index / "size").read_text().strip().removesuffix("K")) * 1024
        except (OSError, ValueError):
            break
    return USUAL_CACHE
