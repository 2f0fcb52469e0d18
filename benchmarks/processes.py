"""DQN on all cores: groups of four runs, one process per core, beside Stable-Baselines3, one process per core."""

import os

from benchmarks.contest import Comparison, Contender, Contest
from benchmarks.dqn import SB3, ours, theirs

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
OURS, THEIRS = f"gridrl, {CORES} processes of 4 runs", f"Stable-Baselines3, {CORES} processes"

CONTEST = Contest(
    "processes",
    f"As dqn, one process on each of the {CORES} cores at the same time; rates added up.",
    (
        Contender(OURS, "updates", ours, {"num_runs": 4}, processes=CORES),
        Contender(THEIRS, "updates", theirs, processes=CORES, needs=SB3),
    ),
    (Comparison(f"DQN, {CORES} cores", OURS, THEIRS, 8),),
)
