"""Comparisons beside numbers planted in run folders, worked out by hand or by scipy."""

import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import pandas
import pytest
import scipy.stats

from gridrl.comparison.measures import Comparison, compare, load, memory_per_run, problem_words, same_problem
from gridrl.comparison.page import frame, page
from gridrl.comparison.shares import best_return, first_reached, yardstick
from gridrl.comparison.tables import (
    cost_rows,
    exploring_rows,
    greedy_rows,
    improvement_rows,
    number,
    numbered_rows,
    size,
)
from gridrl.errors import UserError
from gridrl.problem import Problem, ProblemSettings
from gridrl.run import Run
from gridrl.training import start
from gridrl.training_settings import TrainSettings
from gridrl.truth.bias import measure
from gridrl_envs.dynamics import Dynamics
from gridrl_envs.level import Level

CORRIDOR = "######\n#P $ #\n######\n"  # one coin, and nothing else
SMALL = {"env": "dense-small-v0", "coins": 3}  # 20 * 2^6 states, and 300 to be had
EVERY = ("return", "discounted_return", "greedy_discounted_return", "max_q_start")


def a_run(folder: Path, agent: str = "q-learning", *, steps: int = 400, seeds: int = 3, **problem: object) -> Path:
    settings = TrainSettings(seeds=seeds, steps=steps, eval_period=100, eval_episodes=1)
    start(agent, ProblemSettings(**(SMALL | problem)), settings, {}, out=folder).run()
    return folder


def plant(folder: Path, greedy: Sequence[Sequence[float]], *, seconds_per_step: float = 0.01, lag: int = 0) -> None:
    """Write other numbers into a run folder: greedy returns [R, T] at steps 0, 100, ...; updates lag behind steps."""
    rows = [
        (seed, max(100 * at - lag, 0), 100 * at, metric, value if metric == "greedy_return" else value - 50)
        for seed, values in enumerate(greedy)
        for at, value in enumerate(values)
        for metric in ("greedy_return", *EVERY)
    ]
    columns = ["run", "update", "step", "metric", "value"]
    pandas.DataFrame(rows, columns=columns).to_csv(folder / "metrics.csv", index=False)
    steps = 100 * np.arange(len(greedy[0]))
    pandas.DataFrame({"step": steps, "seconds": seconds_per_step * steps}).to_csv(folder / "timing.csv", index=False)


def compared(*folders: Path, threshold: float = 0.5) -> Comparison:
    entries, notes = load({folder.name: folder for folder in folders})
    return compare(entries, threshold, np.random.default_rng(0), notes)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    ours, theirs = a_run(folder / "ours"), a_run(folder / "theirs", "double-q-learning", seeds=4)
    plant(ours, [[0, 200, 200, 100, 200], [0, 200, 0, 200, 300], [0, 0, 0, 0, 100]], lag=10)
    plant(theirs, [[0, 0, 0, 0, value] for value in (0, 100, 200, 300)])
    return ours, theirs


@pytest.fixture(scope="module")
def found(runs: tuple[Path, Path]) -> Comparison:
    return compared(*runs)


# --- what is possible


def test_every_part_of_dense_can_be_collected_whole() -> None:
    text = (resources.files("gridrl_envs") / "levels" / "dense_plans.json").read_text()
    actions = json.loads(text)["plans"]["0.9"]["actions"]
    for coins in range(1, 42):
        level = Level.load("dense").keep_coins(coins)
        dynamics = Dynamics(level)
        states, earned = dynamics.reset(1), 0.0
        for action in actions:
            states, reward, terminated, truncated = dynamics.step(states, np.array([int(action)]))[:4]
            earned += reward[0]
            if terminated[0] or truncated[0]:
                break
        # Reached by this plan, and nothing earns more than all coins: the best there is.
        assert best_return(level) == earned == 100 * coins


def test_the_best_return_of_a_solved_level_and_of_others() -> None:
    small = Level.load("dense-small")
    assert best_return(small) == pytest.approx(600), "three of the seven coins lie behind a poison"
    assert best_return(small.replace(reward_noise=5.0)) == pytest.approx(600)
    assert best_return(Level.load("dense").replace(slip=0.1)) is None
    assert best_return(Level.load("dense").replace(reward_noise=5.0)) == 4100


