"""What an agent takes over from another one: of other settings, or in another world, whose observations read otherwise.

Which numbers of a network read which input is found by numbering them and looking where the numbers are.
"""

from typing import Any

import numpy as np
import torch

from gridrl_agents.deep.encoder import Encoder
from gridrl_agents.deep.network import Network
from gridrl_agents.errors import SettingsError

MAY_CHANGE = (  # without a change of what was learned, or of what it means
    "batch_size",
    "learning_rate",
    "adam_beta1",
    "adam_beta2",
    "adam_epsilon",
    "rmsprop_decay",
    "rmsprop_epsilon",
    "max_gradient_norm",
    "loss",
    "gamma",
    "min_replay_size",
    "learn_period",
    "target_update_period",
    "target_update_rate",
    "epsilon_begin",
    "epsilon_end",
    "epsilon_decay_steps",
    "double",
    "v_min",  # that the returns between them are the same is asked apart from it
    "v_max",
    "quantile_huber_threshold",
    "importance_sampling_exponent",
    "importance_sampling_steps",
    "n_step",
)


def check_settings(settings: Any, before: Any) -> None:
    """Raise `SettingsError` where what was learned with the settings `before` means another thing with `settings`."""
    if wrong := [
        name for name, value in vars(settings).items() if name not in MAY_CHANGE and value != getattr(before, name)
    ]:
        raise SettingsError(
            f"{' and '.join(wrong)} cannot change on the way, as what was learned would not fit; begin anew with it."
        )


def set_gamma(replay: dict[str, Any], before: float, gamma: float) -> list[str]:
    """Let a saved replay's discounts be those of another gamma; where they cannot, empty it, and say so."""
    if before == gamma:
        return []
    discount = replay["kept"]["discount"]
    discount[discount > 0] = gamma
    if before > 0:
        return []
    replay["kept"]["discount"][:] = 0.0
    return ["what the replay holds goes on to be learned with gamma 0: it did not keep what ends an episode."]


def columns(mine: Network, theirs: Network, my_encoder: Encoder, their_encoder: Encoder, entries: np.ndarray) -> Any:
    """Return for each parameter of a network where it stands among those of another, int64 [P]; -1: nowhere.

    Both are built alike, but for what they read: entry i of an observation is what `entries[i]` is to the other.
    """
    position = np.full(their_encoder.num_inputs + 1, -1)  # the last one: of what is none of its entries
    position[their_encoder.live] = np.arange(their_encoder.live.size)
    read = position[entries[my_encoder.live]]
    here, there = (_numbers(network.parameters.shape[1]) for network in (mine, theirs))
    my_readers, their_readers = mine.readers(here), theirs.readers(there)
    rest, their_rest = _others(here, my_readers), _others(there, their_readers)
    if rest.shape != their_rest.shape:
        raise SettingsError("what is seen there needs a network of another shape; it begins anew.")
    found = np.full(here.shape[1], -1)
    found[rest] = their_rest
    for my_reader, their_reader in zip(my_readers, their_readers, strict=True):
        channels = my_reader.shape[1]
        known = read if channels >= read.size else entries[:channels]  # filters: of each channel, the first cell's
        at = np.flatnonzero(known >= 0)
        found[_whole(my_reader)[at]] = _whole(their_reader)[known[at]]
    return found


def carried(parameters: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return parameters [R, P'] put where `columns` found them, [R, P], and zeros elsewhere."""
    return np.where(found >= 0, parameters[:, found], np.float32(0.0))


def _numbers(count: int) -> torch.Tensor:
    return torch.arange(count, dtype=torch.float64)[None]


def _whole(numbers: torch.Tensor) -> np.ndarray:
    return numbers[0].numpy().astype(np.int64)


def _others(numbers: torch.Tensor, readers: list[torch.Tensor]) -> np.ndarray:
    is_other = np.ones(numbers.shape[1], dtype=bool)
    for reader in readers:
        is_other[_whole(reader)] = False
    return np.flatnonzero(is_other)
