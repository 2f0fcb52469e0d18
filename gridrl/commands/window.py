"""A window for a command, or the one sentence that says why there is none."""

from typing import TYPE_CHECKING

from gridrl.errors import UserError

if TYPE_CHECKING:
    from gridrl_envs.window import Window


def open_window(title: str, fps: float | None) -> "Window":
    """Return a window; raises `UserError` where no display can be opened."""
    from gridrl_envs.window import NoDisplayError, Window

    try:
        return Window(title, fps)
    except NoDisplayError as error:
        raise UserError(f"{error}.") from None
