"""Put a replay together from its settings, if the machine has the memory."""

import math
import os
from collections.abc import Sequence

import torch

from gridrl_agents.deep.importance import ImportanceWeights
from gridrl_agents.deep.proportional import Proportional
from gridrl_agents.deep.rank_based import RankBased
from gridrl_agents.deep.replay import Replay, Sampler
from gridrl_agents.deep.sum_tree import FAN_OUT
from gridrl_agents.deep.uniform import Uniform
from gridrl_agents.errors import SettingsError, check_known

TREE = 8 * FAN_OUT / (FAN_OUT - 1)  # bytes of a place's mass and of its share of the sums above
# Bytes that each way of drawing keeps of a transition. By rank: a tree, priorities as kept and sorted, permutations.
SAMPLER_BYTES = {"uniform": 0.0, "proportional": TREE, "rank-based": TREE + 2 * 4 + 2 * 8}


def num_bytes(kind: str, capacity: int, width: int, dtype: torch.dtype, runs: int) -> int:
    """Return the memory that a replay with these settings takes once it is full, in bytes."""
    row = width * torch.empty(0, dtype=dtype).element_size()
    fields = 2 * row + 8 + 4 + 4 + 1  # two observations, action, reward, discount, ended
    shared = 8 if kind == "rank-based" else 0  # the mass of each rank, the same for all runs
    return round(capacity * (runs * (fields + SAMPLER_BYTES[kind]) + shared))


def make_replay(
    kind: str,
    capacity: int,
    width: int,
    dtype: torch.dtype,
    seeds: Sequence[int],
    *,
    gamma: float,
    batch_size: int,
    n_step: int = 1,
    priority_exponent: float = 0.6,
    importance_sampling_exponent: float = 0.4,
    importance_sampling_steps: int = 80_000,
) -> Replay:
    """Return an empty replay, a run for each of `seeds`; observations are rows of `width` numbers of `dtype`.

    `kind` is "uniform", "proportional" or "rank-based"; only the latter two read the last three settings. Raises
    `SettingsError` for another kind, and where the machine has not the memory.
    """
    check_known("replay", kind, SAMPLER_BYTES)
    needed = num_bytes(kind, capacity, width, dtype, len(seeds))
    try:
        if needed > physical_memory():
            raise MemoryError
        sampler: Sampler
        if kind == "uniform":
            sampler = Uniform(seeds, batch_size)
        else:
            prioritized = Proportional if kind == "proportional" else RankBased
            weights = ImportanceWeights(importance_sampling_exponent, importance_sampling_steps)
            sampler = prioritized(seeds, capacity, batch_size, exponent=priority_exponent, weights=weights)
        replay = Replay(capacity, width, dtype, sampler, len(seeds), gamma=gamma, n_step=n_step)
        replay.num_bytes = needed
        return replay
    except MemoryError:
        raise SettingsError(
            f"the replay of {capacity} transitions for each of {len(seeds)} runs needs {needed / 1e9:.1f} GB of memory "
            "and this machine cannot give it; lower replay_capacity or the number of seeds."
        ) from None


def physical_memory() -> float:
    """Return how many bytes of memory this machine has; inf where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not every system knows these names
        return math.inf
