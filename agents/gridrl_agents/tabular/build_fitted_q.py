"""Put the agent of fitted Q-iteration together from its settings, with a table or a network."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gridrl_agents.base import check_seeds
from gridrl_agents.spaces import num_actions
from gridrl_agents.tabular.fitted_q import TableRegressor
from gridrl_agents.tabular.fitted_q_agent import FittedQ
from gridrl_agents.tabular.index import make_index
from gridrl_agents.tabular.settings import FittedQSettings

if TYPE_CHECKING:
    from gymnasium import Space


def build_fitted_q(
    observation_space: "Space",
    action_space: "Space",
    seeds: Sequence[int],
    observation_support: np.ndarray | None,
    settings: FittedQSettings,
) -> FittedQ:
    """Return the agent with one run for each of `seeds`; raises `SettingsError` for spaces that do not suit.

    With a network, sets torch to one thread and to flush denormals, for the whole process.
    """
    seeds, actions = check_seeds(seeds), num_actions(action_space)
    if settings.regressor == "table":
        table = TableRegressor(len(seeds), actions, settings.initial_value)
        return FittedQ(seeds, actions, make_index(observation_space, len(seeds)), (), np.int64, table, settings)

    from gridrl_agents.deep.regressor import NetworkFeatures, make_network_regressor

    names = "hidden_sizes", "learning_rate", "batch_size", "fit_updates", "reward_scale"
    chosen = {name: getattr(settings, name) for name in names}
    network, encoder = make_network_regressor(observation_space, observation_support, seeds, actions, **chosen)
    features = NetworkFeatures(encoder)
    return FittedQ(seeds, actions, features, features.shape, features.dtype, network, settings)
