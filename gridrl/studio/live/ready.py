"""What the window shows before anything can learn: the page as it will be, where nothing can be pressed yet."""

import dataclasses
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from gridrl.studio.live.controls import CONTROLS
from gridrl.studio.live.dials import DIALS
from gridrl.studio.shown import Board, Button, Plot, Shown, Slider, Timeline
from gridrl_agents.registry import settings_class

if TYPE_CHECKING:
    from gridrl_envs.level import Level

WAIT = "getting ready ..."
NUM_PLOTS = 4


def getting_ready(agents: "Sequence[tuple[str, Mapping[str, Any]]]", levels: "Sequence[Level]") -> Shown:
    """Return the page for agents, by name and the settings that were given, each in its level."""
    boards = [Board(name, level, None) for (name, _), level in zip(agents, levels, strict=True)]
    minds: Any = [_planned(*agent, level) for agent, level in zip(agents, levels, strict=True)]
    sliders = []
    for dial in DIALS:
        values = [value for mind in minds if (value := dial.read(mind)) is not None]
        if values:
            place, group = dial.along.place(values[0]), "level" if dial.of_level else "agent"
            sliders.append(Slider(dial.name, dial.label, dial.text(values[0]), place, dial.hint, group, WAIT))
    buttons = (Button(each.name, each.label, each.key, each.hint, each.group, why_not=WAIT) for each in CONTROLS)
    return Shown(
        tuple(boards),
        difference=boards[0]._replace(title="difference") if len(boards) > 1 else None,
        plots=(Plot("", ()),) * NUM_PLOTS,
        timeline=Timeline((0,), 0),
        buttons=tuple(buttons),
        sliders=tuple(sliders),
        status=WAIT,
    )


def _planned(name: str, given: "Mapping[str, Any]", level: "Level") -> SimpleNamespace:
    """Return what a slider reads of a mind."""
    settings = dataclasses.asdict(settings_class(name)(**given))
    return SimpleNamespace(settings=settings, level=level, agent=SimpleNamespace(epsilon=settings.get("epsilon_begin")))
