"""A session as a picture shows it. What is costly to measure is measured anew only so often, and kept in between."""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gridrl.studio import measures
from gridrl.studio.live.controls import CONTROLS
from gridrl.studio.painting.hand import state_in
from gridrl.studio.shown import Board, Button, CellMap, Facts, Plot, Scale, Shown, Slider, Timeline

if TYPE_CHECKING:
    from gridrl.maps.situations import Situation
    from gridrl.studio.live.session import Session
    from gridrl.studio.minds.mind import Mind

T = TypeVar("T")
Maps = tuple[tuple[tuple[CellMap | None, str], ...], CellMap | None]  # of each mind, or why not; their difference
MAPS_PERIOD, PLOTS_PERIOD = 0.1, 0.25  # seconds between two measurements of what changes as it learns


class Kept(Generic[T]):
    """A value that was measured: at once anew when what it is of has changed, in its time when that has gone on.

    It stays the same object in between, so that what is drawn from it need not be drawn again.
    """

    def __init__(self, period: float) -> None:
        self.period = period
        self._of: Hashable = object()
        self._at: Hashable = None
        self._when = 0.0
        self._value: Any = None

    def get(self, now: float, of: Hashable, at: Hashable, measure: Callable[[], T], patience: float = 1.0) -> T:
        """Return the value of `of` as it was at most `period` seconds ago, or since when `at` has not changed.

        With `patience` a value may be so many times as old.
        """
        if of != self._of or (at != self._at and not 0 <= now - self._when < patience * self.period):
            self._of, self._at, self._when, self._value = of, at, now, measure()
        return self._value


