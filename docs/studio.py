"""Make the pictures of docs/studio.md, and the film at the top of the README: `python docs/studio.py`.

Nothing here reads a clock: the same version draws the same pictures.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

import gridrl
from gridrl.commands import edit, watch
from gridrl.film import write_film
from gridrl.problem import Problem, ProblemSettings
from gridrl.run import Run
from gridrl.studio.camera import pixels
from gridrl.studio.live.film import frames, wait_for_truth
from gridrl.studio.live.session import Session
from gridrl.studio.live.showing import Showing
from gridrl.studio.minds.mind import Mind
from gridrl.studio.rooms.beliefs import Beliefs
from gridrl.studio.rooms.best_words import GAMMA
from gridrl.studio.rooms.game import Game
from gridrl.studio.rooms.later import Later
from gridrl.studio.rooms.playing import Playing, Trained
from gridrl.studio.shown import Shown
from gridrl.studio.truth import Truth
from gridrl.studio.views.page import Page

DOCS = Path(__file__).parent
SIZE = (1280, 800)
EVAL_PERIOD = 500
COLOURS = 256  # of a picture in the docs


def save(picture: np.ndarray, name: str) -> None:
    """Write a picture, uint8 [H, W, 3], to docs/images."""
    image = Image.fromarray(picture).quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3)  # rare colours, too
    image.save(DOCS / "images" / f"studio-{name}.png", optimize=True)


def draw(shown: Shown, pointer: tuple[int, int] | None = None, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Return a page as a picture, uint8 [H, W, 3]."""
    return pixels(Page().draw(shown, size, 1.0, pointer))


def session_of(truth: Truth, agents: Sequence[str], problem: ProblemSettings, steps: int, **settings: Any) -> Session:
    """Return a session whose minds have learned so many steps."""
    minds = [Mind(agent, problem, settings.get(agent, {}), range(4), eval_period=EVAL_PERIOD) for agent in agents]
    session = Session(minds, truth)
    wait_for_truth(session)
    while session.step < steps:
        session.work()
    return session


def live_pages(truth: Truth) -> None:
    """Draw one mind: the whole page, each map, and the brush at work."""
    problem = ProblemSettings(env="dense-small-v0")
    session = session_of(truth, ["per-dqn"], problem, 6_000, **{"per-dqn": {"epsilon_decay_steps": 5_000}})
    session.world.point(session.mind.level.starts[0] + 1)
    save(draw(Showing(session).shown()), "live")

    maps = []
    for kind in ("value", "q", "difference", "td-error", "visits", "priority", "uncertainty"):
        session.kind = kind
        board = Showing(session).shown().boards[0]
        maps.append(draw(Shown((board._replace(title=kind, cursor=None),)), size=(480, 360)))
    maps.append(np.full_like(maps[0], maps[0][0, 0]))
    save(np.vstack([np.hstack(maps[:4]), np.hstack(maps[4:])]), "maps")

    session.kind = "value"
    hand, level = session.world.hand, session.mind.level
    hand.take("wall")
    session.world.press(level.columns * 3 + 3)
    session.world.point(level.columns * 3 + 4)
    save(draw(Showing(session).shown()), "paint")


def two_minds(truth: Truth) -> None:
    """Draw two minds in a world whose rewards are noisy."""
    problem = ProblemSettings(env="dense-small-v0", coins=2, reward_noise=30.0)
    session = session_of(truth, ["q-learning", "double-q-learning"], problem, 20_000)
    save(draw(Showing(session).shown()), "two")


def rooms(truth: Truth, folder: Path) -> None:
    """Draw a game, agents that are watched, and the editor."""
    run = gridrl.train("dqn", env="dense-small-v0", seeds=1, steps=6_000, out=folder / "run")
    table = gridrl.train("q-learning", env="dense-small-v0", seeds=1, steps=20_000, out=folder / "table")
    game = Game(Problem(ProblemSettings(env="dense-small-v0")), 0)
    beside = Trained(Beliefs(run, 0), "dqn, seed 0", float(run.final("greedy_return")[0]))
    trained = Later(lambda: beside)
    playing = Playing(game, truth, trained, show_values=True)
    while not trained.is_done or not truth.known(game.level, GAMMA):
        time.sleep(0.01)
    for direction in ("right", "right", "down"):
        playing.arrow(direction)
    save(draw(playing.shown()), "play")

    room = watch.make_room([Run.load(each.folder.path) for each in (run, table)], watch.Options(("",), values=True))
    for _ in range(5):
        room.step()
    save(draw(room.shown()), "watch")

    editor = edit.make_editor(edit.Options("four-rooms"))
    save(draw(editor.shown()), "edit")


class Bare(Page):
    """A page with the boards, a cell's facts and the first curves alone."""

    def draw(self, shown: Shown, *args: Any) -> Any:
        """Draw what is left of a page."""
        return super().draw(Shown(shown.boards, facts=shown.facts, plots=shown.plots[:2], status=shown.status), *args)


def film(truth: Truth) -> None:
    """Film a table and a network that learn to fetch three coins on dense-v0, side by side."""
    problem = ProblemSettings(env="dense-v0", coins=3)
    minds = [Mind(agent, problem, {}, range(1), eval_period=EVAL_PERIOD) for agent in ("q-learning", "double-dqn")]
    session = Session(minds, truth, speed=2_000.0)
    session.world.point(session.mind.level.starts[0])
    pictures = frames(session, Bare(), (1000, 520), 1.0, seconds=15, fps=8)
    write_film(pictures, DOCS.parent / "assets" / "live.gif", 8)


if __name__ == "__main__":
    answers = Truth()
    try:
        with TemporaryDirectory() as scratch:
            live_pages(answers)
            two_minds(answers)
            rooms(answers, Path(scratch))
            film(answers)
    finally:
        answers.close()
