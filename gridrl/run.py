"""A run folder brought back to life: problem, agent, and what was believed on the way."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gridrl.errors import UserError
from gridrl.failures import Failure
from gridrl.problem import Problem, ProblemSettings
from gridrl.run_folder import RunFolder
from gridrl.truth.solution import return_bounds
from gridrl_agents.base import Agent
from gridrl_agents.company import Company
from gridrl_agents.registry import make

if TYPE_CHECKING:
    from gridrl_envs.level import Level


class Run:
    """What a run folder holds, brought back to life: problem, agent, step. Looks; `Training` changes."""

    def __init__(self, folder: RunFolder, device: str = "cpu") -> None:
        self.folder = folder
        self.config = folder.config
        self.problem = make_problem(self.config.agent, self.config.problem)
        groups = folder.groups
        together = [self.config.seeds] if groups == [folder] else [group.config.seeds for group in groups]
        name, settings = self.config.agent, self.config.agent_settings
        agents = [make_agent(name, settings, self.problem, own, device) for own in together]
        self._groups = list(zip(groups, agents, strict=True))
        self.agent: Agent = agents[0] if len(agents) == 1 else Company(agents)
        self.step = 0

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Run":
        """Return the run in folder `path` as its newest checkpoint has it; raises `UserError` where it has none."""
        run = cls(RunFolder.open(path))
        if not run.load_newest():
            raise UserError(f"{path} has no checkpoint yet; let it train further: gridrl resume {path}")
        return run

    def load_newest(self) -> list[dict[str, Any]]:
        """Load the agent from the newest checkpoint of each group; return their states, none where one has none.

        Groups that were stopped at different steps are each loaded where they were; `step` is the earliest.
        """
        newest = [group.checkpoints()[-1:] for group, _ in self._groups]
        if not all(newest):
            return []
        states = [self._load_group(agent, path) for (_, agent), (path,) in zip(self._groups, newest, strict=True)]
        self.step = min(state["step"] for state in states)
        return states

    def _load_group(self, agent: Agent, path: Path) -> dict[str, Any]:
        from gridrl import checkpoint

        state = checkpoint.load(path)
        try:
            agent.load_state_dict(state["agent"])
            int(state["step"])
        except KeyError as error:
            raise UserError(f"{path} lacks {error}; it is no checkpoint of this run: train again.") from None
        return state

    @property
    def snapshots(self) -> list[int]:
        """The steps up to now that can be looked at, in their order; this one alone where no snapshot was kept."""
        kept = set.intersection(*(set(group.snapshots()) for group, _ in self._groups))
        return sorted(step for step in kept if step <= self.step) or [self.step]

    def at(self, step: int) -> None:
        """Let the agent believe what it believed at `step`, one of `snapshots`; `load_newest` brings it back.

        Raises `UserError` for a step that was not kept.
        """
        from gridrl import checkpoint

        for group, agent in self._groups:
            paths = group.snapshots()
            if step not in paths:
                kept = ", ".join(map(str, paths)) or "none"
                raise UserError(f"{group.path} has no snapshot of step {step}; it has: {kept}.")
            try:
                agent.load_values(checkpoint.load(paths[step]))
            except (KeyError, ValueError) as error:
                raise UserError(f"{paths[step]} does not fit this run ({error}); remove it, or train again.") from None
        self.step = step

    @contextmanager
    def looking_at(self, step: int) -> Iterator[None]:
        """Let the agent believe what it believed at `step`, and in the end what it believes now."""
        values, now = self.agent.values_dict(), self.step
        if step != now:
            self.at(step)
        try:
            yield
        finally:
            self.agent.load_values(values)
            self.step = now

    @property
    def metrics(self) -> Any:
        """A pandas table of all that was measured: run (its seed), update, step, metric, value."""
        return self.folder.metrics

    @property
    def failures(self) -> list[Failure]:
        """The runs that broke."""
        return self.folder.failures

    @property
    def whole(self) -> list[int]:
        """The seeds of the runs that did not break; raises `UserError` where all did."""
        failures = self.failures
        broken = {failure.seed for failure in failures}
        if broken.issuperset(self.config.seeds):
            sentences = " ".join(failure.sentence for failure in failures)
            raise UserError(f"all runs of {self.folder.path} broke: {sentences}")
        return [seed for seed in self.config.seeds if seed not in broken]

    def final(self, metric: str) -> np.ndarray:
        """Return the last value of `metric` of each run, [R]; nan for a run that broke.

        Raises `UserError` where there is none.
        """
        table = self.metrics
        table = table[(table["metric"] == metric) & table["run"].isin(self.whole)]
        if table.empty:
            raise UserError(f"{self.folder.path} has no {metric!r} measured yet; let it train further.")
        last = table.sort_values("step").groupby("run")["value"].last()
        return last.reindex(self.config.seeds).to_numpy()

    def shown(self, seed: int | None, most: int = 4) -> list[int]:
        """Return the index of the run with `seed`; where it is None, the first `most` indices of those not broken."""
        seeds = self.config.seeds
        if seed is None:
            return [seeds.index(own) for own in self.whole[:most]]
        if seed not in seeds:
            raise UserError(f"{self.folder.path} has no run with seed {seed}; it has {', '.join(map(str, seeds))}.")
        return [seeds.index(seed)]

    @property
    def best(self) -> int:
        """Index of the run with the highest greedy return at the end."""
        return int(np.nanargmax(self.final("greedy_return")))


def make_problem(agent: str, settings: ProblemSettings, level: "Level | None" = None) -> Problem:
    """Return the problem as this agent sees it: tables prefer the state's index, memories the window.

    `level` stands in place of the one that the settings name.
    """
    from gridrl_agents.registry import prefers_state, remembers

    return Problem(settings, prefer_state=prefers_state(agent), prefer_window=remembers(agent), level=level)


def make_agent(
    name: str, settings: dict[str, Any], problem: Problem, seeds: Sequence[int], device: str = "cpu"
) -> Agent:
    """Return the agent that is to learn a problem, a run for each of `seeds`; `device` as `registry.make` takes it."""
    gamma = settings.get("gamma")
    return make(
        name,
        problem.observation_space,
        problem.action_space,
        seeds,
        observation_support=problem.observation_support,
        return_bounds=return_bounds(problem.level, gamma) if problem.is_gridworld and gamma is not None else None,
        device=device,
        **settings,
    )
