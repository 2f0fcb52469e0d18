"""A mind that nobody touches learns, and measures, what `gridrl train` does; it takes note of what is to be shown."""

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridrl.errors import UserError
from gridrl.problem import ProblemSettings
from gridrl.studio.minds import learning, rows
from gridrl.studio.minds.mind import Mind
from gridrl.studio.minds.viewer import Viewer
from gridrl.training import start
from gridrl.training_settings import TrainSettings
from gridrl_agents.errors import SettingsError

SMALL_NET = {"hidden_sizes": (16,), "replay_capacity": 90, "min_replay_size": 40, "target_update_period": 25}
STOCHASTIC = ProblemSettings(env="dense-small-v0", coins=3, slip=0.2, reward_noise=1.0, max_steps=30)
LEVEL = "#######\n#P $  #\n#  @ $#\n#######\n"


def same(left: Any, right: Any) -> bool:
    """Say whether two nested states are equal to the last bit."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and np.array_equal(left, right, equal_nan=left.dtype.kind == "f")
    return bool(left == right)


@pytest.fixture
def level(tmp_path: Path) -> ProblemSettings:
    (tmp_path / "tiny.txt").write_text(LEVEL)
    return ProblemSettings(level=str(tmp_path / "tiny.txt"), max_steps=20)


@pytest.mark.parametrize(
    ("agent", "settings"), [("q-learning", {}), ("double-dqn", {**SMALL_NET, "replay": "proportional"})]
)
def test_untouched_it_learns_and_measures_what_train_does(tmp_path: Path, agent: str, settings: dict[str, Any]) -> None:
    length = TrainSettings(steps=150, eval_period=50, eval_episodes=2, checkpoint_period=300)
    training = start(agent, STOCHASTIC, length, settings, seeds=[3, 5], out=tmp_path / "run")
    training.run()
    mind = Mind(agent, STOCHASTIC, settings, [3, 5], eval_period=50, eval_episodes=2)
    for _ in range(75):  # the first half at a stretch, the second with its evaluations in slices
        mind.learn()
    while mind.step < 150 or mind.is_measuring:
        if mind.is_measuring:
            mind.measure()
        else:
            mind.learn()
    assert same(mind.agent.state_dict(), training.agent.state_dict())
    assert same(mind.recorder.state_dict(), training.recorder.state_dict())
    lines = [f"{seed},{update},{step},{name},{value!r}" for seed, update, step, name, value in mind.rows]
    assert lines == (tmp_path / "run" / "metrics.csv").read_text().splitlines()[1:]


def test_what_is_shown_is_what_happened(level: ProblemSettings) -> None:
    mind = Mind("sarsa", level, {}, [0, 1])
    columns, was, earned, episodes = mind.level.columns, mind.state, 0.0, 0
    counted = np.zeros_like(mind.visits)
    trail = [was.cell]
    for _ in range(200):
        before = mind.env.get_states().cell
        counted[[0, 1], before] += 1
        ended = mind.learn()
        transition = mind.last_transition
        assert transition is not None
        step = {0: -columns, 1: columns, 2: -1, 3: 1}[int(transition.action[0])]
        there = was.cell + step
        there = was.cell if "".join(mind.level.map)[there] == "#" else there
        if ended:
            earned, trail, episodes = 0.0, [mind.level.starts[0]], episodes + 1
        else:
            assert mind.state.cell == there
            earned += transition.reward[0]
            trail.append(there)
        assert mind.episode_return == earned
        assert mind.trail == tuple(trail)
        was = mind.state
    assert episodes == mind.num_episodes > 3
    assert np.array_equal(mind.visits, counted)


def test_a_run_that_breaks_is_taken_out_and_told_of(level: ProblemSettings) -> None:
    mind = Mind("dqn", level, {**SMALL_NET, "learning_rate": 1e30, "loss": "squared"}, [0], eval_period=500)
    for _ in range(200):
        mind.learn()
    assert "seed 0 broke at step" in mind.failure
    assert "lower the learning rate" in mind.failure
    assert np.isfinite(mind.agent.q_values(mind.env.observe(mind.env.get_states())[None])).all()
    assert sum(name.startswith("broke on") for *_, name, _ in mind.rows) == 1
    before = mind.failure
    mind.change(epsilon=0.5)
    for _ in range(100):
        mind.learn()
    assert mind.failure == before


def total_length(thing: Any, seen: set[int]) -> int:
    """Return the number of items in all containers that `thing` leads to."""
    if id(thing) in seen or isinstance(thing, str | bytes | type):
        return 0
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        return thing.size
    if isinstance(thing, dict):
        return len(thing) + sum(total_length(value, seen) for value in thing.values())
    if isinstance(thing, list | tuple | deque | set):
        return len(thing) + sum(total_length(value, seen) for value in thing)
    return total_length(vars(thing), seen) if hasattr(thing, "__dict__") else 0


def test_learning_for_long_takes_no_more_memory(level: ProblemSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_STEPS", 10)
    monkeypatch.setattr(learning, "LONGEST_TRAIL", 8)
    mind = Mind("q-learning", level, {}, [0, 1], eval_period=10, eval_episodes=1)
    lengths = []
    for _ in range(6):
        for _ in range(150):
            mind.learn()
        mind.finish_measuring()
        lengths.append(total_length(mind, set()))
    assert max(lengths[2:]) <= 1.1 * lengths[1]
    measured = sorted({step for _, _, step, _, _ in mind.rows})
    assert len(measured) <= 10
    assert measured[0] == 0
    assert measured[-3:] == [880, 890, 900]
    assert max(np.diff(measured)) >= 40  # the old ones are far apart


def test_rows_are_thinned_whole_steps_at_a_time() -> None:
    full = [(seed, step, step, name, 0.0) for step in range(rows.MOST_STEPS + 1) for seed in (0, 1) for name in "ab"]
    kept = rows.thinned(full)
    by_step = {step: [row for row in kept if row[2] == step] for _, _, step, _, _ in kept}
    assert rows.MOST_STEPS * 0.7 < len(by_step) < rows.MOST_STEPS
    assert all(len(of_step) == 4 for of_step in by_step.values())
    assert rows.thinned(full[:-4]) == full[:-4]


def test_a_viewer_plays_greedily_and_follows(level: ProblemSettings) -> None:
    mind = Mind("q-learning", level, {}, [0, 1], eval_period=10_000)
    for _ in range(1200):
        mind.learn()
    learned = mind.agent.state_dict()
    viewer = Viewer(mind)
    earned = [0.0]
    while not viewer.step():
        obs = mind.env.observe(mind.env.get_states())
        assert obs.shape == (2,)
        earned.append(viewer.earned)
        assert viewer.trail[-1] == viewer.state.cell
    assert max(earned) == 100  # one coin on the way, the other one ends the episode
    assert len(earned) == 5  # the shortest way: right, right, then down and right, right
    assert (viewer.earned, viewer.trail) == (0.0, (8,))
    assert same(mind.agent.state_dict(), learned)
    mind.change(epsilon=1.0)
    viewer.step()
    walled = mind.level.replace(map=("#######", "#P#$  #", "#  @ $#", "#######"))
    cell = viewer.state.cell
    mind.change_level(walled)
    viewer.follow()
    assert viewer.state.cell == (cell if cell != 9 else 8)
    for _ in range(60):
        viewer.step()
        assert viewer.state.cell != 9


def test_what_cannot_be_shown_is_refused_in_a_sentence() -> None:
    with pytest.raises(UserError, match="is no gridworld"):
        Mind("dqn", ProblemSettings(env="CartPole-v1"), {}, [0])
    with pytest.raises(SettingsError, match="did you mean 'dqn'"):
        Mind("dqnn", ProblemSettings(), {}, [0])
