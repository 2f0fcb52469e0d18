"""Runs that break are taken out: one whose reward, observation or loss is no finite number stops, the others go on."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper

from gridrl_agents.base import Agent, Transition

NEVER_NAN = ("loss", "gradient_norm")  # other metrics are nan where there was nothing to measure
# A run's number, the step, the name of what was no finite number, the number, and all that is to be looked at.
Report = Callable[[int, int, str, float, dict[str, Any]], None]


class Guard(VectorWrapper):
    """Stands between the environments and the agent, lets finite numbers pass, and takes out runs that break.

    A run that is taken out is reported, with the numbers as they came, before the agent's are changed. It stays in the
    arrays, as a run that has learned nothing, sees zeros where observations are floats, and earns 0.
    """

    def __init__(self, env: VectorEnv, agent: Agent, report: Report) -> None:
        super().__init__(env)
        self.broken = np.zeros(agent.num_runs, dtype=bool)
        self.all_broken = self._any_broken = False
        self._num_steps = 0
        self._agent = agent
        self._report = report
        self._transition: Transition | None = None  # the latest, as it came
        self._obs = np.empty(0)  # what was seen last

    def resume(self, num_steps: int, broken: list[int]) -> None:
        """Go on after so many steps, in which these runs were taken out."""
        self._num_steps = num_steps
        self._mark(broken)

    def _mark(self, runs: list[int]) -> None:
        self.broken[runs] = True
        self._any_broken, self.all_broken = bool(self.broken.any()), bool(self.broken.all())

    def take_out(self, run: int, name: str, numbers: Any, seen: dict[str, Any]) -> None:
        """Report a run whose numbers of this name are not all finite, unless that was done; let the agent retire it."""
        if not self.broken[run]:
            flat = np.reshape(numbers, -1)
            self._report(run, self._num_steps, name, float(flat[~np.isfinite(flat)][0]), seen)
            self._mark([run])
            self._agent.retire(run)

    def see(self, obs: np.ndarray) -> np.ndarray:
        """Return the observations [R, ...] that an agent may see; those in which a run breaks are taken out."""
        for run in self._breaking(obs):
            self.take_out(run, "observation", obs[run], {"observation": np.array(obs[run])})
        self._obs = self._tame(obs)
        return self._obs

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin episodes."""
        obs, info = self.env.reset(seed=seed, options=options)
        return self.see(obs), info

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take a step; what comes back is finite."""
        obs, reward, terminated, truncated, info = self.env.step(actions)
        self._num_steps += 1
        self._transition = transition = Transition(self._obs, actions, reward, obs, terminated, truncated)
        for name, part in (("reward", reward), ("observation", obs)):
            for run in self._breaking(part):
                self.take_out(run, name, part[run], {"transition": _row(transition, run)})
        if self._any_broken:
            reward = np.where(self.broken, 0.0, reward)
        self._obs = self._tame(obs)
        return self._obs, reward, terminated, truncated, info

    def check(self, metrics: dict[str, np.ndarray]) -> None:
        """Take out the runs whose metrics [R] of the latest step are not what they may be."""
        for name, values in metrics.items():
            if not _is_finite(values):
                bad = ~np.isfinite(values) if name in NEVER_NAN else np.isinf(values)
                for run in np.flatnonzero(bad & ~self.broken).tolist():
                    self.take_out(run, name, values[run], self._lesson(run, metrics))

    def _breaking(self, numbers: np.ndarray) -> list[int]:
        """Return the runs that break on numbers [R, ...]: none, as a rule."""
        if _is_finite(numbers):
            return []
        finite = np.isfinite(numbers).reshape(len(numbers), -1).all(axis=1)
        return np.flatnonzero(~finite & ~self.broken).tolist()

    def _lesson(self, run: int, metrics: dict[str, np.ndarray]) -> dict[str, Any]:
        seen = {"metrics": {name: np.asarray(values[run]) for name, values in metrics.items()}}
        if self._transition is not None:
            seen["transition"] = _row(self._transition, run)
        return seen | {"batch": self._agent.last_batch(run)}

    def _tame(self, obs: np.ndarray) -> np.ndarray:
        if not self._any_broken or obs.dtype.kind != "f":
            return obs
        obs = obs.copy()
        obs[self.broken] = 0.0
        return obs


def _is_finite(array: np.ndarray) -> bool:
    """Say whether all numbers are finite; a sum of squares tells it in half the time that asking each takes."""
    if array.dtype.kind != "f":
        return True
    flat = array.reshape(-1)
    return math.isfinite(flat.dot(flat)) or bool(np.isfinite(flat).all())


def _row(transition: Transition, run: int) -> dict[str, np.ndarray]:
    return {name: np.array(field[run]) for name, field in transition._asdict().items()}
