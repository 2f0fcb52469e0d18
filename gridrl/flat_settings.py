"""Settings by their names alone, as a script or a file gives them, sorted out by who owns them."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from gridrl.errors import unknown
from gridrl.problem import ProblemSettings
from gridrl.training_settings import TrainSettings
from gridrl_agents.registry import settings_class


class Sorted(NamedTuple):
    """The settings of a training, by their owners."""

    problem: ProblemSettings
    training: TrainSettings
    agent: dict[str, Any]


def sort_out(agent: str, settings: Mapping[str, Any]) -> Sorted:
    """Return settings given by name, the options of `gridrl train` with underscores, as those who own them take them.

    Raises `UserError` for a name that none of them knows, with the nearest right one.
    """
    owners = {"problem": ProblemSettings, "training": TrainSettings, "agent": settings_class(agent)}
    known = {owner: {field.name for field in dataclasses.fields(kind)} for owner, kind in owners.items()}
    found: dict[str, dict[str, Any]] = {owner: {} for owner in owners}
    for name, value in settings.items():
        owner = next((owner for owner, names in known.items() if name in names), None)
        if owner is None:
            raise unknown("setting", name, {name for names in known.values() for name in names})
        found[owner][name] = value
    return Sorted(ProblemSettings(**found["problem"]), TrainSettings(**found["training"]), found["agent"])
