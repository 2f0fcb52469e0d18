"""The arrays behind the maps, against numbers worked out by hand, the exact solution and the finite model."""

from pathlib import Path

import numpy as np
import pytest

from gridrl.errors import UserError
from gridrl.maps.beliefs import belief, q_grid, spread
from gridrl.maps.situations import Situation, beginning, on_every_cell, situation_of
from gridrl.maps.td_errors import td_errors, td_targets
from gridrl.maps.value_errors import error_to_optimum, error_to_policy
from gridrl.maps.visits import visits
from gridrl.problem import ProblemSettings
from gridrl.training import Training, start
from gridrl.training_settings import TrainSettings
from gridrl.truth.solution import solve
from gridrl_envs.model import build_model
from gridrl_envs.observations import StateIndex

UP, DOWN, LEFT, RIGHT = range(4)
CORRIDOR = "######\n#P  $#\n######\n"  # cells 7, 8, 9 and the coin at 10, worth 100
# The patroller goes from cell 13 to the right; the player may pass above.
GUARDED = "######\n#P   #\n#> @$#\n######\n"


def table(folder: Path, level: str, *, seeds: int = 1, agent: str = "q-learning", **problem: float) -> Training:
    """A table, or another agent, on a level given as a map; nothing is learned yet."""
    (folder / "level.txt").write_text(level)
    settings = ProblemSettings(level=str(folder / "level.txt"), **problem)  # type: ignore[arg-type]
    return start(agent, settings, TrainSettings(seeds=seeds, steps=100), {}, out=folder / "run")


def fill(run: Training, q_values: np.ndarray) -> None:
    """Let a table hold `q_values` [S, A] in each run."""
    run.agent.table[:] = q_values  # type: ignore[attr-defined]


def rows_of(run: Training, situation: Situation) -> np.ndarray:
    """The table's rows of the situation's cells, in the order of the floor."""
    world = run.problem.gridworld
    return StateIndex(world.dynamics).encode(on_every_cell(world, situation))


def test_values_lie_on_their_cells_and_nowhere_else(tmp_path: Path) -> None:
    run = table(tmp_path, CORRIDOR, seeds=2)
    world = run.problem.gridworld
    known = np.arange(32.0).reshape(2, 4, 4)  # [runs, floor cells, actions]
    run.agent.table[:, rows_of(run, beginning(world))] = known  # type: ignore[attr-defined]
    grid = q_grid(run.agent, world, beginning(world))
    assert grid.shape == (2, 18, 4)
    np.testing.assert_array_equal(grid[:, 7:10], known[:, :3])
    assert np.isnan(np.delete(grid, [7, 8, 9], axis=1)).all(), "walls, and the last coin: there the episode is over"
    found = belief(run.agent, world)[1]
    assert found.values[7:10].tolist() == [19.0, 23.0, 27.0]
    assert found.greedy[7:10].tolist() == [[False, False, False, True]] * 3
    assert found.greedy.sum() == 3


def test_where_a_patroller_stands_the_episode_is_over(tmp_path: Path) -> None:
    run = table(tmp_path, GUARDED)
    world = run.problem.gridworld
    for step, cell in ((0, 13), (2, 14), (4, 15), (6, 16)):
        values = belief(run.agent, world, situation_of(world, step=step))[0].values
        empty = {16, cell}  # and the last coin's cell
        assert set(np.flatnonzero(np.isnan(values[list(world.level.floor)]))) == {
            world.level.floor.index(each) for each in empty
        }


def test_values_of_another_situation_are_those_of_its_states(tmp_path: Path) -> None:
    run = table(tmp_path, "#######\n#P $@$#\n#######\n")
    world = run.problem.gridworld
    fill(run, np.arange(run.agent.table.shape[1])[:, None] * np.ones(4))  # type: ignore[attr-defined]
    situation = situation_of(world, collected=[1, 3])
    # A state's number: its place among the floor cells (5 of them), and 5 * 2 ** i for each item i that is left.
    assert belief(run.agent, world, situation)[0].values[8:12].tolist() == [10.0, 11.0, 12.0, 13.0]


def test_td_errors_in_a_corridor_by_hand(tmp_path: Path) -> None:
    run = table(tmp_path, CORRIDOR, agent="q-learning")
    gamma, world = run.agent.gamma, run.problem.gridworld
    q_values = np.zeros((4, 4))  # of cells 7 to 10
    q_values[0] = 1, 2, 3, 40
    q_values[1] = 5, 5, 50, 5  # to the left is thought best
    q_values[2] = 0, 0, 0, 60
    run.agent.table[:, rows_of(run, beginning(world))] = q_values  # type: ignore[attr-defined]
    found = td_errors(run.agent, world, beginning(world))[0]
    # 7 -> 8: gamma 50 - 40. 8 -> 7: gamma 40 - 50. 9 -> the coin: 100, and nothing after it, - 60.
    np.testing.assert_allclose(found[7:10], [gamma * 50 - 40, gamma * 40 - 50, 40.0], rtol=1e-12)
    assert np.isnan(np.delete(found, [7, 8, 9])).all()
    q_values[1, RIGHT] = 50.0  # a tie: the mean of both
    run.agent.table[:, rows_of(run, beginning(world))] = q_values  # type: ignore[attr-defined]
    found = td_errors(run.agent, world, beginning(world))[0]
    np.testing.assert_allclose(found[8], (gamma * 40 + gamma * 60) / 2 - 50, rtol=1e-12)


