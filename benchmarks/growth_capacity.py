"""The time of a replay's work for one step by the number of transitions that it holds."""

from itertools import cycle, islice
from math import ceil

from benchmarks.contest import Contender, Work
from benchmarks.growth import Growth, Line, Part
from benchmarks.replay import ALPHA, BATCH, BETA, WIDTH

CAPACITIES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
KINDS = ("uniform", "proportional", "rank-based")
WIDTHS = {1: WIDTH, 8: 32}  # bytes of an observation by runs: eight replays of a million then take 1 GB
PIECE = 100  # steps


def replay_steps(kind: str, capacity: int, num_runs: int) -> Work:
    """Return work of a full replay, in steps: keep a transition of each run, draw a batch, give it new priorities."""
    import numpy as np
    import torch

    from gridrl_agents.deep.make_replay import make_replay

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    width = WIDTHS[num_runs]
    replay = make_replay(
        kind,
        capacity,
        width,
        torch.uint8,
        range(num_runs),
        gamma=0.99,
        batch_size=BATCH,
        priority_exponent=ALPHA,
        importance_sampling_exponent=BETA,
    )
    obs, zeros = rng.integers(2, size=(256, num_runs, width), dtype=np.uint8), np.zeros(num_runs)
    steps = cycle(
        zip(obs, rng.random((256, num_runs)) < 0.01, rng.exponential(size=(256, num_runs, BATCH)), strict=True)
    )

    def add(now: np.ndarray, ended: np.ndarray) -> None:
        replay.add(now, zeros, zeros, ended, ended, now)

    for now, ended, _ in islice(steps, capacity):
        add(now, ended)
    piece = steps_between_sorts(capacity) if kind == "rank-based" else PIECE

    def work() -> int:
        for now, ended, priority in islice(steps, piece):
            add(now, ended)
            replay.update_priorities(replay.sample().place, priority)
        return piece

    return work


def steps_between_sorts(capacity: int) -> int:
    """Return after how many steps a rank-based replay sorts again: each piece has its share of that."""
    from gridrl_agents.deep.rank_based import SORT_SHARE

    return ceil(SORT_SHARE * capacity / (BATCH + 1))


def _line(kind: str, num_runs: int) -> Line:
    name = f"{kind}, {num_runs} run{'s' if num_runs > 1 else ''}"

    def contender(capacity: int) -> Contender:
        settings = {"kind": kind, "capacity": capacity, "num_runs": num_runs}
        return Contender(f"{name}, {capacity} places", "steps", replay_steps, settings)

    return Line(name, CAPACITIES, tuple(map(contender, CAPACITIES)))


GROWTH = Growth(
    "growth-capacity",
    f"A full replay's work for one step of all runs, by its capacity: keep a transition, draw {BATCH}, give them new "
    f"priorities; observations of {WIDTHS[1]} bytes, {WIDTHS[8]} with eight runs. By rank, the sorting now and then "
    "is in the time.",
    "transitions in the replay, of each run",
    "a replay's step of all runs",
    (Part("", "0"),),
    tuple(_line(kind, num_runs) for num_runs in WIDTHS for kind in KINDS),
)
