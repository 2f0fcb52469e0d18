"""The model against the simulator, transition by transition, and against values worked out by hand."""

import numpy as np
import pytest

from gridrl_envs.dynamics import Dynamics
from gridrl_envs.gridworld import GridworldEnv
from gridrl_envs.level import Level, LevelError
from gridrl_envs.model import Model, build_model
from gridrl_envs.observations import StateIndex

TINY = Level.from_string("######\n#P$@G#\n#> X #\n######", slip=0.2, reward_noise=5.0)


def optimal_values(model: Model, gamma: float) -> np.ndarray:
    values = np.zeros(len(model.reward))
    for _ in range(2000):
        q_values = (model.probability * (model.reward + gamma * ~model.terminated * values[model.next_state])).sum(2)
        if np.abs(q_values.max(axis=1) - values).max() < 1e-12:
            break
        values = q_values.max(axis=1)
    return values


@pytest.mark.parametrize(
    "level",
    [TINY, Level.load("four-rooms"), Level.from_string("####\n#P #\n#v$#\n# @#\n####", patrol_period=1)],
    ids=["tiny", "four-rooms", "patrolled"],
)
def test_every_transition_is_the_simulators(level: Level) -> None:
    model = build_model(level)
    env, index = GridworldEnv(level.replace(slip=0.0, reward_noise=0.0), observation="state"), None
    index = StateIndex(env.dynamics)
    states = index.decode(np.arange(index.num_states))
    over = env.dynamics.is_over(states)
    outcomes = 4 if level.slip else 1  # where actions slip, outcome k is that of move k
    assert all(array.shape == (index.num_states, 4, outcomes) for array in model)
    for number in range(index.num_states):
        for action in range(4):
            for k, move in enumerate(range(4) if level.slip else [action]):
                actual = tuple(array[number, action, k].item() for array in model if array is not model.probability)
                if over[number]:
                    assert actual == (number, 0.0, True)
                    continue
                env.set_state(states.one(number))
                obs, reward, terminated, _, _ = env.step(move)
                assert actual == (obs, reward, terminated)


def test_probabilities() -> None:
    probability = build_model(TINY).probability
    up, down, left, right = [0.8, 0, 0.1, 0.1], [0, 0.8, 0.1, 0.1], [0.1, 0.1, 0.8, 0], [0.1, 0.1, 0, 0.8]
    assert probability[0] == pytest.approx(np.array([up, down, left, right]))
    for slip in (0.0, 0.3, 1.0):
        probability = build_model(TINY.replace(slip=slip)).probability
        assert probability.min() >= 0
        assert probability.sum(axis=2) == pytest.approx(1.0)
        assert probability.shape[2] == (4 if slip else 1)


@pytest.mark.parametrize("level", [TINY, Level.load("dense-small")], ids=["slip", "none"])
def test_the_size_of_a_chunk_is_a_matter_of_memory_alone(level: Level, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = build_model(level)
    monkeypatch.setattr("gridrl_envs.model.CHUNK", 7)
    for one, other in zip(whole, build_model(level), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["dense-small", "sparse"])
def test_no_step_leads_to_states_with_more_items(name: str) -> None:
    """What the planner's order rests on: numbers with the same items left are neighbours, fewer items come first."""
    model, index = build_model(Level.load(name)), StateIndex(Dynamics(Level.load(name)))
    items = index.decode(np.arange(index.num_states)).items
    block = np.arange(index.num_states) // (index.num_states // 2 ** items.shape[1])
    assert all((items[block == number] == items[block == number][0]).all() for number in range(block.max() + 1))
    assert (block[model.next_state] <= block[:, None, None]).all()


def test_types() -> None:
    model = build_model(TINY)
    assert [array.dtype for array in model] == [np.int32, np.float64, np.float64, np.bool_]


def test_values_of_a_corridor_by_hand() -> None:
    # Three steps to the goal: 100 * .9 ** 2; two coins on the way would be 100 + .9 * 100.
    level = Level.from_string("######\n#P  G#\n######")
    assert optimal_values(build_model(level), 0.9)[StateIndex(Dynamics(level)).start_states] == pytest.approx([81.0])
    level = Level.from_string("#####\n#P$$#\n#####")
    assert optimal_values(build_model(level), 0.9)[StateIndex(Dynamics(level)).start_states] == pytest.approx([190.0])


def test_four_rooms_optimum_by_hand() -> None:
    # 10 rows and 10 columns apart, and the shortest way through the hallways has no detour: 20 steps.
    level = Level.load("four-rooms")
    value = optimal_values(build_model(level), 0.99)[StateIndex(Dynamics(level)).start_states]
    assert value == pytest.approx([100 * 0.99**19])


def test_a_slip_by_hand() -> None:
    # From the start, "right" earns the coin with probability .8, else the player stays: v = .8 * 100 + .2 * .9 * v.
    level = Level.from_string("####\n#P$#\n####", slip=0.2)
    value = optimal_values(build_model(level), 0.9)[StateIndex(Dynamics(level)).start_states]
    assert value == pytest.approx([80 / (1 - 0.18)])


def test_levels_without_a_finite_model_are_refused() -> None:
    with pytest.raises(LevelError, match=r"^level 'dense': it has \d+ states, more than .* \(coins=4 would fit\)"):
        build_model(Level.load("dense"))
    level = Level.load("sparse").replace(max_steps=50)
    with pytest.raises(LevelError, match=r"not back in their places within max_steps = 50, .*; set max_steps higher"):
        build_model(level)