@pytest.mark.parametrize("problem", [{}, {"slip": 0.2, "reward_noise": 5.0}])
def test_no_td_error_in_the_optimal_values(tmp_path: Path, problem: dict[str, float]) -> None:
    run = table(tmp_path, GUARDED.replace("@", "$"), **problem)
    world = run.problem.gridworld
    fill(run, solve(world.level, run.agent.gamma).q_values)
    for situation in (beginning(world), situation_of(world, [2], 3)):
        found = td_errors(run.agent, world, situation)
        assert np.isfinite(found).sum() >= 5
        assert np.nanmax(np.abs(found)) < 1e-6


def test_td_targets_are_those_of_the_finite_model(tmp_path: Path) -> None:
    run = table(tmp_path, GUARDED, slip=0.3, seeds=3)
    world = run.problem.gridworld
    model = build_model(world.level)
    q_values = np.random.default_rng(0).normal(size=run.agent.table.shape)  # type: ignore[attr-defined]
    run.agent.table[:] = q_values  # type: ignore[attr-defined]
    situation = situation_of(world, step=5)
    rows = rows_of(run, situation)
    value = q_values.max(axis=2)[:, model.next_state[rows]]  # [R, N, A, K]
    target = model.reward[rows] + run.agent.gamma * ~model.terminated[rows] * value
    wanted = (model.probability[rows] * target).sum(axis=3)
    playing = ~world.dynamics.is_over(on_every_cell(world, situation))
    found = td_targets(run.agent, world, on_every_cell(world, situation))
    np.testing.assert_allclose(found[:, playing], wanted[:, playing], rtol=1e-12)


def test_visits_of_a_walk_by_hand(tmp_path: Path) -> None:
    run = table(tmp_path, CORRIDOR, seeds=2, max_steps=6)
    run.agent.table[0, :, RIGHT] = 1.0  # type: ignore[attr-defined]  # walks straight to the coin
    run.agent.table[1, :, UP] = 1.0  # type: ignore[attr-defined]  # stays at the start for six steps
    found = visits(run, epsilon=0.0, num_episodes=3)
    assert found.shape == (2, 18)
    assert found[0].tolist() == [float(cell in (7, 8, 9, 10)) for cell in range(18)]
    assert found[1].tolist() == [7.0 * (cell == 7) for cell in range(18)]


def test_a_runs_visits_depend_on_no_other_run_and_change_nothing(tmp_path: Path) -> None:
    together = table(tmp_path, GUARDED, seeds=3)
    together.agent.table[:] = np.random.default_rng(1).normal(size=together.agent.table[0].shape)  # type: ignore[attr-defined]
    before = together.agent.state_dict()
    found = visits(together, num_episodes=4)
    np.testing.assert_equal(together.agent.state_dict(), before)
    alone = start("q-learning", together.config.problem, TrainSettings(steps=100), {}, seeds=[1], out=tmp_path / "one")
    alone.agent.table[0] = together.agent.table[1]  # type: ignore[attr-defined]
    np.testing.assert_array_equal(visits(alone, num_episodes=4)[0], found[1])
    assert np.isclose(found.sum(axis=1) * 4 % 1, 0).all(), "moments of four episodes are whole numbers"


def test_the_spread_is_numpys_over_seeds(tmp_path: Path) -> None:
    run = table(tmp_path, CORRIDOR, seeds=3)
    world = run.problem.gridworld
    values = np.array([(1.0, 2.0, 3.0), (4.0, 0.0, 3.0), (7.0, -2.0, 3.0)])  # of cells 7, 8, 9 for each run
    run.agent.table[:, rows_of(run, beginning(world))[:3], DOWN] = values  # type: ignore[attr-defined]
    run.agent.table[..., [UP, LEFT, RIGHT]] = -9.0  # type: ignore[attr-defined]
    found = spread(run.agent, world, beginning(world))
    np.testing.assert_allclose(found[7:10], np.std(values, axis=0, ddof=1))
    np.testing.assert_allclose(found[7:10], [3.0, 2.0, 0.0])
    (tmp_path / "alone").mkdir()
    with pytest.raises(UserError, match="how far seeds differ needs two of them, got one; train with --seeds 2"):
        spread(table(tmp_path / "alone", CORRIDOR).agent, world, beginning(world))


def test_the_error_is_the_constant_that_was_planted(tmp_path: Path) -> None:
    run = table(tmp_path, GUARDED, seeds=2)
    world = run.problem.gridworld
    solution = solve(world.level, run.agent.gamma)
    fill(run, solution.q_values)
    run.agent.table[1] += 12.5  # type: ignore[attr-defined]
    situation = situation_of(world, [2], 2)
    to_optimum = error_to_optimum(run.agent, world, situation, solution)
    to_policy, report = error_to_policy(run.agent, world, situation)
    playing = ~np.isnan(to_optimum[0])
    assert playing.sum() == 6  # eight cells of floor, less the coin's and the patroller's
    # Q* is greedy for the optimal policy, and a constant changes no policy: what that earns is V*.
    for found in (to_optimum, to_policy):
        np.testing.assert_allclose(found[0, playing], 0.0, atol=1e-6)
        np.testing.assert_allclose(found[1, playing], 12.5, atol=1e-6)
        np.testing.assert_array_equal(np.isnan(found[0]), ~playing)
    assert (report.std_error == 0).all()


def test_an_error_to_the_policy_by_hand(tmp_path: Path) -> None:
    run = table(tmp_path, CORRIDOR)
    gamma, world = run.agent.gamma, run.problem.gridworld
    rows = rows_of(run, beginning(world))
    run.agent.table[:, rows, RIGHT] = 30.0  # type: ignore[attr-defined]
    run.agent.table[:, rows[0], LEFT] = 70.0  # type: ignore[attr-defined]  # at the start it stays for ever, for nothing
    found, _ = error_to_policy(run.agent, world, beginning(world))
    np.testing.assert_allclose(found[0, 7:10], [70.0, 30 - 100 * gamma, 30 - 100.0])
