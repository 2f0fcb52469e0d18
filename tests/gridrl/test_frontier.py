"""The frontier study: detours beside a slow walk in the single environment, verdicts on planted tables."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import gymnasium
import numpy as np
import pandas
import pytest
from rich.console import Console

from gridrl.errors import UserError
from gridrl.parallel import Job, Report
from gridrl.problem import ProblemSettings
from gridrl.run import Run
from gridrl.studies import frontier
from gridrl.studies.detour import DETOUR_SEED, DETOUR_STEPS, NUM_DETOURS, share_after_detour, unseen_share
from gridrl.training import Training, start
from gridrl.training_settings import TrainSettings
from gridrl.truth.solution import solve

SMALL = ProblemSettings(env="dense-small-v0")
CORRIDOR = "#######\n#P   $#\n#######\n"


def trained(folder: Path, problem: ProblemSettings = SMALL, *, steps: int = 100, **settings: float) -> Run:
    train = TrainSettings(seeds=2, steps=steps, eval_period=steps, eval_episodes=1)
    start("q-learning", problem, train, settings, out=folder).run()
    return Run.load(folder)


# --- off the path


def test_detours_of_an_optimal_table_beside_a_slow_walk(tmp_path: Path) -> None:
    run = trained(tmp_path / "run")
    solution = solve(run.problem.level, 0.99)
    # A slope against ties: where several actions are best, the first is, in the table as in the walk.
    run.agent.load_values({"table": np.tile(solution.q_values - 1e-6 * np.arange(4), (2, 1, 1))})
    env = gymnasium.make("dense-small-v0", observation="state").unwrapped
    detours = np.random.default_rng(DETOUR_SEED).integers(4, size=(DETOUR_STEPS, NUM_DETOURS))
    shares = []
    for detour in detours.T:
        obs, info = env.reset(seed=0)
        earned, step, ended, left = 0.0, 0, False, 0
        while not ended:
            if step == DETOUR_STEPS:
                left = info["coins_left"]
            action = (
                detour[step] if step < DETOUR_STEPS else int(np.argmax(solution.q_values[obs] - 1e-6 * np.arange(4)))
            )
            obs, reward, terminated, truncated, info = env.step(action)
            earned += reward if step >= DETOUR_STEPS else 0.0
            step, ended = step + 1, terminated or truncated
        if left:
            shares.append(earned / (100 * left))
    assert len(shares) > NUM_DETOURS / 2
    assert share_after_detour(run) == pytest.approx([np.mean(shares)] * 2)
    assert 0.5 < np.mean(shares) <= 1


def test_a_table_knows_what_it_has_met(tmp_path: Path) -> None:
    level = tmp_path / "corridor.txt"
    level.write_text(CORRIDOR)
    corridor = ProblemSettings(level=str(level), observation="planes")
    # Four cells that can be stood on before the coin ends the episode: all met in a hundred random steps.
    assert (unseen_share(trained(tmp_path / "known", corridor, steps=300, epsilon_end=1.0)) == 0).all()
    small = ProblemSettings(env="dense-small-v0", observation="planes")
    unseen = unseen_share(trained(tmp_path / "unknown", small, steps=20))
    assert (unseen > 0).all()
    assert (unseen < 1).all(), "the start it has met"


# --- the verdict


def planted(**shares: tuple[float, float, float]) -> dict[str, pandas.DataFrame]:
    """Four runs of each agent, a little apart: share, after a detour, and the share of moments that are new."""
    rows = []
    for agent in (frontier.TABLE, *frontier.NETWORKS):
        path, detour, unseen = shares.get(agent.replace("-", "_"), (0.5, 0.5, 0.5))
        for coins in (1, 41):
            for run in range(4):
                for metric, value in {
                    "share": path,
                    "share_exploring": path,
                    "share_after_detour": detour,
                    "unseen": unseen if coins > 1 else 0.1,
                    "memory": 2e6,
                    "weights": 1e5,
                    "seconds": 3.0,
                }.items():
                    rows.append((coins, agent, run, metric, value + 0.02 * run))
    levels = pandas.DataFrame([(coins, frontier._num_states(coins)) for coins in (1, 41)], columns=["coins", "states"])
    return {"frontier": pandas.DataFrame(rows, columns=["coins", "agent", "run", "metric", "value"]), "levels": levels}


def holds(tables: dict[str, pandas.DataFrame]) -> list[bool | None]:
    return [finding.holds for finding in frontier.judge(tables).findings]


def test_a_network_that_is_better_everywhere_bears_the_claim_out() -> None:
    tables = planted(q_learning=(0.5, 0.1, 0.6), drqn=(0.9, 0.9, 0))
    # The full table; on the path, a little off it, after the detour; what the detour takes; what is new; memory.
    assert holds(tables) == [True, True, True, True, True, True, True]
    text = frontier.judge(tables).findings[3].text
    # Of the 256 draws of four runs that lie 0, 2, 4 and 6 hundredths up, 5 add up to less than 4, and 15 to 4 at most.
    assert "q-learning 0.13 [0.11, 0.15]" in text
    # p: of the 70 ways to share out eight runs, 2 tell them apart as clearly.
    assert "drqn 0.93 [0.91, 0.95] (better with probability 1.00, p = 0.03)" in text


def test_a_table_that_is_better_refutes_it_and_equals_leave_it_open() -> None:
    assert holds(planted(q_learning=(0.9, 0.9, 0.6)))[1:4] == [False, False, False]
    assert holds(planted())[1:4] == [None, None, None]
    assert holds(planted(q_learning=(0.5, 0.5, 0.0)))[5] is False, "nothing new with more coins"


def test_what_a_full_table_takes_by_hand() -> None:
    # 121 cells that are no wall x 120 phases of the patrollers x 2^2, a coin and a poison; four values of 8 bytes.
    states = frontier._num_states(1)
    assert states == 58_080
    text = frontier.judge(planted()).findings[0].text
    assert "1.86 MB with 1 coin" in text
    assert states * 32 == pytest.approx(1.86e6, rel=0.005)
    assert frontier._num_states(41) == states * 2.0 ** (41 + 12 - 2)


# --- the whole road


def train_here(jobs: Sequence[Job]) -> Iterator[Report]:
    for number, job in enumerate(jobs):
        Training.resume(job.folder).run()
        yield Report(number, job.steps, None, finished=True)


def test_a_small_frontier_is_measured_and_not_trained_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontier, "NETWORKS", ("dqn",))
    monkeypatch.setattr(frontier, "train_all", train_here)
    monkeypatch.setitem(frontier.SIZES, "smoke", frontier.Size((1, 2), 60, 2))
    tables = frontier.measure(tmp_path, "smoke", None, Console(quiet=True))
    found = tables["frontier"]
    assert set(found["coins"]) == {1, 2}
    assert set(found["agent"]) == {"q-learning", "dqn"}
    assert (found.groupby(["coins", "agent", "metric"]).size() == 2).all()
    assert not found["value"].isna().any()
    assert set(found.loc[found["agent"] == "dqn", "metric"]) == {
        *("share", "share_exploring", "share_after_detour", "seconds", "memory", "weights"),
    }
    monkeypatch.setattr(frontier, "train_all", lambda jobs: pytest.fail("nothing is left to train"))
    again = frontier.measure(tmp_path, "smoke", None, Console(quiet=True))
    pandas.testing.assert_frame_equal(again["frontier"], found)
    with pytest.raises(UserError, match=r"was made with .*--seeds 2; give the same"):
        frontier.measure(tmp_path, "smoke", 3, Console(quiet=True))
