"""`gridrl watch RUN...`: trained agents play, in a window or as a film."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from gridrl.commands.options import parse
from gridrl.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from gridrl.problem import Problem
    from gridrl.run import Run
    from gridrl.run_folder import RunFolder
    from gridrl.studio.rooms.watching import Watching

HOLD_S = 1.0  # an episode's last picture stays this long
MOST = 6  # agents side by side


@dataclass
class Options:
    """See trained agents play."""

    runs: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN...")]
    """The runs' folders; several play side by side."""
    seed: int | None = None
    """Which of a folder's runs, by seed; the best one if not given."""
    snapshots: str = ""
    """Steps of the training, such as 0,10000,20000: each run as it was then, side by side."""
    every: int | None = None
    """In place of these: the snapshots at every so many steps."""
    epsilon: float = 0.0
    """Share of random actions."""
    episodes: int = 1
    """How many episodes."""
    fps: float = 8.0
    """Steps per second."""
    values: bool = False
    """Lay what each agent expects from here on under its feet; in the window, v does."""
    video: Path | None = None
    """Write a film (.gif or .mp4) and open no window."""

    def __post_init__(self) -> None:
        if not self.runs:
            raise UserError("watch shows run folders, such as runs/dqn-dense-v0-1; name at least one.")
        if not 0 <= self.epsilon <= 1:
            raise UserError(f"--epsilon is a probability from 0 to 1, got {self.epsilon}.")
        if self.episodes < 1:
            raise UserError(f"--episodes must be 1 or more, got {self.episodes}.")
        if not 0 < self.fps <= 1000:
            raise UserError(f"--fps must be above 0 and at most 1000, got {self.fps}.")
        if self.snapshots and self.every is not None:
            raise UserError("--snapshots names the steps and --every chooses them; leave one of them out.")
        if self.every is not None and self.every < 1:
            raise UserError(f"--every must be 1 or more steps, got {self.every}.")
        self.steps()

    def steps(self) -> list[int]:
        """Return the steps that `snapshots` names."""
        try:
            return list(dict.fromkeys(int(step) for step in self.snapshots.split(",") if step.strip()))
        except ValueError:
            raise UserError(f"--snapshots takes steps such as 0,10000,20000, got '{self.snapshots}'.") from None


def main(argv: list[str]) -> int:
    """Show the runs named in `argv`."""
    options: Any = parse(Options, "watch", argv, "See trained agents play, in a window or as a film.")

    from gridrl.run import Run
    from gridrl.run_folder import RunFolder

    folders = [RunFolder.open(folder) for folder in dict.fromkeys(options.runs)]
    problems = check(folders, options)
    if not problems[0].is_gridworld:
        from gridrl.commands.watch_pictures import watch_pictures

        return watch_pictures(Run.load(folders[0].path), options)

    rooms: list[Watching] = []  # one, once it is loaded

    def load() -> "Watching":
        rooms.append(make_room([Run.load(folder.path) for folder in folders], options))
        return rooms[0]

    if options.video is not None:
        from gridrl.film import write_film

        write_film(frames(load(), options.fps), options.video, options.fps)
        print(f"wrote {options.video}")
    else:
        from gridrl.studio.rooms.loading import Loading
        from gridrl.studio.rooms.loop import show

        show(Loading("gridrl watch", problems[0].level, load), "write a film instead: --video out.gif")
    for room in rooms:
        for one, returns in zip(room.watched, room.returns, strict=True):
            whose = f"{one.title}: " if len(room.watched) > 1 else ""
            print(f"{whose}return: {'; '.join(returns) or 'closed before the end of the episode'}")
    return 0


