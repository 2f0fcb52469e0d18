"""A level played by hand, beside the best that is possible and what an agent earns."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from gridrl.studio.rooms.best_words import GAMMA, best_possible
from gridrl.studio.rooms.room import ARROWS, Control, Room
from gridrl.studio.shown import Board, CellMap, Shown

if TYPE_CHECKING:
    from gridrl.studio.rooms.beliefs import Beliefs
    from gridrl.studio.rooms.game import Game
    from gridrl.studio.rooms.later import Later
    from gridrl.studio.truth import Truth
    from gridrl_envs.dynamics import State

LETTERS = {"w": "up", "s": "down", "a": "left", "d": "right"}
LOOK_S = 0.1  # while something is worked out, this often is looked whether it is there


class Trained(NamedTuple):
    """An agent beside whom one plays."""

    beliefs: "Beliefs"
    name: str  # "dqn, seed 3"
    best: float  # its greedy return at the end of its training


class Playing(Room):
    """A game and what stands beside it: the best that is possible and an agent, both as soon as they are there.

    With `show_values` the agent's map lies under the player's feet.
    """

    def __init__(
        self,
        game: "Game",
        truth: "Truth",
        trained: "Later[Trained] | None" = None,
        *,
        show_values: bool = False,
    ) -> None:
        super().__init__()
        self.title = f"gridrl play: {game.level.name}"
        self.game = game
        self._truth, self._trained = truth, trained
        self._show_values = show_values
        self._waiting = True
        self._cursor: int | None = None
        self._best_possible: dict[State, str] = {}
        self._mapped: tuple[State, CellMap | None, str] | None = None
        truth.ask(game.level, GAMMA)
        self.controls = self._controls()

    def shown(self) -> Shown:
        """Return all that a frame shows."""
        game = self.game
        cell_map, note = self._map()
        board = Board("you", game.level, game.state, game.trail, cell_map, note, self._cursor)
        words = [f"step {game.step} of {game.level.max_steps}"]
        words += [f"{what}: {number}" for what, number in self.numbers()]  # a small window has no table
        if game.ended:
            words.insert(0, f"{game.ended}: r begins anew, u takes the step back")
        return Shown(
            boards=(board,),
            numbers=self.numbers(),
            buttons=self.buttons(),
            status="   ".join(words),
            message=self.message,
            help=self.help,
        )

    def numbers(self) -> tuple[tuple[str, str], ...]:
        """Return what was earned, by the player and by others: what it is, then the number in words."""
        game = self.game
        rows = [
            ("your return", f"{game.earned:,.0f}"),
            ("your best", "none yet" if game.best is None else f"{game.best:,.0f}"),
            ("the best possible", self._optimum()),
        ]
        if self._trained is not None:
            trained = self._trained.get()
            rows.append(("the agent", "...") if trained is None else (trained.name, f"{trained.best:,.0f}"))
        return tuple(rows)

    def tick(self, now: float) -> bool:
        """Look whether what is worked out is there."""
        self.now = now
        waited, self._waiting = self._waiting, not self._is_all_there()
        return waited and not self._waiting

    def due_in(self) -> float:
        """Return after how many seconds it is looked again whether what is worked out is there."""
        return LOOK_S if self._waiting else super().due_in()

    def arrow(self, direction: str) -> None:
        """Move the player."""
        self.game.move(ARROWS.index(direction))

    def point(self, cell: int | None) -> None:
        """Move the pointer over a cell."""
        self._cursor = cell

    def begin(self, cell: int) -> None:
        """Move the player to a cell beside it; begin anew where the episode is over."""
        if self.game.ended:
            self.game.begin_anew()
        elif not self.game.move_to(cell):
            self.say("Click a cell beside the player.")

    def _is_all_there(self) -> bool:
        is_solved = self._truth.known(self.game.level, GAMMA) is not None
        return is_solved and (self._trained is None or self._trained.is_done)

    def _optimum(self) -> str:
        known = self._truth.known(self.game.level, GAMMA)
        if known is None:
            return "..."
        start = self.game.start
        if start not in self._best_possible:
            self._best_possible[start] = best_possible(self.game.level, start, known)
        return self._best_possible[start]

    def _map(self) -> tuple[CellMap | None, str]:
        trained = None if self._trained is None else self._trained.get()
        if trained is None or not self._show_values:
            return None, ""
        state = self.game.state
        if self._mapped is None or self._mapped[0] != state:
            self._mapped = (state, *trained.beliefs.map(state))
        return self._mapped[1:]

    def _switch_values(self) -> None:
        self._show_values = not self._show_values

    def _why_no_values(self) -> str:
        if self._trained is None:
            return "There is no agent beside you; give one with --agent RUN."
        return "" if self._trained.is_done else "The agent is still being loaded."

    def _take_back(self) -> None:
        if not self.game.take_back():
            self.say("This is the beginning.")

    def _controls(self) -> tuple[Control, ...]:
        def step(action: int) -> Callable[[], None]:
            return lambda: self.game.move(action)

        letters = {arrow: letter for letter, arrow in LETTERS.items()}
        moves = [
            Control(
                arrow,
                arrow,
                arrow,
                f"Move {arrow}; or click the cell.",
                "move",
                step(action),
                aliases=(letters[arrow],),
            )
            for action, arrow in enumerate(ARROWS)
        ]
        anew, back = "Begin another episode.", "Take the last step back."
        values = "Lay what the agent expects from here on under your feet."
        return (
            *moves,
            Control("anew", "begin anew", "r", anew, "game", self.game.begin_anew),
            Control("back", "take back", "u", back, "game", self._take_back, aliases=("backspace", "ctrl z")),
            Control(
                "values",
                "values",
                "v",
                values,
                "show",
                self._switch_values,
                lambda: self._show_values,
                self._why_no_values,
            ),
            Control("help", "help", "?", "The legend and the keys.", "window", self.toggle_help, aliases=("f1",)),
            Control("close", "close", "escape", "Leave the game.", "window", self.leave, aliases=("q",)),
        )
