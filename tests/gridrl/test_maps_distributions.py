"""Distributions of the return: what is drawn is what the agent says, beside what is so."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from gridrl.errors import UserError
from gridrl.maps import kinds
from gridrl.maps.scene import Scene, Shown
from gridrl.maps.situations import situation_of
from gridrl.plots.distributions import ReturnPanel, distributions_figure
from gridrl.problem import ProblemSettings
from gridrl.training import Training, start
from gridrl.training_settings import TrainSettings
from gridrl.truth.returns import action_returns
from gridrl.truth.solution import solve
from gridrl_envs.dynamics import State, States

SMALL_NET = {"hidden_sizes": (16,), "replay_capacity": 60, "min_replay_size": 32, "batch_size": 4}
LEVEL = "#####\n#P $#\n# @ #\n#####\n"  # floor: cells 6, 7, 8 (the coin), 11, 12 (the poison) and 13
DASHED, DOTTED = "--", ":"


def learner(folder: Path, agent: str, seeds: int = 1) -> Training:
    (folder / "level.txt").write_text(LEVEL)
    problem = ProblemSettings(level=str(folder / "level.txt"), observation="planes")
    settings = {} if agent == "q-learning" else SMALL_NET
    return start(agent, problem, TrainSettings(seeds=seeds, steps=60), settings, out=folder / agent)


def bars(axes: Axes) -> list[tuple[float, float]]:
    """Middle and height of each bar."""
    return [
        (patch.get_x() + patch.get_width() / 2, patch.get_height())
        for patch in axes.patches
        if isinstance(patch, Rectangle)
    ]


def lines(axes: Axes) -> dict[str, float]:
    """Where the upright lines stand, by what they are."""
    upright = [line for line in axes.lines if len(line.get_xdata()) == 2]
    names = {"-": "mean", DASHED: "policy", DOTTED: "optimum"}
    dashes = {0: "-", 4: DASHED, 1: DOTTED}
    return {
        names[dashes[0 if line._unscaled_dash_pattern[1] is None else int(line._unscaled_dash_pattern[1][0])]]: float(
            line.get_xdata()[0]
        )
        for line in upright
    }


def test_atoms_are_drawn_with_their_probabilities(tmp_path: Path) -> None:
    run = learner(tmp_path, "c51", seeds=2)
    world = run.problem.gridworld
    situation = situation_of(world, [2], 3)
    figure = kinds.KINDS["distribution"].draw(Scene.of([Shown(run, 1)], situation, cell=7))
    here = States.of([State(7, 3, (True, False))])
    obs = world.observe(here)
    found = run.agent.return_distribution(np.broadcast_to(obs, (2, *obs.shape)))
    assert found is not None
    earned = action_returns(run.agent, world, here).value
    best = solve(world.level, run.agent.gamma).q_at(here)[0]
    assert len(figure.axes) == 4
    for action, axes in enumerate(figure.axes):
        returns, probability = found.returns[1, 0, action], found.probability[1, 0, action]
        np.testing.assert_allclose(bars(axes), np.stack([returns, probability], axis=1), rtol=1e-6)
        mean = (returns * probability).sum()
        np.testing.assert_allclose(mean, run.agent.q_values(np.broadcast_to(obs, (2, *obs.shape)))[1, 0, action], 1e-4)
        marked = lines(axes)
        np.testing.assert_allclose(
            [marked["mean"], marked["policy"], marked["optimum"]], [mean, earned[1, 0, action], best[action]], rtol=1e-6
        )
        name = axes.get_title(loc="left")
        assert name.startswith(("up", "down", "left", "right")[action])
        assert f"Q = {mean:.4g}" in name
    means = (found.returns * found.probability).sum(axis=-1)[1, 0]
    starred = ["\N{BLACK STAR}" in axes.get_title(loc="left") for axes in figure.axes]
    assert starred == (means == means.max()).tolist()
    words = [text.get_text().replace("\n", " ") for text in figure.texts]
    assert any(
        text == "Return from row 2, column 3: c51 on level (item 2 collected, step 3) after 0 steps" for text in words
    )


def test_quantiles_are_ticks_and_counted_in_bins(tmp_path: Path) -> None:
    run = learner(tmp_path, "qr-dqn")
    obs = run.problem.make_vector(1).reset(seed=0)[0]
    found = run.agent.return_distribution(obs[None])
    assert found is not None
    figure = kinds.KINDS["distribution"].draw(Scene.of([Shown(run, 0)]))
    for action, axes in enumerate(figure.axes):
        quantiles = found.returns[0, 0, action]
        (ticks,) = [line for line in axes.lines if line.get_marker() == "|"]
        np.testing.assert_allclose(ticks.get_xdata(), quantiles, rtol=1e-6)
        drawn = bars(axes)
        assert sum(height for _, height in drawn) == pytest.approx(1.0)
        width = next(iter(axes.patches)).get_width()
        for middle, height in drawn:
            inside = np.abs(quantiles - middle) <= width / 2
            assert height == pytest.approx(inside.mean(), abs=1.01 / len(quantiles))


def test_all_rows_share_one_scale_and_the_middle_mass_is_on_it() -> None:
    atoms = np.linspace(-10, 10, 21)
    narrow = np.zeros(21)
    narrow[[9, 10, 11]] = 0.25, 0.5, 0.25  # at -1, 0 and 1
    wide = np.zeros(21)
    wide[[2, 18]] = 0.5  # at -8 and 8
    first = ReturnPanel("narrow", np.tile(atoms, (4, 1)), np.tile(narrow, (4, 1)), np.full(4, 3.0))
    second = ReturnPanel("wide", np.tile(atoms, (4, 1)), np.tile(wide, (4, 1)))
    assert first.span() == (-1.0, 3.0)
    assert second.span() == (-8.0, 8.0)
    figure = distributions_figure([first, second], title="two")
    assert {axes.get_xlim() for axes in figure.axes} == {(-8 - 0.64, 8 + 0.64)}
    assert "optimum" not in lines(figure.axes[0])
    assert "policy" not in lines(figure.axes[4])
    legend = [text.get_text() for text in figure.legends[0].texts]
    assert legend == ["believed probability", "believed mean, Q", "its policy earns"]
    with pytest.raises(ValueError, match="at least one panel"):
        distributions_figure([], title="none")


def test_who_learns_a_mean_is_left_out_and_told(tmp_path: Path) -> None:
    dqn, table, c51 = (learner(tmp_path, agent) for agent in ("dqn", "q-learning", "c51"))
    draw = kinds.KINDS["distribution"].draw
    with pytest.raises(UserError, match=r"^dqn learns a mean and no distribution; train c51, qr-dqn or rainbow"):
        draw(Scene.of([Shown(dqn, 0)]))
    with pytest.raises(UserError, match=r"^dqn and q-learning learn a mean"):
        draw(Scene.of([Shown(dqn, 0), Shown(table, 0)]))
    figure = draw(Scene.of([Shown(run, 0) for run in (dqn, table, c51)]))
    assert len(figure.axes) == 4
    words = " ".join(text.get_text().replace("\n", " ") for text in figure.texts)
    assert "Left out, for want of a distribution: dqn and q-learning." in words
    assert "c51, seed 0" in words


def test_cells_where_nothing_follows_are_refused(tmp_path: Path) -> None:
    run = learner(tmp_path, "c51")
    with pytest.raises(UserError, match="on row 2, column 4 the episode is over, so that no return follows"):
        kinds.KINDS["distribution"].draw(Scene.of([Shown(run, 0)], cell=8))
    with pytest.raises(UserError, match="row 1, column 3 of level 'level' is no floor; give another cell"):
        Scene.of([Shown(run, 0)], cell=2)
