"""What is measured of overestimation: planted tables whose error and loss are known, and exact values of policies."""

from pathlib import Path

import numpy as np
import pandas
import pytest

from gridrl.errors import UserError
from gridrl.problem import ProblemSettings
from gridrl.run import Run
from gridrl.training import Training, start
from gridrl.training_settings import TrainSettings
from gridrl.truth.bias import at_the_end, final_summaries, measure
from gridrl.truth.known import known
from gridrl.truth.solution import solve
from gridrl.truth.state_samples import STATE_SETS
from gridrl_agents.tabular.planning import policy_evaluation
from gridrl_envs.model import build_model

MAP = """
########
#P $ @ #
# #$#  #
#  @  $#
########
"""
CORRIDOR = "#######\n#P  $ #\n#######\n"
RIGHT, LEFT = 3, 2


def trained(path: Path, level: str, agent: str = "q-learning", steps: int = 20, **settings: object) -> Training:
    """A short run of two seeds on a level drawn in a text, with snapshots at 0, 10 and 20."""
    path.mkdir(parents=True)
    (path / "level.txt").write_text(level)
    problem = ProblemSettings(level=str(path / "level.txt"))
    run_settings = TrainSettings(seeds=2, steps=steps, eval_period=steps, eval_episodes=1, snapshot_period=10)
    training = start(agent, problem, run_settings, {"gamma": 0.9, **settings}, out=path / "run")
    training.run()
    return training


def plant(run: Run, table: np.ndarray) -> None:
    """Let every run of a table believe `table`, [S, A] or [R, S, A]."""
    run.agent.table[:] = table  # type: ignore[attr-defined]


def values(table: pandas.DataFrame, metric: str) -> dict[str, list[float]]:
    """Each set's values of a metric, in the order of the seeds."""
    rows = table[table["metric"] == metric]
    return {str(name): group["value"].tolist() for name, group in rows.groupby("states", sort=False)}


def test_nothing_is_wrong_with_the_optimal_values(tmp_path: Path) -> None:
    run = trained(tmp_path / "a", MAP)
    plant(run, solve(run.problem.level, 0.9).q_values)
    table = measure(run, steps=[20])
    for metric in ("estimate_error", "policy_loss"):
        found = values(table, metric)
        assert list(found) == list(STATE_SETS)
        for errors in found.values():
            # Q* is solved to 1e-9; where it is, ties are broken by the last bit, at a cost of as much a step.
            assert errors == pytest.approx([0.0, 0.0], abs=1e-7)
    (start_value,) = set(values(table, "optimal_value")["start"])
    assert values(table, "believed")["start"] == [start_value] * 2
    assert start_value == solve(run.problem.level, 0.9).start_value()
    assert values(table, "num_states")["start"] == [1.0, 1.0]


def test_a_planted_constant_is_the_error_and_no_loss(tmp_path: Path) -> None:
    run = trained(tmp_path / "a", MAP)
    plant(run, solve(run.problem.level, 0.9).q_values + np.array([7.5, -3.0])[:, None, None])
    table = measure(run, steps=[20])
    for errors in values(table, "estimate_error").values():
        assert errors == pytest.approx([7.5, -3.0], abs=1e-7)
    for losses in values(table, "policy_loss").values():
        assert losses == pytest.approx([0.0, 0.0], abs=1e-7)


def test_one_wrong_action_by_hand(tmp_path: Path) -> None:
    run = trained(tmp_path / "a", CORRIDOR)
    q_values = solve(run.problem.level, 0.9).q_values.copy()
    # V* of the three cells before the coin: 81, 90, 100. From the second one, left is believed to be worth 95: the
    # policy then goes to and fro between the first two for ever and earns nothing.
    second = run.problem.gridworld.observe(known(run.problem.level, 0.9).path)[1]  # type: ignore[arg-type]
    q_values[second, LEFT] = 95.0
    plant(run, q_values)
    table = measure(run, steps=[20], states=("start", "optimal-path"))
    expected = {  # at the start; as means over the three
        "believed": (81.0, (81 + 95 + 100) / 3),
        "policy_value": (0.0, (0 + 0 + 100) / 3),
        "optimal_value": (81.0, (81 + 90 + 100) / 3),
        "estimate_error": (81.0, (81 + 95 + 0) / 3),
        "policy_loss": (-81.0, (-81 - 90 + 0) / 3),
    }
    for metric, numbers in expected.items():
        for name, value in zip(("start", "optimal-path"), numbers, strict=True):
            assert values(table, metric)[name] == pytest.approx([value] * 2), (name, metric)
    assert values(table, "share_exact") == {"start": [1.0] * 2, "optimal-path": [1.0] * 2}


def test_any_table_beside_the_exact_value_of_its_policy(tmp_path: Path) -> None:
    run = trained(tmp_path / "a", MAP)
    level, rng = run.problem.level, np.random.default_rng(3)
    solution = solve(level, 0.9)
    tables = solution.q_values + rng.normal(0, 30, (2, *solution.q_values.shape))
    plant(run, tables)
    measured = measure(run, steps=[20], states=("start", "random"))
    from gridrl.truth.state_samples import random_states, start_states

    dynamics = run.problem.gridworld.dynamics
    for name, states in (("start", start_states(dynamics)), ("random", random_states(dynamics))):
        numbers = solution.state_index.encode(states)
        for i, q_values in enumerate(tables):
            policy = np.eye(4)[q_values.argmax(axis=1)]
            exact = policy_evaluation(build_model(level), policy, 0.9)[numbers].mean()
            believed, best = q_values.max(axis=1)[numbers].mean(), solution.values[numbers].mean()
            assert values(measured, "policy_value")[name][i] == pytest.approx(exact)
            assert values(measured, "estimate_error")[name][i] == pytest.approx(believed - exact)
            assert values(measured, "policy_loss")[name][i] == pytest.approx(exact - best)
    assert min(abs(error) for error in values(measured, "policy_loss")["random"]) > 1, "or nothing was tested"


