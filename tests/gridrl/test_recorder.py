"""Means over the steps between two evaluations, beside sums added up step by step."""

from typing import Any

import numpy as np
import pytest

from gridrl.loop import Step
from gridrl.recorder import KEPT_STEPS, Recorder
from gridrl_agents.base import Transition

SEEDS = [5, 9, 2]


class Stub:
    """All that a recorder asks of an agent."""

    epsilon, num_updates = 0.25, 77


def random_steps(count: int) -> list[Step]:
    """Return steps whose metrics are sometimes missing and sometimes nan, and whose episodes end now and then."""
    random = np.random.default_rng(3)
    steps = []
    for number in range(count):
        metrics = {"loss": random.normal(size=3).astype(np.float32)}
        if number % 4 == 0:
            metrics["waits"] = np.where(random.random(3) < 0.4, np.nan, random.normal(size=3))
        if number < 5:
            metrics["never"] = np.full(3, np.nan)
        ended = random.random((2, 3)) < 0.02
        reward, nothing = random.normal(size=3), np.zeros(3)
        steps.append(Step(Transition(nothing, nothing, reward, nothing, *ended), metrics, nothing))
    return steps


def naive(steps: list[Step], run: int, earned: float = 0.0) -> dict[str, float]:
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for step in steps:
        earned += float(step.transition.reward[run])
        measured = {name: float(value[run]) for name, value in step.metrics.items()}
        if step.transition.terminated[run] or step.transition.truncated[run]:
            measured["train_return"], earned = earned, 0.0
        for name, value in measured.items():
            if not np.isnan(value):
                sums[name], counts[name] = sums.get(name, 0.0) + value, counts.get(name, 0) + 1
    means = {name: total / counts[name] for name, total in sums.items()}
    return means | {"epsilon": 0.25, "episodes": float(counts.get("train_return", 0))}


@pytest.mark.parametrize("count", [1, KEPT_STEPS, 3 * KEPT_STEPS + 40])
@pytest.mark.parametrize("interrupted", [False, True])
def test_means_are_those_of_steps_added_one_by_one(count: int, interrupted: bool) -> None:
    agent: Any = Stub()
    recorder, steps = Recorder(SEEDS), random_steps(count)
    for number, step in enumerate(steps):
        recorder.consume(step)
        if interrupted and number % 97 == 50:
            state, recorder = recorder.state_dict(), Recorder(SEEDS)
            recorder.load_state_dict(state)
    rows = recorder.training_rows(agent, 1000)
    for run, seed in enumerate(SEEDS):
        assert {name: value for own, _, _, name, value in rows if own == seed} == naive(steps, run)
    assert {row[1:3] for row in rows} == {(77, 1000)}


def test_each_period_begins_anew_but_for_the_episodes_that_go_on() -> None:
    agent: Any = Stub()
    recorder, steps = Recorder(SEEDS), random_steps(400)
    for step in steps[:150]:
        recorder.consume(step)
    recorder.training_rows(agent, 150)
    for step in steps[150:]:
        recorder.consume(step)
    rows = recorder.training_rows(agent, 400)
    for run, seed in enumerate(SEEDS):
        ends = [
            at
            for at, step in enumerate(steps[:150])
            if step.transition.terminated[run] | step.transition.truncated[run]
        ]
        earned = 0.0
        for step in steps[ends[-1] + 1 if ends else 0 : 150]:
            earned += float(step.transition.reward[run])
        assert {name: value for own, _, _, name, value in rows if own == seed} == naive(steps[150:], run, earned)


def test_an_agent_may_use_its_array_again() -> None:
    agent: Any = Stub()
    recorder, array, nothing = Recorder([0]), np.zeros(1), np.zeros(1)
    ended = np.zeros(1, dtype=bool)
    for value in (1.0, 2.0, 6.0):
        array[:] = value
        recorder.consume(Step(Transition(nothing, nothing, nothing, nothing, ended, ended), {"loss": array}, nothing))
    assert (0, 77, 3, "loss", 3.0) in recorder.training_rows(agent, 3)
