"""What a training costs beside learning, and its memory: what is measured is what the names say."""

import mmap
from pathlib import Path
from typing import Any

import pytest

from benchmarks import memory, overhead
from benchmarks.contest import Comparison
from gridrl.run_folder import RunFolder
from gridrl.training import Training

SMALL = {"replay_capacity": 60, "hidden_sizes": (8,), "warm_up": 5}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Training]:
    """The trainings that are made."""
    trainings: list[Training] = []
    make = overhead.full_training
    monkeypatch.setattr(overhead, "full_training", lambda *a, **k: trainings.append(make(*a, **k)) or trainings[-1])
    return trainings


def test_whole_trainings_do_all_that_belongs_to_them(made: list[Training]) -> None:
    work = overhead.whole(2, piece=40, **SMALL)
    (training,) = made
    assert training.agent.num_updates == 5  # its replay was full before
    updates = [training.agent.num_updates]
    for _ in range(2):
        assert work() == 80
        updates.append(training.agent.num_updates)
    assert updates == [5, 45, 85]
    assert training.folder.step == 80
    assert set(training.metrics["step"]) == {0, 40, 80}  # the end of a training is always measured and saved


def test_the_bare_loop_learns_alone(made: list[Training]) -> None:
    assert overhead.bare(2, piece=40, **SMALL)() == 80
    (training,) = made
    assert training.agent.num_updates == 45
    assert not training.folder.checkpoints()


def test_checkpoints_hold_a_full_replay(made: list[Training], monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Any] = []
    monkeypatch.setattr(RunFolder, "save_checkpoint", lambda folder, step, state: written.append(state))
    assert overhead.checkpoints(1, **SMALL)() == 1
    assert overhead.copies(1, **SMALL)() == 1
    assert len(written) == 1
    save = overhead.saving(1, piece=10, **SMALL)
    assert save() + save() == 20
    assert [state["agent"]["replay"]["size"] for state in written[:2]] == [60, 60]


def test_the_contest_compares_what_it_says() -> None:
    for num_runs, runs in ((1, "1 run"), (4, "4 runs")):
        whole = Comparison(
            f"whole training beside its bare loop, {runs}", f"training, {runs}", f"bare loop, {runs}", 0.95
        )
        assert whole in overhead.CONTEST.comparisons
        builds = {each.build for each in overhead.CONTEST.contenders if each.settings == {"num_runs": num_runs}}
        assert builds == {overhead.whole, overhead.bare, overhead.saving, overhead.checkpoints, overhead.copies}


linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is asked of Linux")


@linux
def test_memory_is_that_of_the_process() -> None:
    before = memory.resident()
    with mmap.mmap(-1, 50_000_000) as block:  # straight from the system: the heap may have as much to spare
        for _ in range(50):
            block.write(b"x" * 1_000_000)
        assert memory.resident() - before == pytest.approx(len(block) / memory.MEGABYTE, abs=5)
    assert memory.peak() >= memory.resident()


@linux
def test_a_run_is_the_slope_over_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "in_fresh_process", lambda measure, runs, settings: (300 + 16 * runs, 310 + 30 * runs))
    sizes = memory.by_runs((1, 2, 4, 8))
    assert (sizes.a_run, sizes.a_run_at_peak) == pytest.approx((16, 30))
    lines = list(memory.report(sizes, {"dqn on dense-v0": [float(at) for at in range(1, 21)]}, 50_000))
    assert "| process now (MB) | 316 | 332 | 364 | 428 | 16.0 |" in lines
    assert "| memory (MB) at step | 50 000 | 250 000 | 450 000 | 600 000 | 800 000 | 1 000 000 |" in lines
    assert "| dqn on dense-v0 | 1.0 | 5.0 | 9.0 | 12.0 | 16.0 | 20.0 |" in lines


@linux
def test_memory_is_looked_at_as_often_as_asked() -> None:
    found = memory.over_time("q-learning", "dense-small-v0", 400, 200, {})
    assert len(found) == 2
    assert found[0] > 50
