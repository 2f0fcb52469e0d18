"""A training run: its parts put together, evaluated as it goes, saved, and resumed as if it had never stopped."""

import dataclasses
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from gridrl.errors import UserError
from gridrl.evaluation import Evaluator
from gridrl.interrupt import StopRequest
from gridrl.loop import steps
from gridrl.problem import Problem, ProblemSettings
from gridrl.recorder import Recorder, Row
from gridrl.run_folder import RunConfig, RunFolder
from gridrl.training_settings import TrainSettings
from gridrl.truth import return_bounds
from gridrl_agents.base import Agent
from gridrl_agents.registry import make, settings_class
from gridrl_agents.streams import ENVIRONMENT, seed_sequence

OnProgress = Callable[[int, list[Row]], None]  # the step reached, and what was measured since the last call
REPORT_EVERY = 100  # steps between two calls of OnProgress


class Run:
    """What a run folder holds, brought back to life: problem, agent, step. Looks; `Training` changes."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.config = folder.config
        self.problem = make_problem(self.config.agent, self.config.problem)
        self.agent: Agent = make(
            self.config.agent,
            self.problem.observation_space,
            self.problem.action_space,
            self.config.seeds,
            observation_support=self.problem.observation_support,
            return_bounds=self._return_bounds(),
            **self.config.agent_settings,
        )
        self.step = 0

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Run":
        """Return the run in folder `path` as its newest checkpoint has it; raises `UserError` where it has none."""
        run = cls(RunFolder.open(path))
        if run.load_newest() is None:
            raise UserError(f"{path} has no checkpoint yet; let it train further: gridrl resume {path}")
        return run

    def load_newest(self) -> dict[str, Any] | None:
        """Load the agent from the newest checkpoint; return the checkpoint's state, or None where there is none."""
        from gridrl import checkpoint

        paths = self.folder.checkpoints()
        if not paths:
            return None
        state = checkpoint.load(paths[-1])
        try:
            self.agent.load_state_dict(state["agent"])
            self.step = state["step"]
        except KeyError as error:
            raise UserError(f"{paths[-1]} lacks {error}; it is no checkpoint of this run: train again.") from None
        return state

    @property
    def snapshots(self) -> list[int]:
        """The steps at which what the agent believed was kept, in their order."""
        return list(self.folder.snapshots())

    def at(self, step: int) -> None:
        """Let the agent believe what it believed at `step`, one of `snapshots`; `load_newest` brings it back.

        Raises `UserError` for a step that was not kept.
        """
        from gridrl import checkpoint

        paths = self.folder.snapshots()
        if step not in paths:
            kept = ", ".join(map(str, paths)) or "none"
            raise UserError(f"{self.folder.path} has no snapshot of step {step}; it has: {kept}.")
        try:
            self.agent.load_values(checkpoint.load(paths[step]))
        except (KeyError, ValueError) as error:
            raise UserError(f"{paths[step]} does not fit this run ({error}); remove it, or train again.") from None
        self.step = step

    def _return_bounds(self) -> tuple[float, float] | None:
        gamma = self.config.agent_settings.get("gamma")
        return return_bounds(self.problem.level, gamma) if self.problem.is_gridworld and gamma is not None else None

    @property
    def metrics(self) -> Any:
        """A pandas table of all that was measured: run (its seed), update, step, metric, value."""
        return self.folder.metrics

    def final(self, metric: str) -> np.ndarray:
        """Return the last value of `metric` of each run, [R]."""
        table = self.metrics
        table = table[table["metric"] == metric]
        if table.empty:
            raise UserError(f"{self.folder.path} has no {metric!r} measured yet; let it train further.")
        last = table.sort_values("step").groupby("run")["value"].last()
        return last.loc[self.config.seeds].to_numpy()

    def shown(self, seed: int | None, most: int = 4) -> list[int]:
        """Return the index of the run with `seed`, or the first `most` indices where it is None."""
        seeds = self.config.seeds
        if seed is None:
            return list(range(len(seeds)))[:most]
        if seed not in seeds:
            raise UserError(f"{self.folder.path} has no run with seed {seed}; it has {', '.join(map(str, seeds))}.")
        return [seeds.index(seed)]

    @property
    def best(self) -> int:
        """Index of the run with the highest greedy return at the end."""
        return int(np.argmax(self.final("greedy_return")))


