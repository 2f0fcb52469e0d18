"""The three published plans for dense, reproduced by both forms of the rules."""

import json
from importlib import resources
from typing import Any

import gymnasium
import numpy as np
import pytest

from gridrl_envs.dynamics import Dynamics
from gridrl_envs.level import Level

FILE = resources.files("gridrl_envs") / "levels" / "dense_plans.json"
PLANS = json.loads(FILE.read_text(encoding="utf-8"))["plans"]


def check(plan: dict[str, Any], rewards: list[float], coins_left: int) -> None:
    assert len(rewards) == plan["num_steps"]
    assert sum(rewards) == plan["return"] == 4100
    assert coins_left == plan["coins_left"] == 0
    for gamma, value in plan["discounted"].items():
        assert sum(float(gamma) ** t * reward for t, reward in enumerate(rewards)) == pytest.approx(value, abs=6e-7)


def test_there_are_three() -> None:
    assert set(PLANS) == {"0.9", "0.95", "0.99"}


@pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))
def test_plain_form(plan: dict[str, Any]) -> None:
    env = gymnasium.make("dense-v0")
    env.reset(seed=0)
    rewards: list[float] = []
    for action in plan["actions"]:
        _, reward, terminated, truncated, info = env.step(int(action))
        rewards.append(float(reward))
        assert not truncated
        assert terminated == (len(rewards) == plan["num_steps"])
        assert not info["caught"]
    check(plan, rewards, info["coins_left"])


@pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))
def test_array_form(plan: dict[str, Any]) -> None:
    dynamics = Dynamics(Level.load("dense"))
    states, rewards = dynamics.reset(1), []
    for action in plan["actions"]:
        states, reward, terminated, truncated = dynamics.step(states, np.array([int(action)]))
        rewards.append(float(reward[0]))
        assert not truncated[0]
        assert terminated[0] == (len(rewards) == plan["num_steps"])
    check(plan, rewards, int(states.items[0, : dynamics.num_coins].sum()))
    assert states.items[0, dynamics.num_coins :].all(), "no plan takes poison"
