"""The agents by name. Names exist only here; the agents themselves are built from parts."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from gridrl_agents.deep.drqn_settings import DRQNSettings
from gridrl_agents.deep.recipes import RECIPES
from gridrl_agents.errors import SettingsError, check_known, check_number
from gridrl_agents.tabular.rules import RULES
from gridrl_agents.tabular.settings import FittedQSettings

if TYPE_CHECKING:
    import numpy as np
    from gymnasium import Space

    from gridrl_agents.base import Agent


class Task(NamedTuple):
    """What an agent is built for: all that it is told of its environment, and the runs' seeds."""

    observation_space: "Space"
    action_space: "Space"
    seeds: Sequence[int]
    observation_support: "np.ndarray | None"
    return_bounds: tuple[float, float] | None
    device: str


class _Entry(NamedTuple):
    line: str
    paper: str
    settings: type
    build: Callable[[Task, Any], "Agent"]
    prefers_state: bool
    remembers: bool = False
    moves: bool = False  # to a device, where it learns as well


def _table(module: str, name: str) -> Callable[[Task, Any], "Agent"]:
    """Return what builds a tabular agent, the class `name` in `module`, imported when it is built."""

    def build(task: Task, settings: Any) -> "Agent":
        agent = getattr(import_module(f"gridrl_agents.tabular.{module}"), name)
        return agent(task.observation_space, task.action_space, task.seeds, settings)

    return build


def _fitted_q(task: Task, settings: Any) -> "Agent":
    from gridrl_agents.tabular.build_fitted_q import build_fitted_q

    return build_fitted_q(*task[:4], settings)


def _network(task: Task, settings: Any) -> "Agent":
    from gridrl_agents.deep.build import build_dqn
    from gridrl_agents.deep.find_home import find_home

    return build_dqn(*task[:5], settings, find_home(task.device))


def _recurrent_network(task: Task, settings: Any) -> "Agent":
    from gridrl_agents.deep.drqn_build import build_drqn
    from gridrl_agents.deep.find_home import find_home

    return build_drqn(*task[:4], settings, find_home(task.device))


_AGENTS = {
    **{
        name: _Entry(rule.line, rule.paper, rule.settings, _table(rule.module, rule.agent), True)
        for name, rule in RULES.items()
    },
    "fitted-q": _Entry(
        "a table or a network, fitted to the backups of a whole batch",
        "Gordon 1996; Ernst, Geurts & Wehenkel 2005",
        FittedQSettings,
        _fitted_q,
        True,
    ),
    **{
        name: _Entry(recipe.line, recipe.paper, recipe.settings, _network, False, moves=True)
        for name, recipe in RECIPES.items()
    },
    "drqn": _Entry(
        "a network with a memory, for those who do not see everything at once",
        "Hausknecht & Stone 2015",
        DRQNSettings,
        _recurrent_network,
        False,
        remembers=True,
        moves=True,
    ),
}


def agent_names() -> list[str]:
    """Return the names that `make` knows."""
    return list(_AGENTS)


def describe(name: str) -> str:
    """Return what an agent is, in one line; raises `SettingsError` for an unknown name."""
    return _entry(name).line


def paper(name: str) -> str:
    """Return where an agent comes from, a short citation; raises `SettingsError` for an unknown name."""
    return _entry(name).paper


def settings_class(name: str) -> type:
    """Return an agent's frozen dataclass of settings; raises `SettingsError` for an unknown name."""
    return _entry(name).settings


def prefers_state(name: str) -> bool:
    """Say whether an agent does best with a state's index (a table) or with features (a network)."""
    return _entry(name).prefers_state


def remembers(name: str) -> bool:
    """Say whether an agent has a memory, and so need not see everything at once."""
    return _entry(name).remembers


def make(
    name: str,
    observation_space: "Space",
    action_space: "Space",
    seeds: Sequence[int],
    *,
    observation_support: "np.ndarray | None" = None,
    return_bounds: tuple[float, float] | None = None,
    device: str = "cpu",
    **settings: Any,
) -> "Agent":
    """Return an agent with one run for each of `seeds`.

    `observation_support` (bool, in the observation's shape) marks the entries that can ever be other than zero;
    networks read only these, and tables have no use for it. `return_bounds` are the lowest and the highest discounted
    return that the environment can give, in units of reward: the support of categorical agents whose `v_min` and
    `v_max` are not set. `device` is where networks and replay live: "cpu", "cuda" or "cuda:N"; what is learned is the
    same beyond rounding, and a state saved on one can be loaded on another. A deep agent sets torch to one thread and
    to flush denormals, for the whole process (see `gridrl_agents.deep.configure`). Raises `SettingsError` for an
    unknown name or setting (with the nearest right one), a setting out of range, or a space or a device that the agent
    cannot take.
    """
    entry = _entry(name)
    _check_device(name, entry, device)
    known = [field.name for field in dataclasses.fields(entry.settings)]
    for setting in settings:
        check_known(f"setting of {name}", setting, known)
    if return_bounds is not None:
        low, high = (float(bound) for bound in return_bounds)
        check_number("the lower of return_bounds", low, -float("inf"), float("inf"))
        check_number("the upper of return_bounds", high, -float("inf"), float("inf"))
        if low > high:
            raise SettingsError(f"return_bounds must be the lowest and the highest return, not ({low:g}, {high:g}).")
        return_bounds = low, high
    task = Task(observation_space, action_space, seeds, observation_support, return_bounds, device)
    return entry.build(task, entry.settings(**settings))


def _check_device(name: str, entry: _Entry, device: str) -> None:
    if not (isinstance(device, str) and re.fullmatch(r"cpu|cuda(:\d+)?", device)):
        raise SettingsError(f"device must be 'cpu', 'cuda' or 'cuda:' and a number, not {device!r}; correct it.")
    if device != "cpu" and not entry.moves:
        raise SettingsError(
            f"{name} learns on the cpu alone, not on {device!r}; leave the device out, or take a network such as dqn."
        )


def _entry(name: str) -> _Entry:
    if ":" in name:
        return _users_entry(name)
    check_known("agent", name, _AGENTS)
    return _AGENTS[name]


def _users_entry(name: str) -> _Entry:
    """Return the row of an agent of the user's, `module:Class`; the class says the rest."""
    module, _, attribute = name.partition(":")
    try:
        members = vars(import_module(module))
    except ImportError as error:
        raise SettingsError(
            f"{name}: {module} cannot be imported ({error}); run from its folder, or install it."
        ) from None
    check_known(f"class of {module}", attribute, [key for key, value in members.items() if isinstance(value, type)])
    agent = members[attribute]
    if not dataclasses.is_dataclass(getattr(agent, "Settings", None)):
        raise SettingsError(f"{name} must have a frozen dataclass `Settings`; see docs/write-your-own-agent.md.")

    def build(task: Task, settings: Any) -> "Agent":
        return agent(task.observation_space, task.action_space, task.seeds, settings)

    line = (agent.__doc__ or attribute).strip().partition("\n")[0]
    return _Entry(line, f"yours, {name}", agent.Settings, build, agent.prefers_state, remembers=False)
