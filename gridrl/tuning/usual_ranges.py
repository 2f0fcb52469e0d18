"""The ranges that are searched where the user declares none: for each class of settings, those of its own fields."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from gridrl.errors import UserError
from gridrl.tuning.ranges import Choice, Ranges, Span
from gridrl_agents.deep.drqn_settings import DRQNSettings
from gridrl_agents.deep.settings import DQNSettings
from gridrl_agents.errors import SettingsError
from gridrl_agents.registry import settings_class
from gridrl_agents.tabular.settings import (
    DynaQSettings,
    FittedQSettings,
    MonteCarloSettings,
    NStepSarsaSettings,
    QLambdaSettings,
    RuleSettings,
    TabularSettings,
)

_EPSILON: Ranges = {"epsilon_end": Span(0.01, 0.2, log=True), "epsilon_decay_steps": Span(1_000, 20_000, log=True)}
# About a factor of ten to each side of the usual value, or as far as the papers went. Gamma is left out: what it
# changes is first of all the question. So are sizes of networks and replays, which are bought with time and memory.
USUAL: dict[type, Ranges] = {
    TabularSettings: _EPSILON,
    RuleSettings: {"learning_rate": Span(0.01, 1.0, log=True)},
    MonteCarloSettings: {"learning_rate_power": Span(0.0, 1.0)},
    NStepSarsaSettings: {"n_step": Span(1, 16, log=True)},
    QLambdaSettings: {"trace_decay": Span(0.0, 1.0)},
    DynaQSettings: {"planning_steps": Span(1, 50, log=True)},
    FittedQSettings: {
        "refit_period": Span(250, 4_000, log=True),
        "num_iterations": Span(5, 50, log=True),
        "learning_rate": Span(1e-4, 1e-2, log=True),
    },
    DQNSettings: _EPSILON
    | {
        "learning_rate": Span(1e-4, 1e-2, log=True),
        "batch_size": Choice((32, 64, 128)),
        "target_update_period": Span(20, 2_000, log=True),
        "n_step": Span(1, 5),
        "priority_exponent": Span(0.2, 0.8),
        "noisy_sigma": Span(0.1, 1.0, log=True),
    },
    DRQNSettings: _EPSILON
    | {
        "learning_rate": Span(5e-5, 5e-3, log=True),
        "target_update_period": Span(10, 1_000, log=True),
        "sequence_length": Choice((4, 8, 16)),
    },
}


def usual_ranges(agent: str, fixed: Mapping[str, Any]) -> Ranges:
    """Return the usual ranges of an agent's settings, without those that are `fixed` and those that have no effect.

    Raises `UserError` where there are none, as for an agent of the user's with settings of its own kind.
    """
    kind: Any = settings_class(agent)
    ranges: Ranges = {}
    for owner in reversed(kind.__mro__):
        ranges |= USUAL.get(owner, {})
    settings = kind(**fixed)
    if getattr(settings, "epsilon_begin", 1.0) == 0:  # something else explores
        ranges = {name: each for name, each in ranges.items() if name not in _EPSILON}
    known = {field.name for field in dataclasses.fields(kind)}
    ranges = {
        name: each
        for name, each in ranges.items()
        if name in known - fixed.keys() and _has_effect(kind, fixed, name, each.ends)
    }
    if not ranges:
        raise UserError(f"there are no ranges for {agent}; declare some in a file, and give it with --ranges.")
    return ranges


def _has_effect(kind: Any, fixed: Mapping[str, Any], name: str, values: tuple[Any, ...]) -> bool:
    """Say whether the settings take all values of a setting, which they refuse where it is set in vain."""
    try:
        for value in values:
            kind(**{**fixed, name: value})
    except SettingsError:
        return False
    return True
