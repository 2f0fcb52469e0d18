"""What is measured while a run learns: means over the steps between two evaluations, and the evaluations."""

from typing import Any

import numpy as np

from gridrl.evaluation import TUTORIAL_EPSILON, Episodes, Evaluator
from gridrl.loop import Step
from gridrl_agents.base import Agent

EPSILONS = (TUTORIAL_EPSILON, 0.0)  # of the two groups of episodes in an evaluation
KEPT_STEPS = 250  # of each metric, before they are added up
Row = tuple[int, int, int, str, float]  # run's seed, update, step, metric, value


def mean_over_runs(rows: list[Row], metric: str) -> float | None:
    """Return the mean over runs of `metric` among `rows`, None where it was not measured."""
    values = [value for _, _, _, name, value in rows if name == metric]
    return float(np.mean(values)) if values else None


class Recorder:
    """Consumes steps and turns them into rows of metrics.csv.

    Per period and run: the mean of each metric the agent returned (nan counts as not measured), `train_return` (mean
    over the episodes that ended), `episodes` (how many), `epsilon`; then, from the evaluators, `return`,
    `discounted_return` and `episode_length` at the tutorial's epsilon .05, the same with `greedy_` before them,
    `greedy_loop_length` where the level is deterministic, steps of the circle that the greedy policy ends in (0: none
    that is known), and `max_q_start`, max_a Q at the start.
    """

    def __init__(self, seeds: list[int]) -> None:
        self.seeds = seeds
        self._episode_return = np.zeros(len(seeds))
        self._means: dict[str, _Mean] = {}

    def consume(self, step: Step) -> None:
        """Take in one step of every run."""
        transition = step.transition
        self._episode_return += transition.reward
        for name, value in step.metrics.items():
            self._mean(name).add(value)
        ended = transition.terminated | transition.truncated
        if np.count_nonzero(ended):
            self._mean("train_return").add(np.where(ended, self._episode_return, np.nan))
            self._episode_return[ended] = 0.0

    def _mean(self, name: str) -> "_Mean":
        if name not in self._means:
            self._means[name] = _Mean(len(self.seeds))
        return self._means[name]

    def training_rows(self, agent: Agent, step: int) -> list[Row]:
        """Return the means since the last call, and begin anew."""
        values = {"epsilon": np.full(len(self.seeds), agent.epsilon)}
        for name in sorted(self._means):  # in this order also when they come back from a checkpoint
            total, count = self._means[name].sums()
            values[name] = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
        values["episodes"] = self._mean("train_return").sums()[1]
        self._means = {}
        return [row for row in self._rows(values, agent, step) if not np.isnan(row[-1])]

    def evaluation_rows(self, agent: Agent, step: int, evaluator: Evaluator) -> list[Row]:
        """Return what the agent's policy earns now, exploring a little and greedy, and what it believes.

        `evaluator` has two groups of episodes, in this order.
        """
        played = evaluator.play_groups(agent, EPSILONS, key=step)
        return self.played_rows(played, agent, step, evaluator)

    def played_rows(self, played: list[Episodes], agent: Agent, step: int, evaluator: Evaluator) -> list[Row]:
        """Return the rows of `evaluation_rows`; `played` is what `evaluator` played with `EPSILONS` at this step."""
        values = {}
        for prefix, episodes in zip(("", "greedy_"), played, strict=True):
            values[f"{prefix}return"] = episodes.undiscounted.mean(axis=1)
            values[f"{prefix}discounted_return"] = episodes.discounted.mean(axis=1)
            values[f"{prefix}episode_length"] = episodes.length.mean(axis=1)
        if evaluator.finds_loops:
            values["greedy_loop_length"] = played[1].loop_length.mean(axis=1)
        values["max_q_start"] = evaluator.max_q_start(agent, key=step)
        return self._rows(values, agent, step)

    def _rows(self, values: dict[str, np.ndarray], agent: Agent, step: int) -> list[Row]:
        return [
            (seed, agent.num_updates, step, name, float(value[run]))
            for name, value in values.items()
            for run, seed in enumerate(self.seeds)
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs to write the very same rows."""
        sums = {name: mean.sums() for name, mean in self._means.items()}
        return {
            "episode_return": self._episode_return.copy(),
            "sums": {name: total.copy() for name, (total, _) in sums.items()},
            "counts": {name: count.copy() for name, (_, count) in sums.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self._episode_return = state["episode_return"].copy()
        self._means = {
            name: _Mean(len(self.seeds), total, state["counts"][name]) for name, total in state["sums"].items()
        }


class _Mean:
    """The mean of a metric of each run, from values that are first kept as they come: that is cheap, and adding is not.

    However often it adds them up, it is one after the other, so that the sum is the same to the last bit.
    """

    def __init__(self, num_runs: int, total: np.ndarray | None = None, count: np.ndarray | None = None) -> None:
        self._total = np.zeros(num_runs) if total is None else total.copy()
        self._count = np.zeros(num_runs) if count is None else count.copy()
        self._kept = np.empty((KEPT_STEPS, num_runs))
        self._num_kept = 0

    def add(self, value: np.ndarray) -> None:
        """Count the value [R] of a step, nan for a run that has none."""
        if self._num_kept == KEPT_STEPS:
            self.sums()
        self._kept[self._num_kept] = value
        self._num_kept += 1

    def sums(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the sum [R] of all values and how many there were [R]."""
        kept = self._kept[: self._num_kept]
        measured = ~np.isnan(kept)
        self._total = np.add.accumulate(np.concatenate((self._total[None], np.where(measured, kept, 0.0))))[-1]
        self._count = self._count + measured.sum(axis=0)
        self._num_kept = 0
        return self._total, self._count
