"""What the studio's pictures are drawn from: plain values, made by a session, read by the views.

A view is a function of these and of a size in pixels; it knows no agent, no environment and no window.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from gridrl_envs.dynamics import State
    from gridrl_envs.level import Level


class Scale(NamedTuple):
    """The values that a map's colours stand for; two boards side by side share one."""

    low: float
    high: float
    signed: bool = False  # zero is white, and the two sides have colours of their own


class CellMap(NamedTuple):
    """Numbers laid under a board."""

    name: str  # "V: what is expected from here on", as its legend says
    values: np.ndarray  # float [cells], or [cells, 4] for a triangle per action; NaN: nothing is drawn there
    greedy: np.ndarray | None  # bool [cells, 4], the actions that share the maximum: arrows; None: no arrows
    scale: Scale


class Board(NamedTuple):
    """A level as it is now, and an episode in it."""

    title: str  # whose mind this is; empty: none
    level: "Level"
    state: "State | None"  # of the episode that is shown; None: the level as it is drawn in its file
    trail: tuple[int, ...] = ()  # cells that the player came by, oldest first
    map: CellMap | None = None
    note: str = ""  # one sentence in place of a map that cannot be had
    cursor: int | None = None  # the cell under the pointer, or where the keyboard's cursor stands
    unreachable: frozenset[int] = frozenset()  # cells that glow: nobody can get there


class Facts(NamedTuple):
    """What is known of one cell, of one mind."""

    title: str  # "row 3, column 4: a coin"
    actions: tuple[str, ...] = ("up", "down", "left", "right")
    q: np.ndarray | None = None  # [4]; None: the episode is over there, or it is a wall
    truth: np.ndarray | None = None  # [4]
    truth_name: str = ""  # "Q*", or "Q of its own policy, by rollouts"
    visits: float | None = None
    returns: np.ndarray | None = None  # [4, K], where a distribution is learned ...
    probability: np.ndarray | None = None  # ... and how likely each is, [4, K]


class Line(NamedTuple):
    """One line of a plot."""

    label: str  # empty: it has no place in the legend
    steps: np.ndarray  # [N], growing
    values: np.ndarray  # [N]; NaN: a gap
    colour: tuple[int, int, int]
    dashed: bool = False


class Plot(NamedTuple):
    """Lines over the steps of learning, on one scale."""

    title: str
    lines: tuple[Line, ...]


class BatchRow(NamedTuple):
    """A transition that was learned from last."""

    cell: int
    action: int
    reward: float
    next_cell: int
    ended: bool
    weight: float | None  # of its error; None: all weigh the same


class Timeline(NamedTuple):
    """The moments that were kept, and the one that is looked at."""

    steps: tuple[int, ...]
    now: int  # the step that learning has come to
    looked_at: int | None = None  # one of `steps`; None: the present


class Button(NamedTuple):
    """A control that is pressed: by the mouse, or by its key."""

    name: str
    label: str
    key: str  # as pygame names it: "space", "v", "f5"; empty: none
    hint: str  # one sentence, shown on hover and in the help
    group: str = ""  # those of a group stand together under its name
    on: bool = False  # of a switch; of one choice among several
    why_not: str = ""  # one sentence, where it cannot be pressed now


class Slider(NamedTuple):
    """A control that is drawn along a line."""

    name: str
    label: str
    text: str  # its value in words: "0.05"
    position: float  # from 0 to 1
    hint: str
    group: str = ""
    why_not: str = ""


class Shown(NamedTuple):
    """All that a frame of the studio shows."""

    boards: tuple[Board, ...]  # one, or two minds side by side
    difference: Board | None = None  # of the two minds' maps
    facts: tuple[Facts, ...] = ()  # of the cursor's cell, for each board
    plots: tuple[Plot, ...] = ()
    numbers: tuple[tuple[str, ...], ...] = ()  # rows of a table: what it is, then one text for each mind
    batch: tuple[BatchRow, ...] = ()
    timeline: Timeline | None = None
    buttons: tuple[Button, ...] = ()
    sliders: tuple[Slider, ...] = ()
    selected: str = ""  # the name of the control that the keyboard is on
    status: str = ""  # one line: what goes on now
    message: str = ""  # a sentence for the user, for some seconds
    help: bool = False  # whether the legend and the keys lie over all


class Hit(NamedTuple):
    """What lies at a place of the window."""

    kind: str  # "cell", "button", "slider", "timeline", "" (nothing)
    name: str = ""  # of the button or slider
    board: int = 0  # of the cell
    cell: int = -1
    position: float = 0.0  # along a slider or the timeline, from 0 to 1
