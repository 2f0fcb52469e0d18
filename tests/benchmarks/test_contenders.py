"""The other contenders do what their names say: as many steps, frames and draws, of the same problems."""

from collections import Counter
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest

from benchmarks import environments, rendering, replay, tabular
from benchmarks.__main__ import CONTESTS
from gridrl_envs.dynamics import Dynamics
from gridrl_envs.model import build_model
from gridrl_envs.observations import StateIndex

LAKES_ACTIONS = {0: 3, 1: 1, 2: 0, 3: 2}  # ours (up, down, left, right) -> FrozenLake's (left, down, right, up)


class Counting(gymnasium.Env[int, int]):
    """Counts what is asked of it; an episode has three steps."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"]}
    observation_space = gymnasium.spaces.Discrete(4)
    action_space = gymnasium.spaces.Discrete(4)
    counts: ClassVar[Counter[str]] = Counter()

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.counts["reset"] += 1
        self._state = 0
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self.counts["step"] += 1
        self._state += 1
        return self._state, 1.0, self._state == 3, False, {}

    def render(self) -> np.ndarray:  # type: ignore[override]
        self.counts["render"] += 1
        return np.zeros((2, 2, 3), np.uint8)


@pytest.fixture
def counts() -> Any:
    gymnasium.register("Counting-v0", entry_point=Counting, disable_env_checker=True)
    Counting.counts.clear()
    yield Counting.counts
    gymnasium.registry.pop("Counting-v0")


def test_one_environment_makes_as_many_steps_as_it_says(counts: Counter[str]) -> None:
    assert environments.single("Counting-v0")() == counts["step"]
    assert counts["reset"] == 1 + counts["step"] // 3


def test_a_frame_is_a_step_and_a_picture(counts: Counter[str]) -> None:
    assert rendering.frames("Counting-v0")() == counts["step"] == counts["render"]


def test_the_plain_loop_makes_as_many_steps_as_it_says_and_learns(counts: Counter[str]) -> None:
    loop = tabular.PlainLoop("Counting-v0")
    assert sum(loop() for _ in range(20)) == counts["step"]
    # Three steps of reward 1: whatever is done, the values are 1 + .99 + .99^2, 1 + .99 and 1.
    assert loop.q[:3].max(axis=1) == pytest.approx([2.9701, 1.99, 1.0], rel=1e-3)


def test_many_environments_are_ours_beside_gymnasiums_own() -> None:
    kinds = [
        type(gymnasium.make_vec("dense-v0", 2, vectorization_mode=mode)).__name__
        for mode in ("vector_entry_point", "sync")
    ]
    assert kinds == ["GridworldVectorEnv", "SyncVectorEnv"]
    assert environments.many("vector_entry_point")() == environments.MANY * environments.MANY_PIECE


def test_pictures_have_the_sizes_in_their_names() -> None:
    for contender in rendering.CONTEST.contenders:
        if contender.missing:
            continue
        if contender.needs:
            pytest.importorskip("minigrid")
        settings = dict(contender.settings)
        tile = settings.pop("tile", None)
        env = gymnasium.make(settings.pop("env_id"), render_mode="rgb_array", **settings)
        env.reset(seed=0)
        height, width, _ = rendering.picture(env, tile).shape
        assert contender.name.endswith(f", {width} x {height}")


def test_our_lake_is_frozen_lake() -> None:
    level, lake = tabular.lake(), gymnasium.make("FrozenLake-v1")
    assert lake.spec is not None
    assert level.max_steps == lake.spec.max_episode_steps
    model, dynamics = build_model(level), Dynamics(level)
    cells = StateIndex(dynamics).decode(np.arange(len(model.next_state))).cell
    squares = [(cell // 6 - 1) * 4 + cell % 6 - 1 for cell in cells]  # without the walls around
    probabilities = lake.unwrapped.P  # type: ignore[attr-defined]
    assert set(squares) <= set(range(16))
    for state, square in enumerate(squares):
        if square in (5, 7, 11, 12, 15):  # holes and goal
            continue
        for action, theirs in LAKES_ACTIONS.items():
            expected: Counter[tuple[int, float, bool]] = Counter()
            for probability, following, reward, terminated in probabilities[square][theirs]:
                expected[int(following), float(reward), bool(terminated)] += probability
            ours: Counter[tuple[int, float, bool]] = Counter()
            for following, probability, reward, terminated in zip(
                *(
                    array[state, action]
                    for array in (model.next_state, model.probability, model.reward, model.terminated)
                ),
                strict=True,
            ):
                if probability:
                    ours[squares[following], float(reward), bool(terminated)] += probability
            assert ours == pytest.approx(expected)


def test_our_cliff_is_cliff_walking_but_for_the_end() -> None:
    ours = gymnasium.make("dense-v0", level=tabular.cliff(), observation="state")
    theirs = gymnasium.make("CliffWalking-v1")  # 0 up, 1 right, 2 down, 3 left
    for path in ([0] + [1] * 11 + [2], [1]):
        returns, ended = [], []
        for env, names in ((ours, {0: 0, 1: 3, 2: 1}), (theirs, {0: 0, 1: 1, 2: 2})):
            env.reset(seed=0)
            steps = [env.step(names[action]) for action in path]
            returns.append([float(step[1]) for step in steps])
            ended.append(steps[-1][2])
        assert returns[0] == returns[1] == ([-1.0] * 13 if len(path) > 1 else [-100.0])
        assert ended == [True, len(path) > 1]


@pytest.mark.parametrize("kind", ["uniform", "proportional", "rank-based"])
def test_our_replay_is_full_and_draws_for_each_run(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from gridrl_agents.deep import make_replay as module

    made: list[Any] = []
    make = module.make_replay
    monkeypatch.setattr(module, "make_replay", lambda *args, **options: made.append(make(*args, **options)) or made[0])
    work = replay.ours(kind, 500, 3)
    (ours,) = made
    sample, drawn, told = ours.sample, [], []
    monkeypatch.setattr(ours, "sample", lambda: drawn.append(sample()) or drawn[-1])
    monkeypatch.setattr(ours, "update_priorities", lambda place, priority: told.append((place.shape, priority.shape)))
    assert ours.size == 500
    assert work() == 3 * len(drawn)
    assert {batch.obs.shape for batch in drawn} == {(3, 32, 320)}
    assert told == [((3, 32), (3, 32))] * len(drawn)


@pytest.mark.parametrize("kind", ["uniform", "proportional"])
def test_cpprbs_replay_is_full_and_draws_the_same(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cpprb = pytest.importorskip("cpprb")
    name = "ReplayBuffer" if kind == "uniform" else "PrioritizedReplayBuffer"
    made: list[Any] = []
    make = getattr(cpprb, name)

    class Recorded:
        def __init__(self, *args: Any, **options: Any) -> None:
            self.buffer, self.drawn, self.told = make(*args, **options), [], []
            self.add = self.buffer.add
            made.append(self)

        def sample(self, *args: Any, **options: Any) -> Any:
            self.drawn.append(self.buffer.sample(*args, **options))
            return self.drawn[-1]

        def update_priorities(self, indexes: Any, priority: Any) -> None:
            self.told.append((indexes.shape, priority.shape))
            self.buffer.update_priorities(indexes, priority)

    monkeypatch.setattr(cpprb, name, Recorded)
    work = replay.theirs(kind, 1500)
    (peer,) = made
    assert peer.buffer.get_stored_size() == 1500
    assert work() == len(peer.drawn)
    assert {batch["obs"].shape for batch in peer.drawn} == {(32, 320)}
    assert peer.told == ([] if kind == "uniform" else [((32,), (32,))] * len(peer.drawn))


def test_contests_have_names_of_their_own() -> None:
    assert len({contest.name for contest in CONTESTS}) == len(CONTESTS)