def test_a_share_is_of_the_discounted_optimum_where_the_other_is_infinite() -> None:
    level = Level.from_string(CORRIDOR, rewards={"step": 1.0, "coin": -1.0})
    stick = yardstick(level, 0.9)
    assert stick is not None
    assert stick.metric == "greedy_discounted_return"
    assert stick.best == pytest.approx(1 / (1 - 0.9)), "a step earns 1, for ever"
    assert yardstick(Level.from_string(CORRIDOR, rewards={"coin": -1.0}), 0.9) is None, "nothing can be had"


def test_a_threshold_is_reached_at_the_first_of_two_evaluations_in_a_row() -> None:
    shares = np.array([[0, 0.6, 0.1, 0.6, 0.7], [0, 0, 0, 0, 0.9], [0.5, 0.5, 0, 0, 0]])
    assert first_reached(shares, 0.5).tolist() == [3, 5, 0]
    assert first_reached(shares[:, :1], 0.5).tolist() == [1, 1, 1], "one evaluation is not two"


# --- the numbers


def test_averages_shares_and_probabilities_of_planted_returns(found: Comparison) -> None:
    ours, theirs = found.standings
    assert found.step == 400
    assert (ours.num_runs, theirs.num_runs) == (3, 4)
    assert ours.greedy.centre == pytest.approx(200)
    assert ours.exploring.centre == pytest.approx(150)
    assert theirs.greedy_iqm.centre == scipy.stats.trim_mean([0, 100, 200, 300], 0.25)
    assert ours.share is not None
    assert ours.share.centre == pytest.approx(200 / 300)
    chance = scipy.stats.mannwhitneyu([200, 300, 100], [0, 100, 200, 300]).statistic / 12
    assert found.improvements["ours", "theirs"].probability == pytest.approx(chance)
    assert found.improvements["theirs", "ours"].probability == pytest.approx(1 - chance)


def test_updates_and_seconds_to_the_threshold_by_hand(found: Comparison, runs: tuple[Path, Path]) -> None:
    ours, theirs = found.standings
    # Half of 300 is kept from step 100 by the first run, from 300 by the second, never by the third. Updates lag by 10,
    # and the seconds of the group, .01 a step, are shared by three.
    assert ours.reached == (2, 290, pytest.approx(0.01 * 300 / 3))
    assert theirs.reached == (0, np.inf, np.inf)
    assert ours.seconds == pytest.approx(0.01 * 400 / 3)
    # A third is kept by the first run from 100 on, too, and by the second not before 300.
    assert compared(runs[0], threshold=1 / 3).standings[0].reached == ours.reached


def test_memory_is_that_of_all_that_is_kept(found: Comparison, tmp_path: Path) -> None:
    table, pair = found.standings
    assert table.memory == 20 * 2**6 * 4 * 8
    assert pair.memory >= 3 * table.memory, "two tables, and their mean"
    size = {"hidden_sizes": (16,), "replay_capacity": 200, "min_replay_size": 40}
    settings = TrainSettings(seeds=2, steps=100, eval_period=50, eval_episodes=1)
    training = start("dqn", ProblemSettings(env="dense-small-v0"), settings, size, out=tmp_path / "dqn")
    training.run()
    weights = training.agent.values_dict()["online"]
    per_step = training.agent.num_bytes / 200  # of both runs; the replay is half full after 100 steps
    # Online, target, and Adam's two moments; an optimizer's count of steps and the like take a few bytes more.
    assert memory_per_run(training.agent) == pytest.approx((4 * weights.nbytes + 100 * per_step) / 2, rel=0.02)


def test_bias_is_that_of_the_last_snapshot(found: Comparison, runs: tuple[Path, Path]) -> None:
    table = measure(Run.load(runs[0]), steps=[400], states=("start", "visited"))
    for states, summary in found.standings[0].bias.items():
        values = table[table["states"] == states].pivot(index="run", columns="metric", values="value")
        assert summary.centre == pytest.approx((values["believed"] - values["policy_value"]).mean())
    assert set(found.standings[0].bias) == {"start", "visited"}


# --- what does not go together, and what is missing


def test_runs_of_different_lengths_meet_at_the_last_step_of_all(runs: tuple[Path, Path], tmp_path: Path) -> None:
    longer = a_run(tmp_path / "longer", steps=600)
    found = compared(runs[0], longer)
    assert found.step == 400
    (note,) = [note for note in found.notes if "not all are trained" in note.lower()]
    assert "ours to step 400, longer to step 600" in note
    assert found.curves.loc[found.curves["agent"] == "longer", "step"].max() == 600, "what there is is shown"


