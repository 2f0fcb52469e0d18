"""Warnings: each provoked by a real run or by what was planted in one, and none about a run that is well."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from gridrl import train
from gridrl.commands import evaluate
from gridrl.commands.progress import tell
from gridrl.diagnosis import loops_of, warnings_of
from gridrl.evaluation import Evaluator
from gridrl.problem import ProblemSettings
from gridrl.run import Run
from gridrl.training import start
from gridrl.training_settings import TrainSettings

QUICK: dict[str, Any] = {
    "hidden_sizes": (16,),
    "replay_capacity": 500,
    "min_replay_size": 40,
    "target_update_period": 25,
    "epsilon_decay_steps": 150,
}


@pytest.fixture
def corridor(tmp_path: Path) -> str:
    (tmp_path / "corridor.txt").write_text("#######\n#P   $#\n#######\n")
    return str(tmp_path / "corridor.txt")


def quick(path: Path, agent: str = "dqn", steps: int = 200, **settings: Any) -> Run:
    settings = (QUICK if agent != "q-learning" else {"epsilon_decay_steps": 150}) | settings
    where: dict[str, Any] = {} if {"level", "env"} & settings.keys() else {"env": "dense-small-v0"}
    return train(agent, out=path / "run", steps=steps, eval_period=100, eval_episodes=2, **where, **settings)


@pytest.mark.parametrize("agent", ["q-learning", "dqn", "rainbow", "drqn", "fitted-q"])
def test_nothing_is_wrong_with_a_run_that_is_well(agent: str, corridor: str, tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "rainbow": {name: value for name, value in QUICK.items() if name != "epsilon_decay_steps"},
        "drqn": QUICK | {"hidden_sizes": (64,), "lstm_size": 16, "target_update_period": 10},
        "fitted-q": {"epsilon_decay_steps": 150, "refit_period": 50},
    }.get(agent, QUICK if agent == "dqn" else {"epsilon_decay_steps": 150})
    run = train(agent, seeds=2, out=tmp_path / "run", level=corridor, steps=300, eval_period=100, **settings)
    assert warnings_of(run) == []


def test_other_environments(tmp_path: Path) -> None:
    assert warnings_of(quick(tmp_path, env="CartPole-v1", steps=300)) == []


def test_nothing_was_learned(tmp_path: Path) -> None:
    (warning,) = warnings_of(quick(tmp_path, steps=39))
    assert "nothing was learned in 39 steps" in warning
    assert "40 transitions" in warning
    assert "--min-replay-size" in warning


def test_epsilon_is_on_its_way(corridor: str, tmp_path: Path) -> None:
    run = quick(tmp_path, "q-learning", level=corridor, epsilon_decay_steps=400)
    assert run.agent.epsilon == pytest.approx(1 - 0.95 / 2)  # halfway from 1 to .05
    (warning,) = warnings_of(run)
    assert "epsilon is still 0.53 after 200 steps, and reaches 0.05 at step 400" in warning


def test_epsilon_stays_high(corridor: str, tmp_path: Path) -> None:
    (warning,) = warnings_of(quick(tmp_path, "q-learning", level=corridor, epsilon_end=0.3))
    assert "epsilon is still 0.30 after 200 steps" in warning
    assert "--epsilon-end" in warning


def test_replay_shorter_than_an_episode(tmp_path: Path) -> None:
    run = quick(tmp_path, replay_capacity=60)
    longest = run.metrics.query("metric in ('episode_length', 'greedy_episode_length')")["value"].max()
    assert longest == 100  # the level's step limit
    assert any("keeps 60 transitions, and an episode has 100 steps" in warning for warning in warnings_of(run))


def test_target_never_synced(tmp_path: Path) -> None:
    run = quick(tmp_path, target_update_period=162)
    assert run.agent.num_updates == 161  # at steps 40, 41, ... 200
    assert any("takes 162 updates, and there were 161" in warning for warning in warnings_of(run))
    (tmp_path / "again").mkdir()
    run = quick(tmp_path / "again", target_update_period=161)
    assert not any("target" in warning for warning in warnings_of(run))


def test_returns_beyond_the_support_are_told_of_a_loaded_run_too(tmp_path: Path) -> None:
    run = Run.load(quick(tmp_path, "c51", v_min=-1.0, v_max=1.0).folder.path)
    returns = run.metrics.query("metric in ('discounted_return', 'greedy_discounted_return')")["value"]
    earned = f"returns from {returns.min():.0f} to {returns.max():.0f} were earned"
    assert any(earned in warning and "-1 to 1 only" in warning for warning in warnings_of(run))
    (tmp_path / "wide").mkdir()
    wide = quick(tmp_path / "wide", "c51")  # the level's own bounds
    assert not any("v-min" in warning for warning in warnings_of(wide))


def planted(run: Run, change: float, seed: int) -> list[str]:
    values = run.agent.values_dict()
    values["online"][seed] *= np.float32(change)
    run.agent.load_values(values)
    return warnings_of(run)


def test_dead_units_and_exploding_values(corridor: str, tmp_path: Path) -> None:
    run = train("dqn", seeds=2, out=tmp_path / "run", level=corridor, steps=200, eval_period=100, **QUICK)
    assert planted(run, 1.0, 1) == []
    (dead,) = planted(run, 0.0, 1)
    assert "100% of the hidden units of seed 1 are dead" in dead
    run.load_newest()
    (exploding,) = planted(run, 1e4, 0)
    assert "seed 0 believes in returns of" in exploding
    assert "greater than 100:" in exploding  # the one coin
    run.load_newest()
    assert any("values of seed 1 are no numbers any more" in warning for warning in planted(run, np.nan, 1))


def test_learning_much_too_fast_kills_units(tmp_path: Path) -> None:
    warnings = warnings_of(quick(tmp_path, learning_rate=0.5))
    assert any("are dead" in warning for warning in warnings)


LOOP = ("##########\n#P       #\n#        #\n#       G#\n##########\n", {11: 3, 12: 3, 13: 3, 14: 1, 24: 2, 23: 0})


def circling(path: Path, seeds: int, still: tuple[int, ...] = ()) -> Run:
    """Return a run whose seeds go round 13, 14, 24, 23, but those that stand `still`; saved as if so learned."""
    drawing, actions = LOOP
    (path / "loop.txt").write_text(drawing)
    settings = TrainSettings(seeds=seeds, steps=10, eval_period=10, eval_episodes=1)
    training = start("q-learning", ProblemSettings(level=str(path / "loop.txt")), settings, {}, out=path / "run")
    training.run()
    cells = list(training.problem.level.floor)
    table = np.zeros((seeds, len(cells), 4))
    for cell, action in actions.items():
        table[:, cells.index(cell), action] = 1.0
    for index in still:
        table[index] = np.eye(4)[0]
    training.agent.load_values({"table": table})
    training.folder.save_checkpoint(training.step, training.state_dict())
    return training


def test_circles_in_words(tmp_path: Path) -> None:
    run = circling(tmp_path, 2, still=(1,))
    episodes = Evaluator(run.problem, run.config.seeds, 1).play(run.agent, 0.0, key=0)
    assert loops_of(run, episodes) == [
        "seed 0: the greedy policy goes round in circles: a loop of 4 steps over 4 cells from step 2 on, "
        "at row 2, column 4",
        "seed 1: the greedy policy stands still from step 0 on, at row 2, column 2",
    ]
    several = Evaluator(run.problem, run.config.seeds, 3).play(run.agent, 0.0, key=0)
    assert "goes round in circles in 3 of 3 episodes: a loop" in loops_of(run, several)[0]


def test_circles_of_many_seeds_are_summed_up(tmp_path: Path) -> None:
    run = circling(tmp_path, 6, still=(1, 4))
    episodes = Evaluator(run.problem, run.config.seeds, 1).play(run.agent, 0.0, key=0)
    assert loops_of(run, episodes) == ["the greedy policies of 6 of 6 seeds go round in circles: loops of 1 to 4 steps"]


def test_evaluate_tells_circles_and_warnings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = circling(tmp_path, 1)
    assert evaluate.main([str(run.folder.path), "--episodes", "2"]) == 0
    told = capsys.readouterr().out
    assert "seed 0: the greedy policy goes round in circles: a loop of 4 steps" in told
    assert "Warning: epsilon is still 1.00 after 10 steps" in told


def test_the_end_of_a_training_tells_warnings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "level.txt").write_text("#####\n#P $#\n#####\n")
    settings = TrainSettings(steps=45, eval_period=45, eval_episodes=1)
    problem = ProblemSettings(level=str(tmp_path / "level.txt"))
    quick_settings = {name: value for name, value in QUICK.items() if name != "epsilon_decay_steps"}
    training = start("dqn", problem, settings, quick_settings, out=tmp_path / "run")
    values = training.agent.values_dict()
    values["online"][:] = 0.0
    training.agent.load_values(values)
    assert training.run()
    tell(Console(soft_wrap=True), training)
    told = capsys.readouterr().out
    assert "Warning: epsilon is still 1.00 after 45 steps" in told
    assert "Warning: 100% of the hidden units of seed 0 are dead" in told
