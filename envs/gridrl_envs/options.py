"""The keywords that both environments share: a level with other settings."""

import os
from typing import Any

from gridrl_envs.level import Level


def configure(level: "Level | str | os.PathLike[str]", coins: int | None, **settings: Any) -> Level:
    """Return a level, loaded if need be, with `coins` of its coins and those settings that are not None."""
    level = Level.load(level)
    if coins is not None:
        level = level.keep_coins(coins)
    return level.replace(**{key: value for key, value in settings.items() if value is not None})
