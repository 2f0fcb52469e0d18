"""Both forms of the rules, and a slow twin made here from the rules' text, held equal over random levels."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gridrl_envs.dynamics import Dynamics, State, States
from gridrl_envs.gridworld import GridworldEnv
from gridrl_envs.level import Level, LevelError, Rewards
from gridrl_envs.observations import StateIndex, planes, planes_support
from gridrl_envs.vector import GridworldVectorEnv

UP, DOWN, LEFT, RIGHT = range(4)
STEP = {UP: (-1, 0), DOWN: (1, 0), LEFT: (0, -1), RIGHT: (0, 1)}
SEEDS = st.integers(0, 2**32)
quietly = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


@st.composite
def levels(draw: Callable[..., Any], max_items: int = 99) -> Level:
    """Draw a map at random until the level's checks accept it, with settings of all kinds."""
    height, width = draw(st.integers(1, 5)), draw(st.integers(2, 7))
    glyphs = draw(st.lists(st.sampled_from("    ####$$@@GXP><^v"), min_size=height * width, max_size=height * width))
    places = st.lists(st.integers(0, height * width - 1), min_size=2, max_size=2, unique=True)
    for place, glyph in zip(draw(places), ("P", draw(st.sampled_from("$G"))), strict=True):
        glyphs[place] = glyph
    assume(glyphs.count("$") + glyphs.count("@") <= max_items)
    inner = ["#" + "".join(glyphs[row * width : (row + 1) * width]) + "#" for row in range(height)]
    amount = st.integers(-400, 400).map(lambda quarters: quarters / 4)
    try:
        return Level(
            "random",
            ("#" * (width + 2), *inner, "#" * (width + 2)),
            max_steps=draw(st.integers(1, 25)),
            patrol_period=draw(st.integers(1, 3)),
            slip=draw(st.sampled_from([0.0, 0.0, 0.3, 1.0])),
            reward_noise=draw(st.sampled_from([0.0, 0.0, 1.5])),
            rewards=Rewards(*draw(st.lists(amount, min_size=6, max_size=6))),
        )
    except LevelError:
        assume(False)
        raise


class Twin:
    """The rules as the design tells them, on a grid of characters; nothing is shared with the package."""

    def __init__(self, level: Level, seed: int) -> None:
        self.level = level
        children = np.random.SeedSequence(seed).spawn(3)
        self.start_stream, self.slip_stream, self.noise_stream = map(np.random.default_rng, children)

    def find(self, glyph: str) -> list[tuple[int, int]]:
        return [(r, c) for r, row in enumerate(self.level.map) for c, other in enumerate(row) if other == glyph]

    def wall(self, row: int, column: int) -> bool:
        return self.level.map[row][column] == "#"

    def reset(self) -> None:
        starts = self.find("P")
        which = int(self.start_stream.random() * len(starts)) if len(starts) > 1 else 0
        self.player = starts[which]
        self.clock = 0
        self.coins, self.poisons = self.find("$"), self.find("@")
        self.patrollers = [
            ((r, c), {"^": UP, "v": DOWN, "<": LEFT, ">": RIGHT}[glyph])
            for r, row in enumerate(self.level.map)
            for c, glyph in enumerate(row)
            if glyph in "^v<>"
        ]

    def step(self, action: int) -> tuple[float, bool, bool]:
        level, rewards = self.level, self.level.rewards
        if level.slip:
            u = self.slip_stream.random()
            sides = (LEFT, RIGHT) if action in (UP, DOWN) else (UP, DOWN)
            if u < level.slip:
                action = sides[0] if u < level.slip / 2 else sides[1]
        was = self.player
        ahead = (was[0] + STEP[action][0], was[1] + STEP[action][1])
        if not self.wall(*ahead):
            self.player = ahead
        reward, over = rewards.step, False
        if self.player in self.coins:
            self.coins.remove(self.player)
            reward += rewards.coin
            over = not self.coins
        if self.player in self.poisons:
            self.poisons.remove(self.player)
            reward += rewards.poison
        if self.player in self.find("G"):
            reward, over = reward + rewards.goal, True
        if self.player in self.find("X"):
            reward, over = reward + rewards.pit, True
        self.clock += 1
        caught = False
        for k, (place, heading) in enumerate(self.patrollers):
            moved = self.patrolled(place, heading) if self.clock % level.patrol_period == 0 else (place, heading)
            self.patrollers[k] = moved
            caught |= moved[0] == self.player or (moved[0] == was and place == self.player)
        if caught:
            reward, over = reward + rewards.caught, True
        if level.reward_noise:
            reward += level.reward_noise * self.noise_stream.standard_normal()
        return reward, over, self.clock >= level.max_steps and not over

    def patrolled(self, place: tuple[int, int], heading: int) -> tuple[tuple[int, int], int]:
        """Walk straight; at a wall turn round and make the move the other way; between two walls stay."""
        for way in (heading, {UP: DOWN, DOWN: UP, LEFT: RIGHT, RIGHT: LEFT}[heading]):
            ahead = (place[0] + STEP[way][0], place[1] + STEP[way][1])
            if not self.wall(*ahead):
                return ahead, way
        return place, heading

    def state(self) -> State:
        columns = len(self.level.map[0])
        items = [coin in self.coins for coin in self.find("$")] + [poison in self.poisons for poison in self.find("@")]
        return State(self.player[0] * columns + self.player[1], self.clock, tuple(items))

    def planes(self) -> np.ndarray:
        layers = [[self.player], [], [], self.coins, self.poisons, []]
        for place, heading in self.patrollers:
            following = self.patrolled(place, heading)  # its heading is that of its next move
            layers[1 if following[1] in (RIGHT, DOWN) else 2].append(place)
        layers += [cells for cells in (self.find("G"), self.find("X")) if cells]
        taken = {place for layer in layers for place in layer}
        layers[5] = [
            (r, c)
            for r, row in enumerate(self.level.map)
            for c in range(len(row))
            if not self.wall(r, c) and (r, c) not in taken
        ]
        obs = np.zeros((len(self.level.map), len(self.level.map[0]), len(layers)), np.uint8)
        for plane, layer in enumerate(layers):
            for r, c in layer:
                obs[r, c, plane] = 1
        return obs