def test_ties_are_played_out_within_their_standard_error(tmp_path: Path) -> None:
    run = trained(tmp_path / "a", MAP)
    level = run.problem.level
    plant(run, np.zeros(4))  # a random walk
    measured = measure(run, steps=[20], states=("start", "random"))
    from gridrl.truth.state_samples import random_states, start_states

    dynamics, index = run.problem.gridworld.dynamics, solve(level, 0.9).state_index
    everywhere = policy_evaluation(build_model(level), np.full((index.num_states, 4), 0.25), 0.9)
    for name, states in (("start", start_states(dynamics)), ("random", random_states(dynamics))):
        exact = everywhere[index.encode(states)].mean()
        (found, errors) = (values(measured, metric)[name] for metric in ("policy_value", "std_error"))
        assert max(errors) < 5, "so that something is said"
        for value, error in zip(found, errors, strict=True):
            assert abs(value - exact) < 5 * error
        assert values(measured, "share_exact")[name] == [0.0, 0.0]
        assert values(measured, "num_states")[name] == [states.cell.size] * 2


def test_a_network_is_measured_as_a_table_is(tmp_path: Path) -> None:
    settings = {"hidden_sizes": (8,), "batch_size": 4, "replay_capacity": 50, "min_replay_size": 10}
    run = trained(tmp_path / "a", MAP, "dqn", **settings)
    table = measure(run, states=("start", "random"))
    assert values(at_the_end(table), "share_exact") == {"start": [1.0] * 2, "random": [1.0] * 2}
    obs = run.problem.gridworld.observe(run.problem.gridworld.dynamics.reset(1))
    believed = run.agent.q_values(np.stack([obs, obs])).max(axis=2)[:, 0]
    assert values(at_the_end(table), "believed")["start"] == pytest.approx(believed.tolist())
    assert max(loss for losses in values(table, "policy_loss").values() for loss in losses) <= 1e-6


@pytest.mark.parametrize(("gamma", "bounds"), [(0.9, (433.395, 433.395)), (0.99, (2677.741, 2829.5)), (0.98, None)])
def test_what_is_known_of_a_level_that_is_too_large(tmp_path: Path, gamma: float, bounds: tuple | None) -> None:
    problem = ProblemSettings(env="dense-v0")
    run = start("q-learning", problem, TrainSettings(steps=5), {"gamma": gamma}, out=tmp_path / "run")
    table = measure(run, steps=[0], states=("start", "optimal-path"))
    found = {metric: values(table, metric).get("start") for metric in table["metric"].unique()}
    assert "policy_loss" not in {metric for metric in found if gamma != 0.9}
    if bounds is None:
        assert set(table["states"]) == {"start"}
        assert not {"optimal_value", "optimum_low"} & set(found)
        with pytest.raises(UserError, match=r"no good path is known on dense at gamma 0\.98; measure other states"):
            measure(run, steps=[0], states=["optimal-path"])
        return
    steps = {0.9: 139, 0.99: 109}[gamma]  # of the plans in levels/dense_plans.json
    assert values(table, "num_states")["optimal-path"] == [steps]
    assert "policy_loss" not in set(table.loc[table["states"] == "optimal-path", "metric"])
    if gamma == 0.9:
        assert found["optimal_value"] == [bounds[0]]
        assert found["policy_loss"] == pytest.approx([found["policy_value"][0] - bounds[0]])  # type: ignore[index]
    else:
        assert (found["optimum_low"], found["optimum_high"]) == ([bounds[0]], [bounds[1]])
    assert "130784533178839203840 states" in known(run.problem.level, gamma).why_unsolved


def test_a_circle_that_costs_at_gamma_1_is_worth_minus_infinity(tmp_path: Path) -> None:
    run = start(
        "q-learning",
        ProblemSettings(level=_costly(tmp_path)),
        TrainSettings(seeds=2, steps=5),
        {"gamma": 1.0},
        out=tmp_path / "run",
    )
    table = solve(run.problem.level, 1.0).q_values.copy()
    plant(run, np.stack([table, np.tile([1.0, 0.0, 0.0, 0.0], (len(table), 1))]))  # the second runs against the wall
    measured = measure(run, steps=[0], states=("start",))
    assert values(measured, "policy_value")["start"] == [97.0, -np.inf]
    assert values(measured, "estimate_error")["start"] == [0.0, np.inf]
    found = final_summaries(measured, np.random.default_rng(0))["q-learning", "start", "policy_value"]
    assert found.centre == -np.inf
    assert np.isnan(found.low)
    assert found.n == 2


def _costly(folder: Path) -> str:
    path = folder / "costly.toml"
    path.write_text(f'map = """\n{CORRIDOR}"""\n[rewards]\nstep = -1.0\n')
    return str(path)
