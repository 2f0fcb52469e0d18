"""Put an agent of the DQN family together: the one place where settings become parts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gridrl_agents.base import check_seeds
from gridrl_agents.deep.categorical import Categorical
from gridrl_agents.deep.configure import configure_torch
from gridrl_agents.deep.convolutional import Convolutions
from gridrl_agents.deep.double import greedy_in_online, greedy_in_target
from gridrl_agents.deep.dueling import Dueling
from gridrl_agents.deep.encoder import Encoder, make_encoder
from gridrl_agents.deep.home import HOST, Home
from gridrl_agents.deep.layers import Layers
from gridrl_agents.deep.learned import Learned
from gridrl_agents.deep.learner import DQN
from gridrl_agents.deep.losses import LOSSES
from gridrl_agents.deep.mean import Mean
from gridrl_agents.deep.network import Network, PlainNetwork
from gridrl_agents.deep.noisy import NoisyNetwork
from gridrl_agents.deep.optimizers import make_optimizer
from gridrl_agents.deep.part import Chain, Part
from gridrl_agents.deep.quantile import Quantile
from gridrl_agents.deep.settings import DQNSettings
from gridrl_agents.deep.torsos import make_torso
from gridrl_agents.errors import SettingsError
from gridrl_agents.spaces import num_actions

if TYPE_CHECKING:
    import numpy as np
    from gymnasium import Space

ONLINE, TARGET = range(2)  # keys of the networks' own noise


def build_dqn(
    observation_space: "Space",
    action_space: "Space",
    seeds: Sequence[int],
    observation_support: "np.ndarray | None",
    return_bounds: tuple[float, float] | None,
    settings: DQNSettings,
    home: Home = HOST,
) -> DQN:
    """Return a DQN with one run for each of `seeds`; raises `SettingsError` for spaces that do not suit.

    All that learns, and what it learns from, lives in `home`. Sets torch to one thread and to flush denormals, for the
    whole process.
    """
    configure_torch()
    seeds, actions = check_seeds(seeds), num_actions(action_space)
    torso = make_torso(settings.torso, observation_space)
    encoder = make_encoder(observation_space, observation_support if torso is None else None)
    learned = make_learned(settings, return_bounds, home)
    part = make_part(encoder, torso, actions, learned.num_atoms, settings)
    online, target = (make_network(part, seeds, key, settings, home) for key in (ONLINE, TARGET))
    online.initialise(seeds)
    replay = home.make_replay(
        settings.replay,
        settings.replay_capacity,
        encoder.stored_width,
        encoder.stored_dtype,
        seeds,
        gamma=settings.gamma,
        batch_size=settings.batch_size,
        n_step=settings.n_step,
        priority_exponent=settings.priority_exponent,
        importance_sampling_exponent=settings.importance_sampling_exponent,
        importance_sampling_steps=settings.importance_sampling_steps,
    )
    optimizer = make_optimizer(online.parameters, settings)
    select = greedy_in_online if settings.double else greedy_in_target
    return DQN(seeds, actions, encoder, online, target, select, learned, replay, optimizer, settings, home)


def make_learned(settings: DQNSettings, return_bounds: tuple[float, float] | None, home: Home) -> Learned:
    """Return what is learned of the return; raises `SettingsError` for a distribution whose support is not known."""
    if settings.distribution == "mean":
        return Mean(LOSSES[settings.loss])
    if settings.distribution == "quantile":
        return Quantile(settings.num_quantiles, settings.quantile_huber_threshold, home.device)
    v_min, v_max = make_support(settings, return_bounds)
    return Categorical(settings.reward_scale * v_min, settings.reward_scale * v_max, settings.num_atoms, home.device)


def make_support(settings: DQNSettings, return_bounds: tuple[float, float] | None) -> tuple[float, float]:
    """Return v_min < v_max in units of reward: the settings, and where they are silent the environment's bounds."""
    low, high = (None, None) if return_bounds is None else return_bounds
    v_min = low if settings.v_min is None else settings.v_min
    v_max = high if settings.v_max is None else settings.v_max
    if v_min is None or v_max is None:
        raise SettingsError(
            "a categorical distribution must know which returns are possible, and this environment does not say; "
            "set v_min and v_max, or choose the quantile distribution, which needs no bounds."
        )
    if v_min >= v_max:
        raise SettingsError(f"v_min must be below v_max, not {v_min:g} and {v_max:g}; set v_min and v_max.")
    return v_min, v_max


def make_part(encoder: Encoder, torso: Convolutions | None, actions: int, atoms: int, settings: DQNSettings) -> Part:
    """Return the network's parts: torso, hidden layers, a linear output, or two streams from the last hidden layer."""
    inputs, hidden = encoder.live.size, settings.hidden_sizes
    known: dict[str, Any] = {"num_inputs": encoder.num_inputs, "live": encoder.live}
    parts: list[Part] = []
    if torso is not None:
        parts, inputs, known = [torso], torso.num_outputs, {}
    if not settings.dueling:
        parts += [Layers((inputs, *hidden, actions * atoms), **known)]
    elif len(hidden) < 2:
        parts += [Dueling((inputs, *hidden), actions, atoms, **known)]
    else:
        parts += [Layers((inputs, *hidden[:-1]), rectified=True, **known), Dueling(hidden[-2:], actions, atoms)]
    return parts[0] if len(parts) == 1 else Chain(parts)


def make_network(part: Part, seeds: Sequence[int], key: int, settings: DQNSettings, home: Home) -> Network:
    """Return a network of zeros for one run for each of `seeds`, noisy or not."""
    if settings.noisy:
        return NoisyNetwork(len(seeds), part, settings.noisy_sigma, seeds, key, home)
    return PlainNetwork(len(seeds), part, home.device)
