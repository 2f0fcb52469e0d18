"""What hands changed while a mind learned, in words."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridrl_envs.level import Level

Touch = tuple[int, str]  # the step, and what was changed
MOST_CELLS = 5  # that are named
NAMES = {"#": "a wall", " ": "floor", "P": "a start", "$": "a coin", "@": "a poison", "G": "a goal", "X": "a pit"}


def settings_words(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return which settings have another value: "gamma 0.99 -> 0.9, double False -> True"."""
    changed = [name for name in after if before[name] != after[name]]
    return ", ".join(f"{name} {before[name]} -> {after[name]}" for name in changed)


def level_words(before: "Level", after: "Level") -> str:
    """Return what is different in a level: "row 3, column 4 is a coin (was floor), slip 0.0 -> 0.1"."""
    from gridrl_envs.geometry import place

    words = []
    if (before.rows, before.columns) != (after.rows, after.columns):
        words.append(f"another map, {after.rows} x {after.columns}")
    else:
        pairs = list(enumerate(zip("".join(before.map), "".join(after.map), strict=True)))
        cells = [(cell, old, new) for cell, (old, new) in pairs if old != new]
        for cell, old, new in cells[:MOST_CELLS]:
            words.append(f"{place(cell, after.columns)} is {_name(new)} (was {_name(old)})")
        if len(cells) > MOST_CELLS:
            words.append(f"and {len(cells) - MOST_CELLS} cells more")
    for name in ("max_steps", "patrol_period", "slip", "reward_noise", "rewards"):
        if (old_value := getattr(before, name)) != (new_value := getattr(after, name)):
            words.append(f"{name} {old_value} -> {new_value}")
    return ", ".join(words)


def _name(glyph: str) -> str:
    return NAMES.get(glyph, "a patroller")
