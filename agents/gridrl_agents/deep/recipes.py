"""The DQN family by name. A recipe is a row: what it is, the paper, and where its settings leave DQN's defaults.

No recipe has mathematics of its own; what each choice does stands in the choice's file.
"""

import dataclasses
from typing import Any, NamedTuple

from gridrl_agents.deep.settings import DQNSettings


class Recipe(NamedTuple):
    """A named combination of choices."""

    line: str
    paper: str
    settings: type[DQNSettings]


def _settings(name: str, overrides: dict[str, Any]) -> type[DQNSettings]:
    """Return `DQNSettings` with other defaults."""
    if not overrides:
        return DQNSettings
    types = {field.name: field.type for field in dataclasses.fields(DQNSettings)}
    fields = [(setting, types[setting], dataclasses.field(default=value)) for setting, value in overrides.items()]
    namespace = {"__doc__": f"Settings of {name}; raises `SettingsError` as `DQNSettings` does."}
    title = "".join(word.capitalize() for word in name.split("-")) + "Settings"
    return dataclasses.make_dataclass(title, fields, bases=(DQNSettings,), namespace=namespace, frozen=True)


NO_EPSILON = {"epsilon_begin": 0.0, "epsilon_end": 0.0}  # the noise explores

_ROWS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("dqn", "a network, a replay and a target network", "Mnih et al. 2013, 2015", {}),
    (
        "double-dqn",
        "the online network chooses the next action, the target network values it",
        "van Hasselt, Guez & Silver 2016",
        {"double": True},
    ),
    (
        "per-dqn",
        "transitions with large errors are replayed more often",
        "Schaul et al. 2016",
        {"replay": "proportional"},
    ),
    (
        "dueling-dqn",
        "a state's value and the actions' advantages, apart and added up",
        "Wang et al. 2016",
        {"dueling": True},
    ),
    (
        "n-step-dqn",
        "targets of several steps' rewards before they bootstrap",
        "Sutton 1988; Hessel et al. 2018",
        {"n_step": 3},
    ),
    (
        "noisy-dqn",
        "weights with learned noise explore in place of epsilon",
        "Fortunato et al. 2018",
        {"noisy": True, **NO_EPSILON},
    ),
    (
        "c51",
        "the distribution of the return on 51 fixed atoms",
        "Bellemare, Dabney & Munos 2017",
        {"distribution": "categorical"},
    ),
    (
        "qr-dqn",
        "the distribution of the return by its quantiles",
        "Dabney et al. 2018",
        {"distribution": "quantile"},
    ),
    (
        "rainbow",
        "double, prioritized, dueling, 3 steps, noisy and categorical, all at once",
        "Hessel et al. 2018",
        {
            "double": True,
            "dueling": True,
            "noisy": True,
            "distribution": "categorical",
            "replay": "proportional",
            "priority_exponent": 0.5,
            "n_step": 3,
            **NO_EPSILON,
        },
    ),
]

RECIPES = {name: Recipe(line, paper, _settings(name, overrides)) for name, line, paper, overrides in _ROWS}
