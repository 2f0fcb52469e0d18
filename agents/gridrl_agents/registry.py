"""The agents by name. Names exist only here; the agents themselves are built from parts."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gridrl_agents.deep.settings import DQNSettings
from gridrl_agents.errors import check_known
from gridrl_agents.tabular.settings import QLearningSettings

if TYPE_CHECKING:
    import numpy as np
    from gymnasium import Space

    from gridrl_agents.base import Agent

Build = Callable[["Space", "Space", Sequence[int], "np.ndarray | None", Any], "Agent"]


def _q_learning(
    observation_space: "Space",
    action_space: "Space",
    seeds: Sequence[int],
    observation_support: "np.ndarray | None",
    settings: QLearningSettings,
) -> "Agent":
    from gridrl_agents.tabular.q_learning import QLearning

    return QLearning(observation_space, action_space, seeds, settings)


def _dqn(
    observation_space: "Space",
    action_space: "Space",
    seeds: Sequence[int],
    observation_support: "np.ndarray | None",
    settings: DQNSettings,
) -> "Agent":
    from gridrl_agents.deep.build import build_dqn

    return build_dqn(observation_space, action_space, seeds, observation_support, settings)


class _Entry(NamedTuple):
    line: str
    settings: type
    build: Build
    prefers_state: bool


_AGENTS = {
    "q-learning": _Entry("a table and one-step bootstrapping (Watkins 1989)", QLearningSettings, _q_learning, True),
    "dqn": _Entry("a network, replay and a target network (Mnih et al. 2015)", DQNSettings, _dqn, False),
}


def agent_names() -> list[str]:
    """Return the names that `make` knows."""
    return list(_AGENTS)


def describe(name: str) -> str:
    """Return what an agent is, in one line; raises `SettingsError` for an unknown name."""
    return _entry(name).line


def settings_class(name: str) -> type:
    """Return an agent's frozen dataclass of settings; raises `SettingsError` for an unknown name."""
    return _entry(name).settings


def prefers_state(name: str) -> bool:
    """Say whether an agent does best with a state's index (a table) or with features (a network)."""
    return _entry(name).prefers_state


def make(
    name: str,
    observation_space: "Space",
    action_space: "Space",
    seeds: Sequence[int],
    *,
    observation_support: "np.ndarray | None" = None,
    **settings: Any,
) -> "Agent":
    """Return an agent with one run for each of `seeds`.

    `observation_support` (bool, in the observation's shape) marks the entries that can ever be other than zero;
    networks read only these, and tables have no use for it. A deep agent sets torch to one thread and to flush
    denormals, for the whole process (see `gridrl_agents.deep.configure`). Raises `SettingsError` for an unknown name or
    setting (with the nearest right one), a setting out of range, or a space that the agent cannot take.
    """
    entry = _entry(name)
    known = [field.name for field in dataclasses.fields(entry.settings)]
    for setting in settings:
        check_known(f"setting of {name}", setting, known)
    return entry.build(observation_space, action_space, seeds, observation_support, entry.settings(**settings))


def _entry(name: str) -> _Entry:
    check_known("agent", name, _AGENTS)
    return _AGENTS[name]