def test_a_run_of_another_level_and_an_empty_one_are_left_out(runs: tuple[Path, Path], tmp_path: Path) -> None:
    other = a_run(tmp_path / "other", coins=2)
    start("q-learning", ProblemSettings(**SMALL), TrainSettings(), {}, out=tmp_path / "empty")
    found = compared(runs[0], other, tmp_path / "empty")
    assert [standing.label for standing in found.standings] == ["ours"]
    assert len(found.notes) == 2
    assert "other is left out: it learned dense-small-v0 --coins 2, and ours dense-small-v0 --coins 3" in found.notes[0]
    assert "empty is left out" in found.notes[1]
    assert "has no checkpoint yet" in found.notes[1]
    assert all("\n" not in note for note in found.notes)
    with pytest.raises(UserError, match="empty is left out"):
        load({"empty": tmp_path / "empty"})


def test_one_run_has_no_interval_and_says_so(runs: tuple[Path, Path], tmp_path: Path) -> None:
    single = a_run(tmp_path / "single", seeds=1)
    found = compared(runs[0], single)
    assert any("single is one run: no interval" in note for note in found.notes)
    row = greedy_rows(found)[1]
    assert "[" not in row["greedy return"]
    assert row["greedy return"] == number(float(found.standings[1].greedy.centre))
    assert "nan" not in page(found, "gridrl compare").lower()


def test_problems_are_the_same_however_observed() -> None:
    plain = Problem(ProblemSettings(env="dense-small-v0"))
    assert same_problem(plain, Problem(ProblemSettings(env="dense-small-v0", observation="window")))
    assert same_problem(plain, Problem(ProblemSettings(env="dense-v0", level="dense-small")))
    assert not same_problem(plain, Problem(ProblemSettings(env="dense-small-v0", slip=0.1)))
    assert not same_problem(plain, Problem(ProblemSettings(env="CartPole-v1")))
    assert problem_words(Problem(ProblemSettings(coins=4, reward_noise=2.0))) == "dense-v0 --coins 4 --reward-noise 2.0"


def test_another_environment_has_neither_optimum_nor_bias(tmp_path: Path) -> None:
    found = compared(a_run(tmp_path / "foreign", env="FrozenLake-v1", coins=None))
    (standing,) = found.standings
    assert (standing.yardstick, standing.share, standing.reached, standing.bias) == (None, None, None, {})
    assert any("bias of foreign is left out" in note for note in found.notes)
    assert greedy_rows(found)[0]["share of the best"] == "?"
    assert "unknown" in page(found, "gridrl compare")


# --- tables


def test_tables_say_what_was_found(found: Comparison) -> None:
    numbers = frame(found).set_index("label")
    assert numbers.loc["ours", "greedy_return_mean"] == pytest.approx(200)
    assert numbers.loc["ours", "reached"] == 2
    assert numbers.loc["theirs", "updates_to_threshold"] == np.inf
    assert numbers.loc["ours", "beats_theirs"] == pytest.approx(1 - numbers.loc["theirs", "beats_ours"])
    chance = found.improvements["ours", "theirs"]
    cell = f"{chance.probability:.2f} [{chance.low:.2f}, {chance.high:.2f}]"
    assert improvement_rows(found)[0] == {"beats": "ours", "ours": "", "theirs": cell}
    assert numbered_rows(found)[0]["2"] == f"{chance.probability:.2f}{'*' * chance.is_sure}"
    text = page(found, "gridrl compare ours theirs")
    rows = greedy_rows(found) + exploring_rows(found) + cost_rows(found) + improvement_rows(found)
    assert all(cell in text for row in rows for cell in row.values())
    assert "2 of 3" in text
    assert "best possible return, 300" in text
    assert "    gridrl compare ours theirs" in text


def test_numbers_and_sizes_in_three_figures() -> None:
    values = (0, 0.034, 0.5, 5.251, 12.345, 123.4, 1234.5, -45.67)
    assert [number(value) for value in values] == ["0", "0.03", "0.50", "5.25", "12.3", "123", "1234", "-45.7"]
    assert [size(value) for value in (12, 3400, 12.4e6, 3e9)] == ["12.0 B", "3.40 kB", "12.4 MB", "3.00 GB"]
