"""Values over training: every panel and every frame is what the run believed then."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from gridrl.maps import kinds
from gridrl.maps.beliefs import belief
from gridrl.maps.film_strip import evenly, film_frames, film_strip
from gridrl.maps.scene import Scene, Shown
from gridrl.maps.situations import situation_of
from gridrl.problem import ProblemSettings
from gridrl.run import Run
from gridrl.training import start
from gridrl.training_settings import TrainSettings

LEVEL = "######\n#P $ #\n#  @$#\n######\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tables that have learned for a while, looked at every 20 steps and every 50."""
    parent = tmp_path_factory.mktemp("film")
    (parent / "level.txt").write_text(LEVEL)
    problem = ProblemSettings(level=str(parent / "level.txt"))
    for name, steps, period in (("long", 200, 20), ("short", 100, 50)):
        settings = TrainSettings(seeds=2, steps=steps, eval_period=50, eval_episodes=2, snapshot_period=period)
        start("q-learning", problem, settings, {"learning_rate": 0.5}, out=parent / name).run()
    return parent


def panels(figure: Figure) -> dict[str, np.ndarray]:
    return {
        axes.get_title(loc="left"): np.ma.filled(axes.images[0].get_array().astype(float), np.nan).ravel()
        for axes in figure.axes
        if axes.images
    }


def test_a_strip_holds_what_was_believed_at_its_steps(folder: Path) -> None:
    run = Run.load(folder / "long")
    assert run.snapshots == list(range(0, 201, 20))
    now = run.agent.state_dict()
    situation = situation_of(run.problem.gridworld, [1], 3)
    figure = film_strip(Scene.of([Shown(run, 1)], situation))
    np.testing.assert_equal(run.agent.state_dict()["table"], now["table"])
    assert run.step == 200
    found = panels(figure)
    assert list(found) == [f"step {step}" for step in (0, 40, 80, 120, 160, 200)]
    norms = {id(axes.images[0].norm) for axes in figure.axes if axes.images}
    assert len(norms) == 1
    believed = []
    for title, values in found.items():
        run.at(int(title.removeprefix("step ")))
        believed.append(belief(run.agent, run.problem.gridworld, situation)[1].values)
        np.testing.assert_array_equal(values, believed[-1])
    assert np.nanmax(np.abs(believed[0] - believed[-1])) > 1, "something was learned meanwhile"
    words = " ".join(text.get_text().replace("\n", " ") for text in figure.texts)
    assert "V of q-learning, seed 1 on level (item 1 collected, step 3), as training goes on" in words
    assert "How to read: the same map as training goes on" in words


def test_several_runs_have_a_column_each(folder: Path) -> None:
    runs = [Run.load(folder / name) for name in ("long", "short")]
    figure = film_strip(Scene.of([Shown(run, run.best) for run in runs]))
    titles = list(panels(figure))
    assert titles == [
        "long, step 0", "short, step 0", "long, step 60", "short, step 50", "long, step 140", "short, step 100",
        "long, step 200",
    ]  # fmt: skip
    left = {name: set() for name in ("long", "short")}
    for axes in figure.axes:
        if axes.images:
            left[axes.get_title(loc="left").partition(",")[0]].add(round(axes.get_position().x0, 6))
    assert all(len(places) == 1 for places in left.values())
    assert left["long"] != left["short"]


def test_of_several_seeds_the_best_is_shown(folder: Path) -> None:
    run = Run.load(folder / "short")
    best = belief(run.agent, run.problem.gridworld)[run.best].values
    found = panels(film_strip(Scene.of([Shown(run, 0), Shown(run, 1)])))
    np.testing.assert_array_equal(found["step 100"], best)


def test_frames_are_all_snapshots_on_one_scale(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, figures = Run.load(folder / "long"), []
    module = import_module("gridrl.maps.film_strip")
    draw = module.pixels
    monkeypatch.setattr(module, "pixels", lambda figure: (figures.append(figure), draw(figure))[1])
    frames = list(film_frames(Scene.of([Shown(run, 0)])))
    assert len(frames) == 11
    assert {frame.shape for frame in frames} == {frames[0].shape}
    assert frames[0].dtype == np.uint8
    found = [panels(figure) for figure in figures]
    assert [list(each) for each in found] == [[f"q-learning, step {step}"] for step in range(0, 201, 20)]
    values = np.array([next(iter(each.values())) for each in found])
    limits = {(f.axes[0].images[0].norm.vmin, f.axes[0].images[0].norm.vmax) for f in figures}
    assert limits == {(np.nanmin(values), np.nanmax(values))}
    run.at(120)
    np.testing.assert_array_equal(values[6], belief(run.agent, run.problem.gridworld)[0].values)


def test_a_film_is_written(folder: Path, tmp_path: Path) -> None:
    runs = [Run.load(folder / name) for name in ("long", "short")]
    kinds.write(Scene.of([Shown(run, 0) for run in runs]), "film", tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as film:
        assert film.format == "GIF"
        assert film.n_frames > 1  # frames that are alike are stored once


def test_steps_are_chosen_evenly() -> None:
    assert evenly(list(range(0, 101, 10)), 6) == [0, 20, 40, 60, 80, 100]
    assert evenly([0, 5], 6) == [0, 5]
    assert evenly([7], 6) == [7]
