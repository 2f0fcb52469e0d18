"""Put a replay together on a device, if the device has the memory."""

from collections.abc import Sequence

import torch

from gridrl_agents.deep.home import Home
from gridrl_agents.deep.make_replay import SAMPLER_BYTES, num_bytes
from gridrl_agents.deep.on_device.importance import DeviceImportanceWeights
from gridrl_agents.deep.on_device.proportional import DeviceProportional
from gridrl_agents.deep.on_device.rank_based import DeviceRankBased
from gridrl_agents.deep.on_device.replay import DeviceReplay, DeviceSampler
from gridrl_agents.deep.on_device.uniform import DeviceUniform
from gridrl_agents.errors import SettingsError, check_known


def make_replay(
    home: Home,
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
) -> DeviceReplay:
    """Return an empty replay on the device of `home`; all else is as in the host's `make_replay`."""
    check_known("replay", kind, SAMPLER_BYTES)
    needed = num_bytes(kind, capacity, width, dtype, len(seeds))
    try:
        if needed > home.memory():
            raise MemoryError
        sampler: DeviceSampler
        if kind == "uniform":
            sampler = DeviceUniform(home.device, seeds, batch_size)
        else:
            prioritized = DeviceProportional if kind == "proportional" else DeviceRankBased
            weights = DeviceImportanceWeights(importance_sampling_exponent, importance_sampling_steps)
            sampler = prioritized(home.device, seeds, capacity, batch_size, exponent=priority_exponent, weights=weights)
        replay = DeviceReplay(home, capacity, width, dtype, sampler, len(seeds), gamma=gamma, n_step=n_step)
        replay.num_bytes = needed
        return replay
    except (MemoryError, torch.OutOfMemoryError):
        raise SettingsError(
            f"the replay of {capacity} transitions for each of {len(seeds)} runs needs {needed / 1e9:.1f} GB of memory "
            f"and {home.name} cannot give it; lower replay_capacity or the number of seeds."
        ) from None
