"""`python -m benchmarks.solver`: seconds and memory of the exact solution of levels of 2e4 to 1e6 states.

Each solution is found in a fresh process, so that its peak memory is its own, and the processes of all levels take
turns; the numbers are medians. The seconds of `solve` hold everything from the level to V*, Q* and the policy; those of
the command hold the start of Python, the episodes, the picture and the files as well. Beside the wall clock stands the
processor's time, which other work on the machine does not lengthen as much.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from statistics import median

os.environ.setdefault("OMP_NUM_THREADS", "1")

from gridrl.truth.solution import solve
from gridrl_envs.level import Level
from gridrl_envs.options import configure

# 62 cells and 14 items without patrollers: 1 015 808 states.
WIDE = """
##############
#P $ @ # $   #
# #$#$     @ #
#$ @ #   # $ #
# $#@ $#     #
#      # @ # #
#   $    #   #
##############
"""
LEVELS: dict[str, tuple[str, int | None]] = {
    "dense-small": ("dense-small", None),
    "dense, 2 coins": ("dense", 2),
    "dense, 3 coins": ("dense", 3),
    "wide": (WIDE, None),
}


def once(name: str, slip: float, gamma: float) -> dict[str, float]:
    """Solve one level in this process and return what it took."""
    source, coins = LEVELS[name]
    level = configure(Level.load(source), coins, slip=slip)
    wall, processor = time.perf_counter(), time.process_time()
    solution = solve(level, gamma)
    return {
        "states": solution.state_index.num_states,
        "wall": time.perf_counter() - wall,
        "processor": time.process_time() - processor,
        "sweeps": solution.num_sweeps,
        "MB": peak_megabytes(resource.RUSAGE_SELF),
    }


def command(name: str, slip: float, gamma: float) -> dict[str, float]:
    """Run `gridrl solve` on one level as the one child of this process and return what it took."""
    source, coins = LEVELS[name]
    with tempfile.TemporaryDirectory() as folder:
        if "\n" in source:
            with open(f"{folder}/level.txt", "w") as file:
                file.write(source)
            source = "level.txt"
        arguments = [source, "--gamma", str(gamma), "--slip", str(slip)]
        arguments += [] if coins is None else ["--coins", str(coins)]
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "gridrl", "solve", *arguments], cwd=folder, check=True, capture_output=True
        )
        wall = time.perf_counter() - begun
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall": wall, "processor": usage.ru_utime + usage.ru_stime, "MB": peak_megabytes(resource.RUSAGE_CHILDREN)}


def peak_megabytes(who: int) -> float:
    """Return the peak resident memory in MB (10^6 bytes); Linux counts in KiB, macOS in bytes."""
    return resource.getrusage(who).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--gamma", type=float, default=0.99)
    parser.add_argument("--one", nargs=3, metavar=("WHAT", "LEVEL", "SLIP"), help="for the processes of this program")
    options = parser.parse_args()
    if options.one:
        what, name, slip = options.one
        measure = {"solve": once, "command": command}[what]
        print(json.dumps(measure(name, float(slip), options.gamma)))
        return

    contestants = [(what, name, slip) for name in LEVELS for slip in ("0", "0.2") for what in ("solve", "command")]
    found: dict[tuple[str, str, str], list[dict[str, float]]] = {each: [] for each in contestants}
    for _ in range(options.turns):
        for each in contestants:
            arguments = [sys.executable, "-m", "benchmarks.solver", "--gamma", str(options.gamma), "--one", *each]
            done = subprocess.run(arguments, check=True, capture_output=True, text=True)
            found[each].append(json.loads(done.stdout))
    print(f"{platform.processor() or platform.machine()}, one thread, gamma {options.gamma:g}, {options.turns} turns")
    heads = [f"{head:>8}" for head in ("solve s", "(cpu)", "MB", "all s", "(cpu)", "MB")]
    print(f"{'level':<16}{'states':>9}{'slip':>6}{'sweeps':>8}", *heads, sep="")
    for name in LEVELS:
        for slip in ("0", "0.2"):
            solved, commanded = found["solve", name, slip], found["command", name, slip]
            row = [median(turn[key] for turn in solved) for key in ("states", "sweeps", "wall", "processor", "MB")]
            row += [median(turn[key] for turn in commanded) for key in ("wall", "processor", "MB")]
            states, sweeps, *rest = row
            print(
                f"{name:<16}{states:>9.0f}{slip:>6}{sweeps:>8.0f}"
                + "{:>8.2f}{:>8.2f}{:>8.0f}{:>8.2f}{:>8.2f}{:>8.0f}".format(*rest),
                flush=True,
            )


if __name__ == "__main__":
    main()
