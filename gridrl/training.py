"""Training: a run that is stepped, evaluated as it goes, saved, and resumed as if it had never stopped."""

import copy
import math
import os
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from gridrl.errors import UserError
from gridrl.evaluation import Evaluator
from gridrl.events import EventFiles, open_events
from gridrl.failures import BROKE_ON, Failure
from gridrl.guard import Guard
from gridrl.interrupt import StopRequest
from gridrl.loop import steps
from gridrl.make_run import make_run_folder
from gridrl.problem import ProblemSettings
from gridrl.recorder import Recorder, Row
from gridrl.run import Run
from gridrl.run_folder import FAILURES, RunFolder, writing
from gridrl.training_settings import TrainSettings
from gridrl.writer import Writer
from gridrl_agents.streams import ENVIRONMENT, seed_sequence

OnProgress = Callable[[int, list[Row]], None]  # the step reached, and what was measured since the last call
REPORT_EVERY = 100  # steps between two calls of OnProgress


class Training(Run):
    """A run that goes on: `run()` to the configured number of steps, or until asked to stop."""

    def __init__(self, folder: RunFolder, device: str = "cpu") -> None:
        super().__init__(folder, device)
        config = self.config
        self.env = self.problem.make_vector(len(config.seeds), learning=True)
        self._breaks: list[Row] = []  # of runs that broke, not written yet
        self.guard = Guard(self.env, self.agent, self._keep_failure)
        self.recorder = Recorder(config.seeds)
        greedy_episodes = 1 if self.problem.is_deterministic else config.eval_episodes
        self.evaluator = Evaluator(self.problem, config.seeds, config.eval_episodes, greedy_episodes)
        self._events: EventFiles | None = None
        self._clock = time.perf_counter()  # when this training would have begun, had it never stopped
        self.obs: np.ndarray
        self.obs, _ = self.env.reset(
            seed=[int(seed_sequence(seed, ENVIRONMENT).generate_state(1)[0]) for seed in config.seeds]
        )

    @classmethod
    def resume(cls, path: str | os.PathLike[str], device: str = "cpu") -> "Training":
        """Return the training in folder `path` where its newest checkpoint left it (from the start if it has none).

        It goes on on any `device`, whichever it was begun on.
        """
        folder = RunFolder.open(path)
        if len(groups := folder.groups) > 1:
            names = ", ".join(str(group.path) for group in groups)
            raise UserError(f"{path} learns in groups, each in a folder of its own: {names}; resume these.")
        training = cls(folder, device)
        for state in training.load_newest():
            training.guard.resume(training.step, [folder.config.seeds.index(seed) for seed in state.get("broken", [])])
            training.recorder.load_state_dict(state["recorder"])
            if training.problem.saves_state:
                gridworld: Any = training.env.unwrapped
                gridworld.load_state_dict(state["env"])
                training.obs = gridworld.observe(gridworld.get_states())
        return training

    def run(
        self, stop: StopRequest | None = None, on_progress: OnProgress | None = None, patience: float = 0.0
    ) -> bool:
        """Learn until the configured step, writing metrics and checkpoints; True when it got there, False when stopped.

        A run that breaks is taken out, and kept among the folder's `failures`; with the last one the training is over.
        Holds the folder's lock, for which it waits `patience` seconds. Raises `UserError` when the folder is locked or
        cannot be written.
        """
        with self.folder.lock(patience), Writer() as writer:
            self.folder.cut(self.step or -1)  # a start is measured again
            self._events = open_events(self.folder, self.step + 1 if self.step else 0)
            timing = self.folder.timing["seconds"]
            self._clock = time.perf_counter() - (0.0 if timing.empty else timing.iloc[-1])
            rows: list[Row] = []
            self.obs = self.guard.see(self.obs)
            if self.step == 0:
                rows = self._measure()
                writer.begin(self.folder.save_snapshot, 0, self._own(self.agent.values_dict()))
            left = 0 if self._is_over else self.config.steps - self.step
            for step in islice(steps(self.agent, self.guard, self.obs), left):
                self.step += 1
                self.obs = step.obs
                self.guard.check(step.metrics)
                self.recorder.consume(step)
                if self.step % self.config.eval_period == 0 or self._is_over:
                    rows += self._measure()
                elif self._breaks:
                    rows += self._write([])
                if on_progress and (rows or self.step % REPORT_EVERY == 0):
                    on_progress(self.step, rows)
                rows = []
                if self.step % self.config.snapshot_period == 0 or self._is_over:
                    writer.begin(self.folder.save_snapshot, self.step, self._own(self.agent.values_dict()))
                if stop or self.step % self.config.checkpoint_period == 0 or self._is_over:
                    writer.begin(self.folder.save_checkpoint, self.step, self.state_dict())
                if stop or self._is_over:
                    return self._is_over
        return True

    @property
    def _is_over(self) -> bool:
        return self.step == self.config.steps or self.guard.all_broken

    def _keep_failure(self, run: int, step: int, name: str, value: float, seen: dict[str, Any]) -> None:
        seed = self.config.seeds[run]
        self._breaks.append((seed, self.agent.num_updates, step, BROKE_ON + name, value))
        with writing(self.folder.path):
            Failure(seed, step, name, value, self.folder.path / FAILURES).save(seen)

    @property
    def _broken(self) -> list[int]:
        """The seeds of the runs that were taken out."""
        return [seed for seed, broken in zip(self.config.seeds, self.guard.broken, strict=True) if broken]

    def _measure(self) -> list[Row]:
        rows = self.recorder.training_rows(self.agent, self.step) if self.step else []
        evaluated = self.recorder.evaluation_rows(self.agent, self.step, self.evaluator)
        for seed, _, _, metric, value in evaluated:
            if not math.isfinite(value):
                seen = {name: np.array(number) for own, _, _, name, number in evaluated if own == seed}
                self.guard.take_out(self.config.seeds.index(seed), metric, value, {"evaluation": seen})
        rows = self._write(rows + evaluated)
        self.folder.append_timing(self.step, time.perf_counter() - self._clock)
        return rows

    def _write(self, rows: list[Row]) -> list[Row]:
        """Write what was measured of runs that are not broken, and what others have broken on since the last time."""
        rows = [row for row in rows if row[0] not in self._broken] + self._breaks
        rows.sort(key=lambda row: self.config.seeds.index(row[0]))  # run by run: groups are joined without a change
        self.folder.append_metrics(rows)
        if self._events is not None:
            self._events.append(rows)
        self._breaks = []
        return rows

    def state_dict(self) -> dict[str, Any]:
        """Return all that a checkpoint holds, as it is now: what is learned from here on does not change it."""
        state = {
            "step": self.step,
            "agent": self._own(self.agent.state_dict()),
            "recorder": self.recorder.state_dict(),
            "broken": self._broken,
        }
        if self.problem.saves_state:
            environment: Any = self.env.unwrapped
            state["env"] = environment.state_dict()
        return state

    def _own(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return an agent's state as it is now; one of the user's may give the very arrays that it learns in."""
        return copy.deepcopy(state) if ":" in self.config.agent else state


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
    """Check everything, make the run folder, and return the training of all runs together, ready to `run()`."""
    folder = make_run_folder(
        agent, problem, settings, agent_settings, seeds=seeds, out=out, command=command, together=True
    )
    return Training(folder)
