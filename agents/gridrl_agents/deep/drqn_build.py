"""Put a DRQN together from its settings."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from gridrl_agents.base import check_seeds
from gridrl_agents.deep.adam import Adam
from gridrl_agents.deep.configure import configure_torch
from gridrl_agents.deep.drqn import DRQN
from gridrl_agents.deep.drqn_settings import DRQNSettings
from gridrl_agents.deep.encoder import make_encoder
from gridrl_agents.deep.home import HOST, Home
from gridrl_agents.deep.layers import Layers
from gridrl_agents.deep.part import Chain, Part
from gridrl_agents.deep.recurrent import RecurrentNetwork
from gridrl_agents.deep.sequences import SequenceReplay, num_bytes
from gridrl_agents.deep.torsos import make_torso
from gridrl_agents.errors import SettingsError
from gridrl_agents.spaces import num_actions

if TYPE_CHECKING:
    import numpy as np
    from gymnasium import Space


def build_drqn(
    observation_space: "Space",
    action_space: "Space",
    seeds: Sequence[int],
    observation_support: "np.ndarray | None",
    settings: DRQNSettings,
    home: Home = HOST,
) -> DRQN:
    """Return a DRQN with one run for each of `seeds`; raises `SettingsError` for spaces that do not suit.

    All that learns, and what it learns from, lives in `home`. Sets torch to one thread and to flush denormals, for the
    whole process.
    """
    configure_torch()
    seeds, actions = check_seeds(seeds), num_actions(action_space)
    torso, hidden = make_torso(settings.torso, observation_space), settings.hidden_sizes
    encoder = make_encoder(observation_space, observation_support if torso is None else None)
    before: Part
    if torso is None:
        before = Layers((encoder.live.size, *hidden), rectified=True, num_inputs=encoder.num_inputs, live=encoder.live)
    else:
        before = Chain([torso, Layers((torso.num_outputs, *hidden), rectified=True)])
    online, target = (RecurrentNetwork(len(seeds), before, settings.lstm_size, actions, home.device) for _ in range(2))
    online.initialise(seeds)
    capacity, shape = settings.replay_capacity, (encoder.stored_width, encoder.stored_dtype, online.state_width)
    needed = num_bytes(capacity, *shape, len(seeds))
    try:
        if needed > home.memory():
            raise MemoryError
        replay = SequenceReplay(
            capacity,
            *shape,
            seeds,
            gamma=settings.gamma,
            batch_size=settings.batch_size,
            length=settings.burn_in + settings.sequence_length,
            home=home,
        )
        replay.num_bytes = needed
    except (MemoryError, torch.OutOfMemoryError):
        raise SettingsError(
            f"the replay of {capacity} steps for each of {len(seeds)} runs needs {needed / 1e9:.1f} GB of memory and "
            f"{home.name} cannot give it; lower replay_capacity or the number of seeds."
        ) from None
    optimizer = Adam(
        online.parameters, learning_rate=settings.learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8
    )  # Adam's own defaults (Kingma & Ba 2015)
    return DRQN(seeds, encoder, online, target, replay, optimizer, settings, home)