@quietly
@given(levels(), SEEDS, st.data())
def test_every_step_of_all_three_is_the_same(level: Level, seed: int, data: st.DataObject) -> None:
    twin, env, dynamics = Twin(level, seed), GridworldEnv(level), Dynamics(level)
    support = planes_support(dynamics)
    assert (env.observation_support == support).all()
    start, slip, noise = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(3))
    for episode in range(2):
        twin.reset()
        obs, info = env.reset(seed=None if episode else seed)
        states = dynamics.reset(1, start.random(1) if len(level.starts) > 1 else None)
        over = False
        while True:
            assert twin.state() == env.get_state() == states.one(0)
            expected = twin.planes()
            assert (obs == expected).all()
            assert (planes(dynamics, states)[0] == expected).all()
            assert not expected[~support].any()
            assert info["coins_left"] == len(twin.coins)
            if over:
                break
            action = data.draw(st.integers(0, 3))
            reward, terminated, truncated = twin.step(action)
            obs, *single, info = env.step(action)
            states, *many = dynamics.step(
                states,
                np.array([action]),
                slip.random(1) if level.slip else None,
                noise.standard_normal(1) if level.reward_noise else None,
            )
            assert single == [reward, terminated, truncated]
            assert [array[0] for array in many] == [reward, terminated, truncated]
            over = terminated or truncated


@quietly
@given(levels(), SEEDS, st.integers(0, 20))
def test_stepping_many_states_is_stepping_each(level: Level, seed: int, num_states: int) -> None:
    """Also states that play does not lead to: `set_state` accepts them all."""
    rng, dynamics = np.random.default_rng(seed), Dynamics(level)
    states = States(
        rng.choice(level.floor, num_states),
        rng.integers(0, level.max_steps, num_states),
        rng.random((num_states, dynamics.num_items)) < 0.7,
    )
    actions, slip = rng.integers(0, 4, num_states), rng.random(num_states)
    before = [array.copy() for array in states]
    following, reward, terminated, truncated = dynamics.step(states, actions, slip)
    assert all((now == then).all() for now, then in zip(states, before, strict=True))
    for i in range(num_states):
        alone, *rest = dynamics.step(States.of([states.one(i)]), actions[i : i + 1], slip[i : i + 1])
        assert alone.one(0) == following.one(i)
        assert [array[0] for array in rest] == [reward[i], terminated[i], truncated[i]]
    env = GridworldEnv(level.replace(slip=0.0, reward_noise=0.0))
    following, reward, terminated, truncated = dynamics.step(states, actions)
    for i in np.flatnonzero(~dynamics.is_over(states)):
        env.set_state(states.one(i))
        obs, *rest, _ = env.step(actions[i])
        assert rest == [reward[i], terminated[i], truncated[i]]
        assert env.get_state() == following.one(i)
        assert (obs == planes(dynamics, following)[i]).all()


def build_both(level: Level, num_envs: int, mode: AutoresetMode, **kwargs: Any) -> tuple[Any, Any]:
    sync = SyncVectorEnv([lambda: GridworldEnv(level, **kwargs)] * num_envs, autoreset_mode=mode)
    return sync, GridworldVectorEnv(num_envs, level, autoreset_mode=mode, **kwargs)


@pytest.mark.parametrize("mode", list(AutoresetMode))
@settings(parent=quietly, max_examples=30)
@given(levels(), SEEDS, st.integers(1, 5))
def test_the_vector_env_gives_the_bytes_of_gymnasiums(
    mode: AutoresetMode, level: Level, seed: int, num_envs: int
) -> None:
    sync, native = build_both(level, num_envs, mode)
    assert sync.observation_space == native.observation_space
    assert sync.action_space == native.action_space
    assert data_equivalence(sync.reset(seed=seed), native.reset(seed=seed), exact=True)
    rng = np.random.default_rng(seed)
    for _ in range(40):
        actions = rng.integers(0, 4, num_envs)
        expected, actual = sync.step(actions), native.step(actions)
        assert data_equivalence(expected, actual, exact=True)
        over = actual[2] | actual[3]
        if mode == AutoresetMode.DISABLED and over.any():
            seeds = [int(one) if rng.random() < 0.5 else None for one in rng.integers(0, 99, num_envs)]
            expected = sync.reset(seed=seeds, options={"reset_mask": over})
            assert data_equivalence(expected, native.reset(seed=seeds, options={"reset_mask": over}), exact=True)


