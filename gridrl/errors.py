"""What goes wrong by a user's hand, said in one sentence."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake or a mishap that the user can mend; the message says what was expected, what came and what to do."""


def user_errors() -> tuple[type[Exception], ...]:
    """Return every exception whose message is meant for the user, without a traceback."""
    from gymnasium.error import Error as GymnasiumError

    from gridrl_agents.errors import SettingsError
    from gridrl_envs.level import LevelError

    return (UserError, LevelError, SettingsError, GymnasiumError)


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Return the error for an unknown name: the nearest right one, or the whole list where none is near."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known)}."
    return UserError(f"unknown {kind} {name!r}; {hint}")