class Showing:
    """Makes a session's `Shown`, again and again."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._maps: Kept[Maps] = Kept(MAPS_PERIOD)
        self._facts: Kept[tuple[Facts, ...]] = Kept(MAPS_PERIOD)
        self._plots: Kept[tuple[Any, ...]] = Kept(PLOTS_PERIOD)
        self._numbers: Kept[tuple[tuple[str, ...], ...]] = Kept(PLOTS_PERIOD)
        self._batch: Kept[tuple[Any, ...]] = Kept(PLOTS_PERIOD)
        self._curves: tuple[Plot, ...] = ()
        self._rollouts = measures.Rollouts()
        self._scales: dict[str, Scale] = {}  # of each board when it was measured last
        self._scales_of: tuple[str, int] = ("", 0)
        self._pace = Pace()
        self.patience = 1.0  # how many times as old as usual what is costly to measure may be
        self.is_unfinished = False  # whether the cursor's cell is being played out, a little with each picture

    def shown(self) -> Shown:
        """Return all that a frame shows, at the session's time."""
        session, now = self._session, self._session.now
        step, solved = session.step, self._solved()
        of = (session.version, solved)
        players = session.viewers if session.greedy else session.minds
        situations = tuple(_situation(player.state) for player in players)
        maps, between = self._maps.get(
            now, (*of, session.kind), (step, situations), lambda: self._measure(situations), self.patience
        )
        facts: tuple[Facts, ...] = ()
        cell = session.world.hand.cursor
        if cell is not None:
            cursor = cell
            at = (step, situations, now if self.is_unfinished else 0)
            facts = self._facts.get(now, (*of, cursor), at, lambda: self._facts_of(cursor, situations))
        self.is_unfinished = any(fact.q is not None and fact.truth is None for fact in facts)
        boards = tuple(
            self._board(title, mind, player, *found)
            for title, mind, player, found in zip(session.names, session.minds, players, maps, strict=True)
        )
        if session.past.looked_at is None:  # the curves tell the whole story, also while the past is looked at
            self._curves = self._later(self._plots, lambda: measures.plots(session.minds, session.truth))
        return Shown(
            boards=boards,
            difference=None if len(boards) == 1 else _difference(boards[0], between),
            facts=facts,
            plots=self._curves,
            numbers=self._later(self._numbers, lambda: measures.numbers(session.minds, session.truth)),
            batch=self._later(self._batch, lambda: measures.batch(session.mind)),
            timeline=Timeline(session.past.steps, session.past.present_step, session.past.looked_at),
            buttons=self._buttons(),
            sliders=self._sliders(),
            selected=session.tuning.selected,
            status=self._status(),
            message=session.message,
            help=session.help,
        )

    def _later(self, kept: Kept[T], measure: Callable[[], T]) -> T:
        """Return what is measured of the session's minds, in its time."""
        session = self._session
        return kept.get(session.now, (session.version, self._solved()), session.step, measure, self.patience)

    def _solved(self) -> tuple[bool, ...]:
        session = self._session
        return tuple(measures.truth_of(mind, session.truth) is not None for mind in session.minds)

    def _measure(self, situations: "tuple[Situation, ...]") -> Maps:
        """Return each mind's map, or why it has none, and the difference of two; all on one scale that keeps still."""
        session = self._session
        if self._scales_of != (of := (session.kind, session.version)):
            self._scales_of, self._scales = of, {}
        found = [
            measures.cell_map(mind, session.kind, situation, session.truth, self._scales.get(name))
            for name, mind, situation in zip(session.names, session.minds, situations, strict=True)
        ]
        self._scales |= {name: found.scale for name, (found, _) in zip(session.names, found, strict=True) if found}
        maps = [cell_map for cell_map, _ in found if cell_map is not None]
        if len(maps) < 2:
            return tuple(found), None
        scale = measures.shared_scale(maps)
        left, right = (cell_map._replace(scale=scale) for cell_map in maps)
        between = measures.difference(left, right, self._scales.get(""))
        self._scales[""] = between.scale
        return ((left, ""), (right, "")), between

    def _facts_of(self, cell: int, situations: "tuple[Situation, ...]") -> tuple[Facts, ...]:
        session = self._session
        return tuple(
            measures.facts(mind, cell, situation, session.truth, self._rollouts)
            for mind, situation in zip(session.minds, situations, strict=True)
        )

    def _board(self, title: str, mind: "Mind", player: Any, cell_map: CellMap | None, note: str) -> Board:
        hand, state = self._session.world.hand, player.state
        drawn = hand.drawn(mind.level)
        if drawn is not mind.level and state is not None:
            state = state_in(state, mind.level, drawn)
        return Board(
            title=f"{title}, greedy" if self._session.greedy else title,
            level=drawn,
            state=state,
            trail=player.trail,
            map=cell_map,
            note=note,
            cursor=hand.cursor,
            unreachable=hand.sketch.unreachable if hand.sketch.fault else frozenset(),
        )

    def _buttons(self) -> tuple[Button, ...]:
        session = self._session
        return tuple(
            Button(
                control.name,
                control.label,
                control.key,
                control.hint,
                control.group,
                control.on(session),
                control.why_not(session),
            )
            for control in CONTROLS
        )

    def _sliders(self) -> tuple[Slider, ...]:
        session = self._session
        sliders = []
        for dial, value in session.tuning.dials():
            position = dial.along.place(value)
            if session.tuning.dragged is not None and session.tuning.dragged[0] == dial.name:
                position = session.tuning.dragged[1]
                value = dial.along.number(position)
            group = "level" if dial.of_level else "agent"
            sliders.append(
                Slider(dial.name, dial.label, dial.text(value), position, dial.hint, group, session.why_not_now)
            )
        return tuple(sliders)

    def _status(self) -> str:
        session = self._session
        words = [f"step {session.step:,}", f"episode {session.mind.num_episodes + 1:,}", session.clock.words]
        if session.past.looked_at is not None:
            return (
                f"as it was at step {session.past.looked_at:,} of {session.past.present_step:,}; learning stands still"
            )
        rate = self._pace.rate(session.now, session.step)
        if rate and session.clock.speed == float("inf"):
            words[-1] = f"flat out: {rate:,.0f} steps a second"
        fault = session.world.hand.sketch.fault
        return "   ".join(words) + (f"   not yet in the world: {fault}" if fault else "")


class Pace:
    """How many steps a second were learned lately."""

    def __init__(self) -> None:
        self._marks: list[tuple[float, int]] = []

    def rate(self, now: float, step: int) -> float:
        """Return the steps a second over the last one to two seconds; 0 where that is not known yet."""
        if not self._marks or now - self._marks[-1][0] >= 1 or step < self._marks[-1][1]:
            self._marks = [*self._marks[-1:], (now, step)]
            if step < self._marks[0][1]:
                self._marks = [(now, step)]
        begun, first = self._marks[0]
        return (step - first) / (now - begun) if now - begun > 0.5 else 0.0


def _difference(left: Board, between: CellMap | None) -> Board:
    """Return the board of the two minds' difference; without a map it stands there, too, so that nothing moves."""
    return left._replace(title="difference", map=between, note="" if between else "nothing to compare", trail=())


def _situation(state: Any) -> "Situation":
    """Return what a state has apart from the player's place."""
    from gridrl.maps.situations import Situation

    return Situation(state.items, state.step)