FEATURES = {
    "nothing but a goal": "#####\n#P G#\n#   #\n#####",
    "a goal and pits": "#####\n#P G#\n# X #\n#####",
    "coins": "#####\n#P $#\n# $ #\n#####",
    "poison and a goal": "#####\n#P@G#\n#  @#\n#####",
    "a patroller that cannot move": "#####\n#P G#\n###^#\n#####",
    "patrollers": "#####\n#P G#\n#> v#\n#   #\n#####",
    "several starts": "#####\n#PPG#\n#P  #\n#####",
    "all of them": "######\n#P $G#\n#P@> #\n#$X v#\n#    #\n######",
}


@pytest.mark.parametrize("by_chance", [{}, {"slip": 0.4}, {"reward_noise": 0.5}], ids=["sure", "slip", "noise"])
@pytest.mark.parametrize("observation", ["planes", "state"])
@pytest.mark.parametrize("feature", FEATURES)
def test_levels_with_and_without_each_feature(feature: str, observation: str, by_chance: dict[str, float]) -> None:
    rewards = {"step": -0.25, "coin": 3.0, "poison": -2.0, "goal": 7.0, "pit": -5.0, "caught": -11.0}
    level = Level.from_string(FEATURES[feature], "some", max_steps=30, rewards=rewards, **by_chance)
    sync, native = build_both(level, 5, AutoresetMode.DISABLED, observation=observation)
    assert data_equivalence(sync.reset(seed=2), native.reset(seed=2), exact=True)
    for actions in np.random.default_rng(0).integers(0, 4, (70, 5)):
        expected, actual = sync.step(actions), native.step(actions)
        assert data_equivalence(expected, actual, exact=True)
        over = actual[2] | actual[3]
        if over.any():
            begun = [env.reset(options={"reset_mask": over}) for env in (sync, native)]
            assert data_equivalence(*begun, exact=True)


@settings(parent=quietly, max_examples=20)
@given(levels(max_items=6), SEEDS)
def test_the_vector_env_gives_the_bytes_of_gymnasiums_for_state_numbers(level: Level, seed: int) -> None:
    sync, native = build_both(level, 3, AutoresetMode.SAME_STEP, observation="state")
    index = StateIndex(native.dynamics)
    assert data_equivalence(sync.reset(seed=seed), native.reset(seed=seed), exact=True)
    for actions in np.random.default_rng(seed).integers(0, 4, (30, 3)):
        expected, actual = sync.step(actions), native.step(actions)
        assert data_equivalence(expected, actual, exact=True)
        assert (index.encode(native.get_states()) == actual[0]).all()


def test_thousands_of_random_numbers_run_past_a_block_in_step() -> None:
    level = Level.from_string("#####\n#P $#\n#P  #\n#####", slip=0.4, reward_noise=2.0, max_steps=7)
    sync, native = build_both(level, 3, AutoresetMode.NEXT_STEP)
    assert data_equivalence(sync.reset(seed=5), native.reset(seed=5), exact=True)
    for actions in np.random.default_rng(0).integers(0, 4, (5000, 3)):
        assert data_equivalence(sync.step(actions), native.step(actions), exact=True)


def test_gymnasium_makes_the_same_by_id() -> None:
    native = gymnasium.make_vec("dense-v0", num_envs=2, slip=0.2)
    sync = gymnasium.make_vec("dense-v0", num_envs=2, slip=0.2, vectorization_mode="sync")
    assert isinstance(native.unwrapped, GridworldVectorEnv)
    assert data_equivalence(sync.reset(seed=1), native.reset(seed=1), exact=True)
    for actions in np.random.default_rng(1).integers(0, 4, (500, 2)):
        assert data_equivalence(sync.step(actions), native.step(actions), exact=True)


def test_slip_takes_each_perpendicular_action_half_of_the_time() -> None:
    level = Level.from_string("#####\n#   #\n# P #\n#  $#\n#####", slip=0.4)
    dynamics = Dynamics(level)
    n = 40_000
    uniform = (np.arange(n) + 0.5) / n
    for action, sides in {0: (11, 13), 1: (11, 13), 2: (7, 17), 3: (7, 17)}.items():
        states, *_ = dynamics.step(dynamics.reset(n), np.full(n, action), uniform)
        straight = {0: 7, 1: 17, 2: 11, 3: 13}[action]
        assert {cell: np.mean(states.cell == cell) for cell in (straight, *sides)} == {
            straight: 0.6,
            sides[0]: 0.2,
            sides[1]: 0.2,
        }
