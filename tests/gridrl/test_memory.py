"""The memory of a training does not grow: neither with its steps, nor with its evaluations and checkpoints."""

import gc
import sys
from pathlib import Path
from typing import Any

import pytest

from gridrl.evaluation import Evaluator
from gridrl.problem import ProblemSettings
from gridrl.recorder import Row
from gridrl.training import start
from gridrl.training_settings import TrainSettings

SMALL_NET = {"hidden_sizes": (16,), "replay_capacity": 200, "min_replay_size": 40, "target_update_period": 25}
PERIOD = 2  # steps between two evaluations
LOOKS = (900, 2_500)  # steps, long after a checkpoint; by the first the replay is full, and what is cached is there
BOUND = (LOOKS[1] - LOOKS[0]) // PERIOD // 2
"""Blocks: a number kept of each evaluation would be twice as many. Caches of Python and NumPy still take 100 to 200."""


def growth(path: Path, agent: str) -> int:
    """Return by how many blocks of memory a training grew between the looks.

    Whatever Python makes takes at least one: a number, a tuple, an array, a tensor.
    """
    settings = TrainSettings(
        steps=LOOKS[1], eval_period=PERIOD, eval_episodes=1, checkpoint_period=400, snapshot_period=400
    )
    problem = ProblemSettings(env="dense-small-v0", coins=2, max_steps=3)
    training = start(agent, problem, settings, SMALL_NET if agent == "dqn" else {}, out=path)
    found: list[int] = []

    def look(step: int, _rows: list[Row]) -> None:
        if step in LOOKS:
            gc.collect()
            found.append(sys.getallocatedblocks())

    training.run(on_progress=look)
    before, after = found
    return after - before


@pytest.mark.parametrize("agent", ["q-learning", "dqn"])
def test_it_does_not_grow(agent: str, tmp_path: Path) -> None:
    assert growth(tmp_path / "run", agent) < BOUND


def test_a_number_kept_of_each_evaluation_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, play = [], Evaluator.play_groups

    def leaking(*args: Any, **options: Any) -> Any:
        kept.append(float(len(kept)))
        return play(*args, **options)

    monkeypatch.setattr(Evaluator, "play_groups", leaking)
    assert growth(tmp_path / "run", "q-learning") > BOUND