def check(folders: "Sequence[RunFolder]", options: Options) -> "list[Problem]":
    """Return the problems of the runs; raises `UserError` where these cannot be watched together.

    What can be seen without loading the agents is seen here, before a window is opened.
    """
    from gridrl.run import make_problem

    problems = [make_problem(folder.config.agent, folder.config.problem) for folder in folders]
    for folder, problem in zip(folders, problems, strict=True):
        if not problem.is_gridworld and (len(folders) > 1 or options.snapshots or options.every or options.values):
            raise UserError(
                f"{folder.path} plays {folder.config.problem.env}, which is no gridworld: watch it alone, without "
                "--snapshots, --every and --values."
            )
        if options.seed is not None and options.seed not in folder.config.seeds:
            seeds = ", ".join(map(str, folder.config.seeds))
            raise UserError(f"{folder.path} has no run with seed {options.seed}; it has {seeds}.")
        if not folder.groups[0].checkpoints():
            raise UserError(f"{folder.path} has no checkpoint yet; let it train further: gridrl resume {folder.path}")
        if problem.is_gridworld and problem.level != problems[0].level:
            raise UserError(
                f"{folder.path} is on level '{problem.level.name}', {folders[0].path} on '{problems[0].level.name}', "
                "or with other settings: side by side they share a level; watch them apart."
            )
    number = sum(len(_steps(folder, options)) or 1 for folder in folders)
    if number > MOST:
        raise UserError(f"at most {MOST} agents stand side by side, got {number}; name fewer runs or snapshots.")
    return problems


def make_room(runs: "Sequence[Run]", options: Options) -> "Watching":
    """Return the agents side by side, where `check` found nothing wrong with them."""
    from gridrl.studio.rooms.beliefs import Beliefs
    from gridrl.studio.rooms.watching import Watched, Watching

    names = [run.config.agent for run in runs]
    if len(set(names)) < len(names):
        names = [run.folder.path.name for run in runs]
    watched, who = [], []
    for name, run in zip(names, runs, strict=True):
        index = run.best if options.seed is None else run.shown(options.seed)[0]
        whose = f"{name}, seed {run.config.seeds[index]}"
        who.append(whose)
        steps = _steps(run.folder, options)
        if not steps:
            watched.append(Watched(Beliefs(run, index), whose, options.epsilon))
        for step in steps:
            with run.looking_at(step):
                beliefs = Beliefs(run, index, run.agent.values_dict())
            title = f"{name}, " * (len(runs) > 1) + f"after {step:,} steps"
            watched.append(Watched(beliefs, title, options.epsilon))
    return Watching(watched, "; ".join(who), options.episodes, options.fps, show_values=options.values)


def _steps(folder: "RunFolder", options: Options) -> list[int]:
    """Return the snapshots of a run that are asked for; none where the agent is shown as it is now.

    Raises `UserError` for one that was not kept.
    """
    kept = sorted(set.intersection(*(set(group.snapshots()) for group in folder.groups)))
    words = f"it has {', '.join(map(str, kept)) or 'none'}"
    if options.every is not None:
        chosen = [step for step in kept if step % options.every == 0]
        if not chosen:
            raise UserError(f"{folder.path} has no snapshot at a multiple of {options.every}; {words}.")
        return chosen
    for step in options.steps():
        if step not in kept:
            raise UserError(f"{folder.path} has no snapshot of step {step}; {words}.")
    return options.steps()


def frames(room: "Watching", fps: float) -> "Iterator[np.ndarray]":
    """Yield the pictures of all episodes, uint8 [H, W, 3], each episode's last one for a second."""
    from gridrl.studio.camera import pixels
    from gridrl.studio.views.page import Page

    page, size = Page(), _size(room)
    while not room.closed:
        shown = room.shown()._replace(buttons=(), status=room.who)
        yield from [pixels(page.draw(shown, size))] * (max(1, round(HOLD_S * fps)) if room.ended else 1)
        if room.ended:
            room.advance()
        else:
            room.step()


def _size(room: "Watching") -> tuple[int, int]:
    """Return a size for a film in which all boards have cells of one size, and room for what is said of them."""
    level, across = room.watched[0].beliefs.run.problem.level, min(len(room.watched), 3)
    down = -(-len(room.watched) // across)
    tile = max(min(48, 1800 // (across * level.columns), 1000 // (down * level.rows)), 1)
    width = across * (max(level.columns * tile, 380) + 16) + 24
    height = down * (level.rows * tile + 80) + 40
    return width + width % 2, height + height % 2
