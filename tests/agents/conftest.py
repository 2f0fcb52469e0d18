"""Tools shared by the tests of the agents."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest

from gridrl_agents.base import Agent, Transition
from gridrl_agents.explanation import Explanation


class Model(NamedTuple):
    next_state: np.ndarray
    probability: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray


class Chain:
    """A tiny MDP: states 0 to 3 in a row, actions 0 left and 1 right; the wall on the left costs 1 and keeps the agent.

    Right of state 3 an episode terminates with 10; going left from state 2 pays 1.
    """

    num_states, num_actions = 4, 2

    def model(self) -> Model:
        next_state = np.array([[[0], [1]], [[0], [2]], [[1], [3]], [[2], [3]]])
        reward = np.zeros((4, 2, 1))
        reward[0, 0], reward[2, 0], reward[3, 1] = -1.0, 1.0, 10.0
        terminated = np.zeros((4, 2, 1), dtype=bool)
        terminated[3, 1] = True
        return Model(next_state, np.ones((4, 2, 1)), reward, terminated)


class Runs:
    """Steps every run of an agent through a deterministic model; an episode is cut after `limit` steps."""

    def __init__(self, model: Model, num_runs: int, limit: int, observe: Callable[[np.ndarray], np.ndarray]) -> None:
        self.model, self.limit, self.observe = model, limit, observe
        self.state = np.zeros(num_runs, dtype=np.int64)
        self.age = np.zeros(num_runs, dtype=np.int64)

    def step(self, agent: Agent) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        action = agent.act(self.observe(self.state))
        entry = self.state, action, 0
        next_state, terminated = self.model.next_state[entry], self.model.terminated[entry]
        self.age += 1
        truncated = (self.age >= self.limit) & ~terminated
        metrics = agent.observe(
            Transition(
                self.observe(self.state),
                action,
                self.model.reward[entry],
                self.observe(next_state),
                terminated,
                truncated,
            )
        )
        ended = terminated | truncated
        self.state = np.where(ended, 0, next_state)
        self.age[ended] = 0
        return action, metrics


@pytest.fixture
def chain() -> Chain:
    return Chain()


@pytest.fixture
def make_model() -> type[Model]:
    return Model


@pytest.fixture
def make_runs() -> type[Runs]:
    return Runs


def flatten(state: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves = {}
    for name, value in state.items():
        if isinstance(value, Mapping):
            leaves |= flatten(value, f"{prefix}{name}/")
        else:
            leaves[prefix + name] = value
    return leaves


def _assert_same(left: Mapping[str, Any], right: Mapping[str, Any]) -> None:
    """Hold two states equal, leaf by leaf, arrays to the last bit."""
    one, other = flatten(left), flatten(right)
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, np.ndarray):
            assert value.dtype == other[name].dtype, name
            assert value.shape == other[name].shape, name
            assert value.tobytes() == other[name].tobytes(), name
        else:
            assert value == other[name], name


@pytest.fixture
def assert_same() -> Callable[[Mapping[str, Any], Mapping[str, Any]], None]:
    return _assert_same


class Check:
    """Holds the numbers of an explanation against others; `done` says that none was left out."""

    def __init__(self, told: Explanation) -> None:
        self.told, self.seen = told, set()

    def __call__(self, rel: float = 1e-9, abs: float = 1e-9, **expected: Any) -> None:
        for name, value in expected.items():
            self.seen.add(name)
            found = self.told[name]
            if isinstance(value, dict):
                assert list(found) == list(value), name
                for column, numbers in value.items():
                    assert list(found[column]) == pytest.approx(list(numbers), rel=rel, abs=abs), (name, column)
            elif isinstance(value, str):
                assert found == value, name
            else:
                value = value.tolist() if isinstance(value, np.ndarray) else value
                assert found == pytest.approx(value, rel=rel, abs=abs), name

    def done(self) -> None:
        assert set(self.told.names) == self.seen


@pytest.fixture
def make_check() -> type[Check]:
    return Check


@pytest.fixture
def leaves() -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return flatten
