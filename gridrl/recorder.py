"""What is measured while a run learns: means over the steps between two evaluations, and the evaluations."""

from typing import Any

import numpy as np

from gridrl.evaluation import TUTORIAL_EPSILON, Evaluator
from gridrl.loop import Step
from gridrl_agents.base import Agent

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
        self._sums: dict[str, np.ndarray] = {}
        self._counts: dict[str, np.ndarray] = {}

    def consume(self, step: Step) -> None:
        """Take in one step of every run."""
        transition, metrics = step.transition, step.metrics
        self._episode_return += transition.reward
        for name, value in metrics.items():
            if name not in self._sums:
                self._sums[name], self._counts[name] = np.zeros(len(self.seeds)), np.zeros(len(self.seeds))
            measured = ~np.isnan(value)
            self._sums[name] += np.where(measured, value, 0.0)
            self._counts[name] += measured
        ended = transition.terminated | transition.truncated
        if ended.any():
            zeros = np.zeros(len(self.seeds))
            self._sums.setdefault("train_return", zeros.copy())
            self._sums["train_return"][ended] += self._episode_return[ended]
            self._counts.setdefault("train_return", zeros.copy())
            self._counts["train_return"][ended] += 1
            self._episode_return[ended] = 0.0

    def training_rows(self, agent: Agent, step: int) -> list[Row]:
        """Return the means since the last call, and begin anew."""
        values = {"epsilon": np.full(len(self.seeds), agent.epsilon)}
        for name in sorted(self._sums):  # in this order also when they come back from a checkpoint
            total, count = self._sums[name], self._counts[name]
            values[name] = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
        values["episodes"] = self._counts.get("train_return", np.zeros(len(self.seeds)))
        self._sums, self._counts = {}, {}
        return self._rows(values, agent, step)

    def evaluation_rows(self, agent: Agent, step: int, exploring: Evaluator, greedy: Evaluator) -> list[Row]:
        """Return what the agent's policy earns now, exploring a little and greedy, and what it believes."""
        values = {}
        for prefix, evaluator, epsilon in (("", exploring, TUTORIAL_EPSILON), ("greedy_", greedy, 0.0)):
            episodes = evaluator.play(agent, epsilon, key=step)
            values[f"{prefix}return"] = episodes.undiscounted.mean(axis=1)
            values[f"{prefix}discounted_return"] = episodes.discounted.mean(axis=1)
            values[f"{prefix}episode_length"] = episodes.length.mean(axis=1)
            if epsilon == 0 and evaluator.finds_loops:
                values[f"{prefix}loop_length"] = episodes.loop_length.mean(axis=1)
        values["max_q_start"] = greedy.max_q_start(agent, key=step)
        return self._rows(values, agent, step)

    def _rows(self, values: dict[str, np.ndarray], agent: Agent, step: int) -> list[Row]:
        return [
            (seed, agent.num_updates, step, name, float(value[run]))
            for name, value in values.items()
            for run, seed in enumerate(self.seeds)
            if not np.isnan(value[run])
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs to write the very same rows."""
        return {"episode_return": self._episode_return, "sums": dict(self._sums), "counts": dict(self._counts)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self._episode_return = state["episode_return"].copy()
        self._sums = {name: value.copy() for name, value in state["sums"].items()}
        self._counts = {name: value.copy() for name, value in state["counts"].items()}
