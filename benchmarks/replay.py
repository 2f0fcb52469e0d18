"""Replays: draw a batch and give it new priorities, ours beside the C++ ones of cpprb."""

from benchmarks.contest import Comparison, Contender, Contest, Work

WIDTH, BATCH = 320, 32  # bytes of an observation, as of dense-v0; transitions drawn for a run
PIECE = 100  # times of drawing and updating
ALPHA, BETA = 0.6, 0.5


def ours(kind: str, capacity: int, num_runs: int) -> Work:
    """Return work of a full replay of ours, in batches of one run."""
    import numpy as np
    import torch

    from gridrl_agents.deep.make_replay import make_replay

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    replay = make_replay(
        kind,
        capacity,
        WIDTH,
        torch.uint8,
        range(num_runs),
        gamma=0.99,
        batch_size=BATCH,
        priority_exponent=ALPHA,
        importance_sampling_exponent=BETA,
    )
    obs = rng.integers(2, size=(256, num_runs, WIDTH), dtype=np.uint8)
    zeros, ended = np.zeros(num_runs), rng.random((256, num_runs)) < 0.01
    for number in range(capacity):
        at = number % 256
        replay.add(obs[at], zeros, zeros, ended[at], ended[at], obs[at])
    priorities = rng.exponential(size=(PIECE, num_runs, BATCH))

    def work() -> int:
        for priority in priorities:
            replay.update_priorities(replay.sample().place, priority)
        return PIECE * num_runs

    return work


def theirs(kind: str, capacity: int) -> Work:
    """Return the same work of cpprb's replay, of which each serves one run."""
    import cpprb
    import numpy as np

    rng = np.random.default_rng(0)
    row = {"shape": WIDTH, "dtype": np.uint8}
    fields = {"obs": row, "act": {"dtype": np.int64}, "rew": {}, "next_obs": row, "done": {}}
    prioritized = kind != "uniform"
    make = cpprb.PrioritizedReplayBuffer if prioritized else cpprb.ReplayBuffer
    buffer = make(capacity, fields, **({"alpha": ALPHA} if prioritized else {}))
    obs, zeros = rng.integers(2, size=(1000, WIDTH), dtype=np.uint8), np.zeros(1000)
    for begin in range(0, capacity, 1000):
        some = slice(min(1000, capacity - begin))
        buffer.add(obs=obs[some], act=zeros[some], rew=zeros[some], next_obs=obs[some], done=zeros[some])
    priorities = rng.exponential(size=(PIECE, BATCH))

    def work() -> int:
        for priority in priorities:
            if prioritized:
                batch = buffer.sample(BATCH, beta=BETA)
                buffer.update_priorities(batch["indexes"], priority)
            else:
                buffer.sample(BATCH)
        return PIECE

    return work


def contest(capacity: int) -> Contest:
    """Return the contest at a capacity; at a million the eight runs take 5 GB."""

    def one(kind: str, num_runs: int) -> Contender:
        settings = {"kind": kind, "capacity": capacity, "num_runs": num_runs}
        return Contender(f"gridrl, {kind}, R = {num_runs}", "batches", ours, settings)

    def peer(kind: str) -> Contender:
        return Contender(f"cpprb, {kind}", "batches", theirs, {"kind": kind, "capacity": capacity}, needs=("cpprb",))

    number = f"{capacity:,}".replace(",", " ")
    cpprb = "cpprb, proportional"
    return Contest(
        f"replay-{capacity}",
        f"A full replay of {number} transitions of 2 x 320 bytes: draw 32 and give them new priorities.",
        (
            one("proportional", 1),
            peer("proportional"),
            one("proportional", 8),
            one("rank-based", 1),
            one("uniform", 1),
            peer("uniform"),
        ),
        (
            Comparison(f"PER replay of {number}, one run", "gridrl, proportional, R = 1", cpprb, 0.5),
            Comparison(f"PER replay of {number}, eight runs", "gridrl, proportional, R = 8", cpprb, 2),
            Comparison(f"by rank, {number}, one run", "gridrl, rank-based, R = 1", cpprb),
            Comparison(f"uniform replay of {number}, one run", "gridrl, uniform, R = 1", "cpprb, uniform"),
        ),
    )


SMALL, LARGE = contest(20_000), contest(1_000_000)
