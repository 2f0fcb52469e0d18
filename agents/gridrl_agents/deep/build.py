"""Put a DQN together from its settings: the one place where settings become parts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gridrl_agents.base import check_seeds
from gridrl_agents.deep.adam import Adam
from gridrl_agents.deep.configure import configure_torch
from gridrl_agents.deep.dqn import DQN
from gridrl_agents.deep.encoder import make_encoder
from gridrl_agents.deep.losses import LOSSES
from gridrl_agents.deep.network import Network, initialise
from gridrl_agents.deep.replay import UniformReplay
from gridrl_agents.deep.settings import DQNSettings
from gridrl_agents.spaces import num_actions

if TYPE_CHECKING:
    import numpy as np
    from gymnasium import Space


def build_dqn(
    observation_space: "Space",
    action_space: "Space",
    seeds: Sequence[int],
    observation_support: "np.ndarray | None",
    settings: DQNSettings,
) -> DQN:
    """Return a DQN with one run for each of `seeds`; raises `SettingsError` for spaces that do not suit.

    Sets torch to one thread and to flush denormals, for the whole process.
    """
    configure_torch()
    seeds, actions = check_seeds(seeds), num_actions(action_space)
    encoder = make_encoder(observation_space, observation_support)
    widths = (encoder.live.size, *settings.hidden_sizes, actions)
    online, target = Network(len(seeds), widths), Network(len(seeds), widths)
    initialise(online, seeds, encoder.num_inputs, encoder.live)
    replay = UniformReplay(
        settings.replay_capacity,
        encoder.stored_width,
        encoder.stored_dtype,
        seeds,
        gamma=settings.gamma,
        batch_size=settings.batch_size,
    )
    optimizer = Adam(
        online.parameters,
        learning_rate=settings.learning_rate,
        beta1=settings.adam_beta1,
        beta2=settings.adam_beta2,
        epsilon=settings.adam_epsilon,
    )
    return DQN(seeds, actions, encoder, online, target, replay, optimizer, LOSSES[settings.loss], settings)
