"""Every kind of map as a figure: the arrays that are drawn, and what is written beside them."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from gridrl.maps import kinds
from gridrl.maps.beliefs import belief, q_grid, spread
from gridrl.maps.scene import Scene, Shown
from gridrl.maps.situations import beginning, situation_of
from gridrl.maps.td_errors import td_errors
from gridrl.maps.visits import visits
from gridrl.plots.scales import scale_from_zero, scale_of_counts
from gridrl.problem import ProblemSettings
from gridrl.training import Training, start
from gridrl.training_settings import TrainSettings
from gridrl.truth.solution import solve

CORRIDOR = "######\n#P  $#\n######\n"
GUARDED = "#######\n#P $  #\n#> @ $#\n#######\n"
SMALL_NET = {"hidden_sizes": (16,), "replay_capacity": 60, "min_replay_size": 32, "batch_size": 4}


def learner(folder: Path, name: str, *, agent: str = "q-learning", seeds: int = 2, **problem: object) -> Training:
    """An agent that has learned nothing yet; a table holds random numbers."""
    level = folder / "guarded.txt"
    level.write_text(GUARDED)
    settings = ProblemSettings(**{"level": str(level), "max_steps": 20} | problem)  # type: ignore[arg-type]
    chosen = {} if agent == "q-learning" else SMALL_NET
    run = start(agent, settings, TrainSettings(seeds=seeds, steps=60), chosen, out=folder / name)
    if agent == "q-learning":
        run.agent.table[:] = np.random.default_rng(3).normal(scale=50, size=run.agent.table.shape)  # type: ignore[attr-defined]
    return run


def maps_of(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_title(loc="left")]


def drawn(axes: Axes) -> np.ndarray:
    """The array that is drawn, flat, NaN where nothing is."""
    array = axes.images[0].get_array()
    assert array is not None
    return np.ma.filled(array.astype(float), np.nan).ravel()


def words(figure: Figure) -> str:
    return " ".join(text.get_text().replace("\n", " ") for text in figure.texts)


def shown_all(run: Training) -> list[Shown]:
    return [Shown(run, which) for which in range(len(run.config.seeds))]


def test_values_of_runs_stand_on_one_scale(tmp_path: Path) -> None:
    run, other = learner(tmp_path, "one"), learner(tmp_path, "two", agent="dqn")
    situation = situation_of(run.problem.gridworld, [3], 4)
    scene = Scene.of([Shown(run, 1), Shown(other, 0)], situation)
    figure = kinds.value(scene)
    first, second = maps_of(figure)
    for axes, training, which in ((first, run, 1), (second, other, 0)):
        wanted = belief(training.agent, training.problem.gridworld, situation)[which].values
        np.testing.assert_array_equal(drawn(axes), wanted)
    assert first.images[0].norm is second.images[0].norm
    assert [axes.get_title(loc="left") for axes in (first, second)] == ["q-learning, seed 1", "dqn, seed 0"]
    assert "What q-learning and dqn believe on guarded (item 3 collected, step 4) after 0 steps" in words(figure)
    assert "How to read: " in words(figure)
    bars = [axes.get_ylabel().replace("\n", " ") for axes in figure.axes if axes not in maps_of(figure)]
    assert bars == ["discounted return, gamma 0.99"]


def test_marks_are_those_of_the_situation(tmp_path: Path) -> None:
    run = learner(tmp_path, "one")
    situation = situation_of(run.problem.gridworld, [1], 4)._replace(player=9)
    (axes,) = maps_of(kinds.value(Scene.of([Shown(run, 0)], situation)))
    found = {line.get_label(): np.floor(line.get_xydata() + 0.5).astype(int).tolist() for line in axes.lines}
    # x is the column: the second coin, the poison, the patroller two cells on at step 4, the player.
    assert found == {"coin": [[5, 2]], "poison": [[3, 2]], "patroller": [[3, 2]], "player": [[2, 1]]}


def test_triangles_hold_the_agents_values(tmp_path: Path) -> None:
    run = learner(tmp_path, "one")
    figure = kinds.action_values(Scene.of([Shown(run, 1)]))
    grid = q_grid(run.agent, run.problem.gridworld, beginning(run.problem.gridworld))[1]
    np.testing.assert_array_equal(maps_of(figure)[0].collections[0].get_array(), grid[~np.isnan(grid[:, 0])].ravel())
    assert "Q of each action: q-learning on guarded after 0 steps" in words(figure)


def test_a_difference_is_to_the_optimum_where_that_is_known(tmp_path: Path) -> None:
    run = learner(tmp_path, "one")
    run.agent.table[:] = solve(run.problem.level, run.agent.gamma).q_values + 7.0  # type: ignore[attr-defined]
    figure = kinds.difference(Scene.of(shown_all(run)))
    for axes in maps_of(figure):
        error = drawn(axes)
        np.testing.assert_allclose(error[~np.isnan(error)], 7.0, atol=1e-6)
        assert {text.get_text() for text in axes.texts} == {"+7.00"}
    assert "max Q \N{MINUS SIGN} V*: q-learning on guarded after 0 steps" in words(figure)
    assert "more than the best policy earns" in words(figure)


def test_a_difference_is_to_its_own_policy_where_the_level_is_too_large(tmp_path: Path) -> None:
    run = learner(tmp_path, "one", agent="dqn", level=None, env="dense-v0", seeds=1)
    figure = kinds.difference(Scene.of([Shown(run, 0)]))
    assert "max Q \N{MINUS SIGN} V\N{GREEK SMALL LETTER PI}: dqn on dense after 0 steps" in words(figure)
    assert "The level cannot be solved: V" in words(figure)
    assert np.isfinite(drawn(maps_of(figure)[0])).sum() == len(run.problem.level.floor) - 2  # two patrollers


def test_td_errors_are_drawn_on_a_signed_scale(tmp_path: Path) -> None:
    run = learner(tmp_path, "one")
    figure = kinds.td_error(Scene.of(shown_all(run)))
    wanted = td_errors(run.agent, run.problem.gridworld, beginning(run.problem.gridworld))
    for axes, error in zip(maps_of(figure), wanted, strict=True):
        np.testing.assert_array_equal(drawn(axes), error)
        assert axes.images[0].norm.vmax == -axes.images[0].norm.vmin == np.nanmax(np.abs(wanted))
    assert "TD error of the best action" in words(figure)


def test_visits_are_drawn_where_there_were_any(tmp_path: Path) -> None:
    run = learner(tmp_path, "one")
    figure = kinds.visit_counts(Scene.of(shown_all(run)))
    for axes, count in zip(maps_of(figure), visits(run), strict=True):
        np.testing.assert_array_equal(np.nan_to_num(drawn(axes)), count)
    assert "over 50 episodes with epsilon 0.05" in words(figure)
    assert "never there" in [text.get_text() for text in figure.legends[0].texts]


def test_the_spread_over_seeds_has_a_panel_for_each_folder(tmp_path: Path) -> None:
    runs = [learner(tmp_path, "one"), learner(tmp_path, "two", seeds=3), learner(tmp_path, "alone", seeds=1)]
    figure = kinds.uncertainty(Scene.of([Shown(run, 0) for run in runs]))
    for axes, run in zip(maps_of(figure), runs, strict=False):
        wanted = spread(run.agent, run.problem.gridworld, beginning(run.problem.gridworld))
        np.testing.assert_array_equal(drawn(axes), wanted)
        assert axes.images[0].norm.vmin == 0
    assert [axes.get_title(loc="left") for axes in maps_of(figure)] == ["one, 2 seeds", "two, 3 seeds"]
    assert "Left out, having one seed: alone." in words(figure)


@pytest.mark.parametrize("observation", ["window", "pixels", "planes"])
def test_whatever_is_observed_can_be_mapped(tmp_path: Path, observation: str) -> None:
    run = learner(tmp_path, "one", agent="dqn", observation=observation)
    scene = Scene.of(shown_all(run), situation_of(run.problem.gridworld, [1], 5))
    for kind in (kinds.value, kinds.action_values, kinds.td_error, kinds.difference, kinds.visit_counts):
        assert len(maps_of(kind(scene))) == 2


def test_a_memory_is_asked_empty_and_that_is_said(tmp_path: Path) -> None:
    run = learner(tmp_path, "one", agent="drqn", seeds=1)
    world = run.problem.gridworld
    figure = kinds.value(Scene.of([Shown(run, 0)]))
    assert "What has a memory (drqn) is asked with an empty one in every cell." in words(figure)
    policy = run.agent.policy(0.0)
    obs, _ = run.problem.make_vector(1).reset(seed=0)
    np.testing.assert_allclose(drawn(maps_of(figure)[0])[8], run.agent.q_values(obs[None]).max(), rtol=1e-6)
    assert policy.remembers
    assert world.level.starts == (8,)
    assert "memory" not in words(kinds.value(Scene.of([Shown(learner(tmp_path, "two"), 0)])))


def test_counts_get_a_logarithmic_scale_where_a_few_dwarf_the_rest() -> None:
    even, wide = np.array([1.0, 2.0, np.nan, 3.0]), np.array([0.5, 0.5, 1.0, 90.0])
    assert not isinstance(scale_of_counts([even]), LogNorm)
    assert (scale_of_counts([even]).vmin, scale_of_counts([even]).vmax) == (0.0, 3.0)
    scale = scale_of_counts([even, wide])
    assert isinstance(scale, LogNorm)
    assert (scale.vmin, scale.vmax) == (0.5, 90.0)
    nothing = np.full(4, np.nan)
    for empty in (scale_of_counts([nothing]), scale_from_zero([nothing])):
        assert empty.vmin is not None
        assert empty.vmax is not None
        assert empty.vmin < empty.vmax


def test_two_runs_of_one_agent_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    runs = [learner(tmp_path, name) for name in ("slow", "fast")]
    runs[1].step = 30
    scene = Scene.of([Shown(run, 0) for run in runs])
    assert scene.titles == ["slow, seed 0, 0 steps", "fast, seed 0, 30 steps"]
    assert scene.who == "q-learning"
    assert scene.when == "on guarded", "the runs stand at different steps"


def test_every_kind_has_one_line_that_says_how_to_read_it(tmp_path: Path) -> None:
    run = learner(tmp_path, "one", agent="c51")
    scene = Scene.of([Shown(run, 0)])
    stems = set()
    for kind in kinds.KINDS.values():
        assert words(kind.draw(scene)).count("How to read: ") == 1
        stems.add(kind.stem)
    assert len(stems) == len(kinds.KINDS) == 8
