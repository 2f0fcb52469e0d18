"""Trained agents that play side by side, step by step or by a clock."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gridrl.rollout import Moment, moments
from gridrl.studio.clock import Clock
from gridrl.studio.rooms.room import Control, Room
from gridrl.studio.shown import Board, CellMap, Shown

if TYPE_CHECKING:
    from gridrl.studio.rooms.beliefs import Beliefs

HOLD_S = 1.0  # an episode's last picture stays this long
MOST_AT_ONCE = 20  # steps between two pictures


class Watched:
    """An agent that plays one episode after another; `title` says whose, `now` what came of it so far."""

    def __init__(self, beliefs: "Beliefs", title: str, epsilon: float) -> None:
        self.beliefs, self.title = beliefs, title
        self.now: Moment
        self._epsilon = epsilon
        self._moments: Iterator[Moment] = iter(())
        self._trail: list[int] = []
        self._mapped: tuple[Moment, CellMap | None, str] | None = None

    def begin(self, key: int) -> None:
        """Begin the episode that `key` fixes."""
        self.beliefs.believe()
        self._moments = moments(self.beliefs.run, self.beliefs.index, self._epsilon, key)
        self._trail = []
        self._take()

    def step(self) -> None:
        """Take a step; does nothing once the episode is over."""
        if not self.now.ended:
            self.beliefs.believe()
            self._take()

    def _take(self) -> None:
        self.now = next(self._moments)
        self._trail.append(self.now.state.cell)

    @property
    def words(self) -> str:
        """What the episode has come to."""
        return f"{self.now.earned:,.0f} in {self.now.state.step} steps"

    def board(self, show_values: bool) -> Board:
        """Return the board, with what the agent believes under the player where that is asked for."""
        cell_map, note = self._map() if show_values else (None, "")
        state = self.now.state
        title = f"{self.title}   step {state.step}   return {self.now.earned:,.0f}"
        level = self.beliefs.run.problem.level
        return Board(title, level, state, tuple(self._trail), cell_map, note)

    def _map(self) -> tuple[CellMap | None, str]:
        if self._mapped is None or self._mapped[0] is not self.now:
            self._mapped = (self.now, *self.beliefs.map(self.now.state))
        return self._mapped[1:]


class Watching(Room):
    """Agents side by side: all take a step together, and those whose episode is over wait for the others.

    `who` is watched, in words; `episodes` are played, then the window closes; `fps` is in steps a second. `returns` are
    the words for each ended episode, a list for each agent.
    """

    def __init__(
        self, watched: Sequence[Watched], who: str, episodes: int, fps: float, *, show_values: bool = False
    ) -> None:
        super().__init__()
        self.title = f"gridrl watch: {who}"
        self.watched, self.who = tuple(watched), who
        self.show_values = show_values
        self.clock = Clock(fps)
        self.returns: list[list[str]] = [[] for _ in watched]
        self._episodes, self._number = episodes, -1
        self._held_until = math.inf  # when the next episode begins
        self.controls = self._controls()
        self._next_episode()

    @property
    def ended(self) -> bool:
        """Whether all episodes that are shown are over."""
        return all(one.now.ended for one in self.watched)

    @property
    def is_last(self) -> bool:
        """Whether no other episode comes after this one."""
        return self._number == self._episodes - 1

    def shown(self) -> Shown:
        """Return all that a frame shows."""
        boards = self.boards()
        words = [self.who, f"episode {self._number + 1} of {self._episodes}", self.clock.words]
        if self.ended:
            words.append("all are at the end" if len(boards) > 1 else "at the end")
        return Shown(
            boards=boards,
            buttons=self.buttons(),
            status="   ".join(words),
            message=self.message,
            help=self.help,
        )

    def boards(self) -> tuple[Board, ...]:
        """Return the boards, the maps on one scale."""
        boards = [one.board(self.show_values) for one in self.watched]
        maps = [board.map for board in boards if board.map is not None]
        if not maps:
            return tuple(boards)
        low, high = min(one.scale.low for one in maps), max(one.scale.high for one in maps)
        return tuple(
            board._replace(map=board.map and board.map._replace(scale=board.map.scale._replace(low=low, high=high)))
            for board in boards
        )

    def tick(self, now: float) -> bool:
        """Take the steps that are due, or begin the next episode."""
        self.now = now
        due = self.clock.due(now)
        if self.ended:
            if self.clock.paused or now < self._held_until:
                return False
            self.advance()
            return True
        done = 0
        while done < min(due, MOST_AT_ONCE) and not self.ended:
            self.step()
            done += 1
        self.clock.spent(done)
        return done > 0

    def due_in(self) -> float:
        """Return after how many seconds there is a step to take, or another episode to begin."""
        if self.ended:
            return math.inf if self.clock.paused else max(self._held_until - self.now, 0.0)
        return self.clock.next_due()

    def step(self) -> None:
        """Let every agent take a step."""
        for one in self.watched:
            one.step()
        if self.ended:
            self._held_until = self.now + HOLD_S
            for own, one in zip(self.returns, self.watched, strict=True):
                own.append(one.words)

    def advance(self) -> None:
        """Begin the next episode; after the last one the window closes."""
        if self.is_last:
            self.leave()
        else:
            self._next_episode()

    def _next_episode(self) -> None:
        self._number += 1
        for one in self.watched:
            one.begin(self._number)

    def _pause(self) -> None:
        self.clock.paused = not self.clock.paused

    def _one_step(self) -> None:
        self.clock.paused = True
        if self.ended:
            self._skip()
        else:
            self.step()

    def _skip(self) -> None:
        if self.is_last:
            self.say("This is the last episode; Esc closes.")
        else:
            self.advance()

    def _switch_values(self) -> None:
        self.show_values = not self.show_values

    def _controls(self) -> tuple[Control, ...]:
        pause, step = "Stand still, or go on.", "Take one step, and stand still."
        values = "Lay what each expects from here on under its feet."
        slower, faster = (lambda: self.clock.change(-1)), (lambda: self.clock.change(1))
        return (
            Control("pause", "pause", "space", pause, "time", self._pause, lambda: self.clock.paused),
            Control("step", "one step", "right", step, "time", self._one_step, aliases=(".",)),
            Control("slower", "slower", "-", "Fewer steps a second.", "time", slower, aliases=("[-]", "down")),
            Control("faster", "faster", "+", "More steps a second.", "time", faster, aliases=("=", "[+]", "up")),
            Control("next", "next episode", "n", "Leave this episode for the next one.", "time", self._skip),
            Control("values", "values", "v", values, "show", self._switch_values, lambda: self.show_values),
            Control("help", "help", "?", "The legend and the keys.", "window", self.toggle_help, aliases=("f1",)),
            Control("close", "close", "escape", "Close the window.", "window", self.leave, aliases=("q",)),
        )
