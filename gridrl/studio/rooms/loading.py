"""What a window shows while that which it is opened for is being loaded."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from gridrl.studio.rooms.later import Later
from gridrl.studio.rooms.room import Control, Room
from gridrl.studio.shown import Board, Shown

if TYPE_CHECKING:
    from gridrl_envs.level import Level

LOOK_S = 0.1  # this often is looked whether it is loaded


class Loading(Room):
    """A level as it is drawn, until `load` has returned the room that takes over; what it raises ends the window."""

    def __init__(self, title: str, level: "Level", load: Callable[[], Room]) -> None:
        super().__init__()
        self.title = title
        self._level = level
        self._loaded = Later(load)
        self.controls = (
            Control("close", "close", "escape", "Close the window.", "window", self.leave, aliases=("q",)),
        )

    def shown(self) -> Shown:
        """Return all that a frame shows."""
        board = Board("loading ...", self._level, None)
        return Shown((board,), buttons=self.buttons(), status="loading ...")

    def due_in(self) -> float:
        """Return after how many seconds it is looked whether it is loaded."""
        return LOOK_S

    @property
    def following(self) -> Room | None:
        """The room that takes over, None until it is loaded."""
        return self._loaded.get()