class Training(Run):
    """A run that goes on: `run()` to the configured number of steps, or until asked to stop."""

    def __init__(self, folder: RunFolder) -> None:
        super().__init__(folder)
        config = self.config
        self.env = self.problem.make_vector(len(config.seeds), learning=True)
        self.recorder = Recorder(config.seeds)
        self.exploring = Evaluator(self.problem, config.seeds, config.eval_episodes)
        self.greedy = Evaluator(
            self.problem, config.seeds, 1 if self.problem.is_deterministic else config.eval_episodes
        )
        self._clock = time.perf_counter()  # when this training would have begun, had it never stopped
        self.beyond_limits: tuple[float, float] | None = None  # least and greatest return, once one left the limits
        self.obs: np.ndarray
        self.obs, _ = self.env.reset(
            seed=[int(seed_sequence(seed, ENVIRONMENT).generate_state(1)[0]) for seed in config.seeds]
        )

    @classmethod
    def resume(cls, path: str | os.PathLike[str]) -> "Training":
        """Return the training in folder `path` where its newest checkpoint left it (from the start if it has none)."""
        training = cls(RunFolder.open(path))
        state = training.load_newest()
        if state is not None:
            training.recorder.load_state_dict(state["recorder"])
            if training.is_exact:
                gridworld: Any = training.env.unwrapped
                gridworld.load_state_dict(state["env"])
                training.obs = gridworld.observe(gridworld.get_states())
        return training

    @property
    def is_exact(self) -> bool:
        """True where resuming equals not stopping; a foreign environment cannot be saved and begins a new episode."""
        return hasattr(self.env.unwrapped, "state_dict")

    def run(self, stop: StopRequest | None = None, on_progress: OnProgress | None = None) -> bool:
        """Learn until the configured step, writing metrics and checkpoints; True when it got there, False when stopped.

        Holds the folder's lock. Raises `UserError` when the folder is locked or cannot be written.
        """
        with self.folder.lock():
            self.folder.cut(self.step)
            timing = self.folder.timing["seconds"]
            self._clock = time.perf_counter() - (0.0 if timing.empty else timing.iloc[-1])
            rows: list[Row] = []
            if self.step == 0:
                rows = self._measure()
                self.folder.save_snapshot(0, self.agent.values_dict())
            for step in islice(steps(self.agent, self.env, self.obs), self.config.steps - self.step):
                self.step += 1
                self.obs = step.obs
                self.recorder.consume(step)
                if self.step % self.config.eval_period == 0 or self.step == self.config.steps:
                    rows += self._measure()
                if on_progress and (rows or self.step % REPORT_EVERY == 0):
                    on_progress(self.step, rows)
                rows = []
                if self.step % self.config.snapshot_period == 0 or self.step == self.config.steps:
                    self.folder.save_snapshot(self.step, self.agent.values_dict())
                if stop or self.step % self.config.checkpoint_period == 0 or self.step == self.config.steps:
                    self._save()
                if stop:
                    return self.step == self.config.steps
        return True

    def _measure(self) -> list[Row]:
        rows = self.recorder.training_rows(self.agent, self.step) if self.step else []
        rows += self.recorder.evaluation_rows(self.agent, self.step, self.exploring, self.greedy)
        self.folder.append_metrics(rows)
        self.folder.append_timing(self.step, time.perf_counter() - self._clock)
        self._watch_limits([value for *_, metric, value in rows if metric.endswith("discounted_return")])
        return rows

    def _watch_limits(self, returns: list[float]) -> None:
        """Take note of discounted returns that a categorical agent's support does not reach."""
        if self.agent.return_limits is None:
            return
        low, high = self.agent.return_limits
        least, greatest = self.beyond_limits or (low, high)
        if min(*returns, least) < low or max(*returns, greatest) > high:
            self.beyond_limits = min(*returns, least), max(*returns, greatest)

    def _save(self) -> None:
        state = {"step": self.step, "agent": self.agent.state_dict(), "recorder": self.recorder.state_dict()}
        if self.is_exact:
            environment: Any = self.env.unwrapped
            state["env"] = environment.state_dict()
        self.folder.save_checkpoint(self.step, state)


def make_problem(agent: str, settings: ProblemSettings) -> Problem:
    """Return the problem as this agent sees it: tables prefer the state's index, memories the window."""
    from gridrl_agents.registry import prefers_state, remembers

    return Problem(settings, prefer_state=prefers_state(agent), prefer_window=remembers(agent))


def start(
    agent: str,
    problem: ProblemSettings,
    settings: TrainSettings,
    agent_settings: dict[str, Any],
    *,
    seeds: Sequence[int] | None = None,
    out: Path | None = None,
    command: str | None = None,
) -> Training:
    """Check everything, make the run folder, and return the training, ready to `run()`."""
    chosen = settings_class(agent)(**agent_settings)
    make_problem(agent, problem)  # its mistakes are told before a folder is made
    config = RunConfig(
        agent=agent,
        agent_settings=dataclasses.asdict(chosen),
        problem=problem,
        seeds=list(seeds) if seeds is not None else list(range(settings.seeds)),
        steps=settings.steps,
        eval_period=settings.eval_period,
        eval_episodes=settings.eval_episodes,
        checkpoint_period=settings.checkpoint_period,
        snapshot_period=settings.snapshot_period or math.ceil(settings.steps / 10),
    )
    folder = RunFolder.create(out, config, command or " ".join(sys.argv))
    return Training(folder)
