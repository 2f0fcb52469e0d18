"""Dead units: planted ones are counted, padding is not, and nothing of the agent moves."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete

from gridrl_agents.base import Agent, Transition
from gridrl_agents.deep.dead_units import dead_share
from gridrl_agents.registry import make

PLANES = Box(0, 1, (6, 7, 3), np.uint8)


def an_agent(name: str, **settings: Any) -> Agent:
    replay: dict[str, Any] = {"replay_capacity": 60, "min_replay_size": 50}
    return make(name, PLANES, Discrete(4), [0, 1], return_bounds=(-10.0, 10.0), **replay, **settings)


def fill(agent: Agent, steps: int) -> np.ndarray:
    """Let the agent see random pictures, and return those that its replay holds, [R, steps, ...]."""
    random = np.random.default_rng(0)
    obs = random.integers(0, 2, (steps + 1, 2, *PLANES.shape)).astype(np.uint8)
    no, zeros = np.zeros(2, dtype=bool), np.zeros(2)
    for now, after in pairwise(obs):
        agent.observe(Transition(now, agent.act(now), zeros, after, no, no))
    return obs[:-1].swapaxes(0, 1)


CASES = [
    ("dqn", {"hidden_sizes": (20, 12)}, 32),
    ("dueling-dqn", {"hidden_sizes": (20, 12)}, 20 + 6 + 6),
    ("rainbow", {"hidden_sizes": (20, 12)}, 32),
    ("c51", {"hidden_sizes": (12,)}, 12),
    ("dqn", {"hidden_sizes": (20,), "torso": "conv"}, 16 + 32 + 20),
    ("drqn", {"hidden_sizes": (20,), "lstm_size": 8, "burn_in": 2, "sequence_length": 3}, 20),
]


@pytest.mark.parametrize(("name", "settings", "num_units"), CASES)
def test_as_many_units_as_there_are(name: str, settings: dict[str, Any], num_units: int) -> None:
    agent: Any = an_agent(name, **settings)
    assert agent.dead_units() is None  # nothing was seen yet
    fill(agent, 40)
    units = agent._online.rectified(agent._encoder.inputs(agent._replay.look(512)))
    assert sum(layer.shape[2] for layer in units) == num_units
    assert all(layer.shape[0] == 2 for layer in units)


@pytest.mark.parametrize(("name", "settings", "num_units"), CASES)
def test_a_network_of_zeros_is_dead_and_looking_changes_nothing(
    name: str, settings: dict[str, Any], num_units: int
) -> None:
    agent = an_agent(name, **settings)
    fill(agent, 40)
    before = flat(agent.state_dict())
    share = agent.dead_units()
    assert share is not None
    assert share.shape == (2,)
    assert (share < 0.7).all()
    after = flat(agent.state_dict())
    assert before.keys() == after.keys()
    for key, value in before.items():
        np.testing.assert_array_equal(value, after[key], err_msg=key)
    values = agent.values_dict()
    values["online"][1] = 0.0
    agent.load_values(values)
    np.testing.assert_array_equal(agent.dead_units(), [share[0], 1.0])


def flat(state: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for key, value in state.items():
        leaves |= flat(value, f"{prefix}{key}/") if isinstance(value, dict) else {prefix + key: np.copy(value)}
    return leaves


def test_the_share_by_hand_in_numpy() -> None:
    agent: Any = an_agent("dqn", hidden_sizes=(20, 12))
    shown = fill(agent, 40)
    first, second, _ = agent._online._views
    first.bias[0, 0, :5] = -1e6  # five units that nothing can wake
    entering = shown.reshape(2, 40, -1).astype(np.float64)
    expected = np.zeros(2)
    for run in range(2):
        hidden = np.maximum(entering[run] @ first.weight[run, :126, :20].double().numpy() + weights(first.bias, run), 0)
        deeper = np.maximum(hidden @ second.weight[run, :20, :12].double().numpy() + weights(second.bias, run), 0)
        expected[run] = ((hidden == 0).all(axis=0).sum() + (deeper == 0).all(axis=0).sum()) / 32
    assert expected[0] >= 5 / 32
    np.testing.assert_allclose(agent.dead_units(), expected)


def weights(bias: torch.Tensor, run: int) -> np.ndarray:
    width = {32: 20, 16: 12}[bias.shape[2]]
    return bias[run, 0, :width].double().numpy()


def test_the_replay_shows_what_it_holds() -> None:
    agent: Any = an_agent("dqn", hidden_sizes=(8,))
    shown = fill(agent, 40).reshape(2, 40, -1)
    np.testing.assert_array_equal(agent._replay.look(512).numpy()[..., :126], shown)
    some = agent._replay.look(3).numpy()[..., :126]
    np.testing.assert_array_equal(some, shown[:, [0, 19, 39]])


def test_no_units_no_share() -> None:
    assert dead_share([]) is None
    assert make("q-learning", Discrete(3), Discrete(2), [0]).dead_units() is None
