"""Plausible pages for the tests of the views; run as a script, it writes them all as pictures into a folder.

python tests/gridrl/studio/pages.py /tmp/pages
"""

import sys
from pathlib import Path

import numpy as np

from gridrl.studio.shown import (
    BatchRow,
    Board,
    Button,
    CellMap,
    Facts,
    Line,
    Plot,
    Scale,
    Shown,
    Slider,
    Timeline,
)
from gridrl_envs.dynamics import Dynamics, State
from gridrl_envs.level import Level

BLUE, ORANGE, BLACK = (0, 114, 178), (213, 94, 0), (17, 17, 17)


def room(rows, columns):
    """A level with a wall in its middle, coins, poison, a goal, a pit and a patroller."""
    grid = [[" "] * columns for _ in range(rows)]
    for row in range(rows):
        for column in range(columns):
            if row in (0, rows - 1) or column in (0, columns - 1):
                grid[row][column] = "#"
    if rows > 6:
        for column in range(3, columns - 3):
            grid[rows // 2][column] = "#"
        grid[rows // 2 - 2][columns // 2] = "^"
        grid[2][columns - 3], grid[rows - 3][2] = "@", "X"
    grid[1][1], grid[1][columns - 2], grid[rows - 2][columns - 2] = "P", "$", "G"
    return Level(f"room {rows} x {columns}", tuple(map("".join, grid)))


def values_of(level, seed=0, top=430.0):
    """Values that fall with the distance from the level's middle; NaN on walls."""
    row, column = np.divmod(np.arange(level.rows * level.columns), level.columns)
    far = np.hypot(row - level.rows * 0.6, column - level.columns * 0.55)
    noise = np.random.default_rng(seed).normal(0, 0.03, far.shape)
    values = top * (1.02 - far / far.max() + noise)
    values[[glyph == "#" for line in level.map for glyph in line]] = np.nan
    return values


def q_of(level, seed=0, top=430.0):
    """Values of four actions, [cells, 4]."""
    values = values_of(level, seed, top)
    steps = np.array([-level.columns, level.columns, -1, 1])
    following = (np.arange(values.size)[:, None] + steps).clip(0, values.size - 1)
    ahead = values[following]
    q = np.where(np.isnan(ahead), values[:, None], ahead) * 0.95
    q[np.isnan(values)] = np.nan
    return q


def map_of(level, seed=0, kind="V", top=430.0, greedy=True):
    q = q_of(level, seed, top)
    known = np.isfinite(q).all(axis=1)
    best = np.zeros(q.shape, bool)
    best[known] = q[known] >= q[known].max(axis=1, keepdims=True) - 1e-9
    if kind == "V":
        values = np.where(known, np.where(known[:, None], q, 0).max(axis=1), np.nan)
        return CellMap("V: what is expected from here on", values, best if greedy else None, Scale(0.0, top))
    if kind == "Q":
        return CellMap("Q: a triangle for each action", q, best, Scale(0.0, top))
    values = values_of(level, seed, 60.0) - 34.0
    return CellMap("max Q less V*", values, None, Scale(-60.0, 60.0, True))


def state_of(level, step=23):
    """A state in the middle of an episode: the player on the floor, every third coin collected."""
    dynamics = Dynamics(level)
    items = tuple(number % 3 != 1 for number in range(dynamics.num_items))
    floor = [cell for cell in level.floor if cell not in (*level.goals, *level.pits)]
    return State(floor[len(floor) // 3], step, items)


def trail_to(level, cell, length=14):
    """Cells to the left of a cell, then down, as far as the floor goes."""
    cells = [cell]
    floor = set(level.floor)
    for step in (-1, level.columns, 1, -level.columns):
        while len(cells) < length and cells[-1] + step in floor and cells[-1] + step not in cells:
            cells.append(cells[-1] + step)
    return tuple(reversed(cells))


def buttons(on=("map-v", "paint-coin"), shut=("branch", "present", "redo", "set-dueling")):
    """As many as the live page has."""
    table = [
        ("pause", "pause", "space", "Stand still, or go on.", "time"),
        ("step", "one step", ".", "Learn from one step, then stand still.", "time"),
        ("update", "one update", ",", "Learn up to the next update of what is believed.", "time"),
        ("episode", "one episode", "e", "Learn up to the end of this episode.", "time"),
        ("slower", "slower", "-", "Fewer steps a second.", "time"),
        ("faster", "faster", "+", "More steps a second, up to flat out.", "time"),
        ("greedy", "watch greedy", "w", "Watch what it thinks best, without exploring.", "time"),
        ("earlier", "earlier", "page up", "Look at the moment before: board, map and facts as they were.", "past"),
        ("later", "later", "page down", "Look at the moment after.", "past"),
        (
            "branch",
            "branch here",
            "b",
            "Go on from the moment that is looked at; forget later ones.",
            "past",
        ),
        ("present", "present", "end", "Return to the present.", "past"),
        ("map-v", "V", "v", "What is expected from here on.", "map"),
        ("map-q", "Q", "q", "A triangle for each action.", "map"),
        ("map-difference", "error", "d", "What is believed less the truth.", "map"),
        ("map-td", "TD error", "t", "How surprising the stored transitions are.", "map"),
        ("map-visits", "visits", "n", "How often each cell was stood on.", "map"),
        ("map-priority", "priority", "p", "How likely each cell's transitions are drawn.", "map"),
        ("map-spread", "spread", "u", "How much the seeds disagree.", "map"),
        ("map-none", "bare", "h", "No map.", "map"),
    ]
    brushes = ("wall", "floor", "start", "coin", "poison", "goal", "pit", "patroller")
    table += [(f"paint-{name}", name, str(key), f"Paint {name}.", "paint") for key, name in enumerate(brushes, 1)]
    table += [
        ("no-brush", "put away", "0", "Put the brush away.", "paint"),
        ("undo", "undo", "z", "Take the last stroke back.", "paint"),
        ("redo", "redo", "y", "Paint again what was taken back.", "paint"),
        ("save-level", "save level", "l", "Write the level as a file.", "paint"),
        ("set-double", "double", "o", "One network chooses the next action, the other values it.", "agent"),
        ("set-dueling", "dueling", "i", "Value and advantages in streams of their own; begins anew.", "agent"),
        ("set-replay", "prioritized", "g", "Draw transitions with large errors more often.", "agent"),
        (
            "restart",
            "begin anew",
            "m",
            "Forget all that was learned; the settings stay as they stand.",
            "agent",
        ),
        ("keep", "keep run", "k", "Write what was learned as a run folder.", "keep"),
        ("screenshot", "picture", "s", "Write what is seen as a picture.", "keep"),
        ("film-mp4", "film", "r", "Record what is seen as an MP4, until pressed again.", "keep"),
        ("film-gif", "GIF", "f", "Record what is seen as a GIF, until pressed again.", "keep"),
        ("help", "help", "?", "Show or hide the legend and the keys.", "window"),
        ("larger", "larger", "ctrl +", "Everything larger.", "window"),
        ("smaller", "smaller", "ctrl -", "Everything smaller.", "window"),
        ("close", "close", "escape", "Close the window.", "window"),
    ]
    why = "Not now: look at the present first."
    return tuple(Button(*row, on=row[0] in on, why_not=why if row[0] in shut else "") for row in table)


def sliders():
    return (
        Slider("epsilon", "epsilon", "0.12", 0.12, "The share of random actions.", "agent"),
        Slider("learning_rate", "learning rate", "0.00025", 0.35, "How far one update moves beliefs.", "agent"),
        Slider("gamma", "discount", "0.95", 0.43, "How much what comes one step later counts.", "agent"),
        Slider("period", "target period", "500", 0.67, "Updates between two moves of the target.", "agent"),
        Slider("slip", "slip", "0", 0.0, "How likely an action is replaced.", "level"),
        Slider("noise", "reward noise", "25", 0.25, "What is added to each reward by chance.", "level", "Not now."),
    )


def plots(minds=1, points=3000):
    steps = np.arange(points) * 40.0
    random = np.random.default_rng(1)

    def curve(top, seed, noise):
        rise = top * (1 - np.exp(-steps / steps[-1] * (3 + seed)))
        return rise + np.random.default_rng(seed).normal(0, noise, points)

    names = (("dqn", BLUE), ("double-dqn", ORANGE))[:minds]
    truth = Line("true", steps[[0, -1]], np.array([433.0, 433.0]), BLACK, True)
    return (
        Plot("Return", tuple(Line(name, steps, curve(380, k, 40), colour) for k, (name, colour) in enumerate(names))),
        Plot(
            "Max Q at the start",
            (*(Line(name, steps, curve(560 - 90 * k, k, 9), colour) for k, (name, colour) in enumerate(names)), truth),
        ),
        Plot("Loss", tuple(Line(name, steps, np.exp(random.normal(-2, 0.3, points)), c) for name, c in names)),
        Plot("Epsilon", tuple(Line(name, steps, np.maximum(1 - steps / 60_000, 0.05), c) for name, c in names)),
    )


def facts(distribution=True, seed=0):
    random = np.random.default_rng(seed)
    q = np.array([212.4, 187.0, -31.5, 305.2]) + seed
    returns = np.sort(q[:, None] + random.normal(0, 60, (4, 200)), axis=1) if distribution else None
    return Facts(
        "row 6, column 12: a coin",
        q=q,
        truth=q * 0.86,
        truth_name="Q*",
        visits=1348,
        returns=returns,
        probability=None if returns is None else np.full((4, 200), 1 / 200),
    )


def numbers(minds=1):
    rows = (
        ("steps", "118 420", "118 420"),
        ("episodes", "1 204", "1 187"),
        ("return, last 20", "392.1", "401.7"),
        ("max Q at the start", "548.3", "461.0"),
        ("bias", "+115.2", "+27.9"),
        ("steps a second", "1 240", "1 240"),
    )
    return tuple(row[: 1 + minds] for row in rows)


def batch(level):
    random = np.random.default_rng(3)
    floor = np.array(level.floor)
    rows = []
    for number in range(32):
        cell = int(random.choice(floor))
        reward = float(random.choice([0, 0, 0, 100, -100]))
        rows.append(BatchRow(cell, number % 4, reward, cell + 1, number % 9 == 0, float(random.uniform(0.1, 1))))
    return tuple(rows)


def live(level=None, kind="V", minds=1, difference=False, **changes):
    """The page of `gridrl live`."""
    level = Level.load("dense") if level is None else level
    state = state_of(level)
    titles = ("Q-learning", "Double DQN") if minds == 2 else ("Double DQN",)
    boards = tuple(
        Board(title, level, state, trail_to(level, state.cell), map_of(level, k, kind), cursor=level.floor[-3])
        for k, title in enumerate(titles)
    )
    shown = Shown(
        boards,
        Board("Difference", level, None, map=map_of(level, 5, "difference")) if difference else None,
        tuple(facts(seed=k) for k in range(minds)),
        plots(minds),
        numbers(minds),
        batch(level),
        Timeline(tuple(range(0, 118_000, 10_000)), 118_420, None),
        buttons(),
        sliders(),
        status="Double DQN on dense · flat out, 1 240 steps a second",
    )
    return shown._replace(**changes)


def bare(level=None, **changes):
    """The page of `gridrl play`: a board and a few controls."""
    level = Level.load("dense") if level is None else level
    shown = Shown(
        (Board("", level, state_of(level)),),
        buttons=(
            Button("anew", "begin anew", "r", "Begin the game anew.", "game"),
            Button("back", "take back", "u", "Take the last step back.", "game"),
            Button("values", "values", "v", "Lay the map under your feet.", "show"),
            Button("help", "help", "?", "The legend and the keys.", "window"),
            Button("close", "close", "escape", "Leave the game.", "window"),
        ),
        status="You: 300 after 23 steps · the best possible: 4 100",
    )
    return shown._replace(**changes)


def editor(level=None, **changes):
    """The page of `gridrl edit`."""
    level = Level.load("dense") if level is None else level
    chosen = {"paint", "window"}
    shown = Shown(
        (Board("", level, None, cursor=level.floor[4], unreachable=frozenset(level.floor[-17:])),),
        buttons=tuple(button for button in buttons() if button.group in chosen),
        selected="paint-goal",
        status="dense · 10 x 20 · 17 cells cannot be reached",
        message="Saved as dense-1.toml.",
    )
    return shown._replace(**changes)


def every():
    """All pages that are looked at: name -> (shown, size, zoom, pointer)."""
    small, large = room(5, 5), room(30, 30)
    return {
        "live": (live(), (1280, 800), 1.0, (60, 60)),
        "live-q": (live(kind="Q"), (1280, 800), 1.0, None),
        "live-q-large": (live(kind="Q"), (1920, 1080), 1.0, None),
        "two": (live(minds=2), (1280, 800), 1.0, None),
        "two-difference": (live(minds=2, difference=True), (1280, 800), 1.0, None),
        "two-difference-1080": (live(minds=2, difference=True), (1920, 1080), 1.0, None),
        "live-800": (live(), (800, 600), 1.0, None),
        "two-800": (live(minds=2), (800, 600), 1.0, None),
        "live-640": (live(), (640, 480), 1.0, None),
        "live-zoom2": (live(), (2560, 1600), 2.0, None),
        "live-4k": (live(minds=2, difference=True), (3840, 2160), 2.0, None),
        "live-5x5": (live(small), (1280, 800), 1.0, None),
        "live-5x5-800": (live(small), (800, 600), 1.0, None),
        "live-30x30": (live(large), (1280, 800), 1.0, None),
        "live-30x30-800": (live(large), (800, 600), 1.0, None),
        "editor": (editor(), (1280, 800), 1.0, (150, 200)),
        "editor-640": (editor(), (640, 480), 1.0, None),
        "play": (bare(), (1000, 700), 1.0, (100, 655)),
        "help": (live(help=True), (1280, 800), 1.0, None),
        "help-800": (live(help=True), (800, 600), 1.0, None),
        "help-640": (live(help=True), (640, 480), 1.0, None),
        "help-editor": (editor(help=True), (1280, 800), 1.0, None),
        "difference": (live(kind="difference"), (1440, 900), 1.0, None),
        "past": (
            live(timeline=Timeline(tuple(range(0, 118_000, 3_000)), 118_420, 60_000), message="Looking back."),
            (1280, 800),
            1.0,
            None,
        ),
    }


if __name__ == "__main__":
    import pygame

    from gridrl.studio.views.page import Page

    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (shown, size, zoom, pointer) in every().items():
        if len(sys.argv) < 3 or name in sys.argv[2:]:
            pygame.image.save(Page().draw(shown, size, zoom, pointer), str(folder / f"{name}.png"))
