"""A training that is stepped from outside: it learns, and measures, what `gridrl train` does with the same seeds."""

import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gridrl.evaluation import Evaluator
from gridrl.failures import ADVICE, BROKE_ON
from gridrl.guard import Guard
from gridrl.loop import Step, steps
from gridrl.problem import Problem
from gridrl.recorder import EPSILONS, Recorder, Row
from gridrl.run import make_agent
from gridrl.studio.minds.rows import thinned
from gridrl_agents.streams import ENVIRONMENT, seed_sequence

if TYPE_CHECKING:
    from gridrl_agents.base import Agent, Transition
    from gridrl_envs.dynamics import State
    from gridrl_envs.level import Level

LONGEST_TRAIL = 1_000  # cells of an episode that are remembered
LEARNING_ADVICE = "go back to an earlier moment and lower the learning rate"


class Learning:
    """R runs that learn in a gridworld, and what is to be shown of run 0.

    Attributes: `agent`, `problem`, `settings`, all of the agent's, `step`, of each run, `num_episodes` and
    `episode_return` of run 0, `visits` [R, cells], how many steps began on each cell, `last_transition`, `rows`, what
    was measured, thinned as it grows, `failure`, a sentence on the run that broke last, and `seconds`, the time that
    all this took.
    """

    agent: "Agent"

    def __init__(
        self,
        name: str,
        problem: Problem,
        settings: dict[str, Any],
        seeds: Sequence[int],
        *,
        eval_period: int,
        eval_episodes: int,
    ) -> None:
        self.name = name
        self.seeds = list(seeds)
        self.eval_period = eval_period
        self.eval_episodes = eval_episodes
        self._begin(problem, settings)

    def _begin(self, problem: Problem, settings: dict[str, Any]) -> None:
        """Forget everything; raises, with nothing changed, where no such agent can be made."""
        level = problem.gridworld.level
        self.agent = make_agent(self.name, settings, problem, self.seeds)
        self.settings = settings
        self.recorder = Recorder(self.seeds)
        self.step = self.num_episodes = 0
        self.visits = np.zeros((len(self.seeds), level.rows * level.columns), np.int64)
        self.last_transition: Transition | None = None
        self.rows: list[Row] = []
        self.failure = ""
        self.seconds = 0.0
        self._broken: list[int] = []
        self._enter(problem)
        self._begin_episode()
        self._measuring: Generator[None, None, None] | None = self._measure()

    def _enter(self, problem: Problem) -> None:
        """Stand in a world, at the beginning of its episodes."""
        self.problem = problem
        self.env: Any = problem.make_vector(len(self.seeds), learning=True)
        self.env.reset(seed=[int(seed_sequence(seed, ENVIRONMENT).generate_state(1)[0]) for seed in self.seeds])
        greedy_episodes = 1 if problem.is_deterministic else self.eval_episodes
        self.evaluator = Evaluator(problem, self.seeds, self.eval_episodes, greedy_episodes)
        self._first_cell = np.arange(len(self.seeds)) * self.visits.shape[1]
        self._go_on()

    def _go_on(self) -> None:
        """Step this agent in this world from here on."""
        self._world = self.env.unwrapped
        states = self._world.get_states()
        self._guard = Guard(self.env, self.agent, self._take_note)
        self._guard.resume(self.step, self._broken)
        self._steps: Iterator[Step] = steps(self.agent, self._guard, self._guard.see(self._world.observe(states)))
        self._cells = states.cell

    def _begin_episode(self) -> None:
        self.episode_return = 0.0
        self._trail = deque([int(self._cells[0])], maxlen=LONGEST_TRAIL)

    @property
    def level(self) -> "Level":
        """The level as it is now, all settings applied."""
        return self.problem.level

    @property
    def state(self) -> "State":
        """Where run 0 is in its episode."""
        state: State = self.env.unwrapped.get_states().one(0)
        return state

    @property
    def trail(self) -> tuple[int, ...]:
        """The cells of run 0's episode, oldest first."""
        return tuple(self._trail)

    def learn(self) -> bool:
        """Let every run take a step and learn from it; True when run 0's episode ended. Measures first what is due."""
        if self._measuring is not None:
            self.finish_measuring()
        begin = time.perf_counter()
        step = next(self._steps)
        self.step += 1
        self._guard.check(step.metrics)
        self.recorder.consume(step)
        if self.step % self.eval_period == 0:
            self._measuring = self._measure()
        ended = self._follow(step.transition)
        self.seconds += time.perf_counter() - begin
        return ended

    def _follow(self, transition: "Transition") -> bool:
        """Take note of where a step led; return whether run 0's episode ended."""
        self.last_transition = transition
        self.visits.reshape(-1)[self._first_cell + self._cells] += 1
        self._cells = self._world.get_states().cell
        self.episode_return += float(transition.reward[0])
        if transition.terminated[0] or transition.truncated[0]:
            self.num_episodes += 1
            self._begin_episode()
            return True
        self._trail.append(int(self._cells[0]))
        return False

    @property
    def is_measuring(self) -> bool:
        """Whether an evaluation is due, or goes on."""
        return self._measuring is not None

    def measure(self) -> None:
        """Play one step of the evaluation that is due, if any is: for those who cannot wait for all of it."""
        begin = time.perf_counter()
        if self._measuring is not None and next(self._measuring, self) is self:
            self._measuring = None
        self.seconds += time.perf_counter() - begin

    def finish_measuring(self) -> None:
        """Play what is left of the evaluation that is due."""
        while self._measuring is not None:
            self.measure()

    def _measure(self) -> Generator[None, None, None]:
        """Add the rows of this step, as `Training` does."""
        rows = self.recorder.training_rows(self.agent, self.step) if self.step else []
        played = yield from self.evaluator.playing(self.agent, EPSILONS, key=self.step)
        evaluated = self.recorder.played_rows(played, self.agent, self.step, self.evaluator)
        for seed, _, _, metric, value in evaluated:
            if not np.isfinite(value):
                self._guard.take_out(self.seeds.index(seed), metric, value, {})
        self.rows = thinned(self.rows + self._in_order(rows + evaluated))

    def measured(self, recorder: Recorder) -> list[Row]:
        """Return what is to be measured now; `recorder` begins its means anew."""
        rows = recorder.training_rows(self.agent, self.step) if self.step else []
        return self._in_order(rows + recorder.evaluation_rows(self.agent, self.step, self.evaluator))

    def _in_order(self, rows: list[Row]) -> list[Row]:
        """Return the rows of runs that are not broken, run by run."""
        whole = [row for row in rows if self.seeds.index(row[0]) not in self._broken]
        return sorted(whole, key=lambda row: self.seeds.index(row[0]))

    def _take_note(self, run: int, step: int, name: str, value: float, _seen: dict[str, Any]) -> None:
        """Take note of a run that breaks: it is taken out."""
        self._broken.append(run)
        advice = ADVICE.get(name, LEARNING_ADVICE)
        self.failure = f"seed {self.seeds[run]} broke at step {step} on its {name}, {value}: {advice}."
        self.rows.append((self.seeds[run], self.agent.num_updates, step, BROKE_ON + name, value))
