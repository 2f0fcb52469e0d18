"""An agent that learns in a world while hands change either, and that can go back to what it was."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gridrl.make_run import make_config
from gridrl.problem import ProblemSettings
from gridrl.recorder import Recorder
from gridrl.run import make_agent, make_problem
from gridrl.studio.minds.keep import keep
from gridrl.studio.minds.learning import LONGEST_TRAIL, Learning
from gridrl.studio.minds.moments import Line, Moment, own
from gridrl.studio.minds.touches import Touch, level_words, settings_words
from gridrl.studio.minds.translation import translation
from gridrl.studio.minds.worlds import is_same_view, move_env, painted
from gridrl.training_settings import TrainSettings
from gridrl.truth.solution import return_bounds
from gridrl_agents.errors import SettingsError

if TYPE_CHECKING:
    from gridrl_envs.level import Level

PERIODS = TrainSettings()


class Mind(Learning):
    """R runs of an agent in a gridworld, stepped by `learn`; as long as no hand changes anything, a `gridrl train`.

    Attributes, beside those of `Learning`: `touches`, what hands changed, and `line`, the line of moments that it came
    along. Raises `UserError`, `SettingsError` or `LevelError` for what is not right.
    """

    def __init__(
        self,
        agent: str,
        problem: ProblemSettings,
        settings: dict[str, Any],
        seeds: Sequence[int],
        *,
        eval_period: int = PERIODS.eval_period,
        eval_episodes: int = PERIODS.eval_episodes,
    ) -> None:
        config = make_config(agent, problem, PERIODS, settings, seeds)
        self._given = config.agent_settings
        self._looked_at: tuple[Moment, dict[str, Any]] | None = None
        super().__init__(
            agent,
            make_problem(agent, problem),
            config.agent_settings,
            config.seeds,
            eval_period=eval_period,
            eval_episodes=eval_episodes,
        )

    def _begin(self, *begun: Any) -> None:
        super()._begin(*begun)
        self.touches: tuple[Touch, ...] = ()
        self.line = Line().branch(0)

    def begin_anew(self, **settings: Any) -> None:
        """Forget everything, and learn from step 0 with these settings changed; raises `SettingsError` as `Mind`."""
        self._begin(self.problem, self._changed(self._unpinned(), settings))

    def change(self, **settings: Any) -> list[str]:
        """Learn on with other settings; `epsilon` stands for both `epsilon_begin` and `epsilon_end`.

        Returns a sentence for each thing that was lost. Raises `SettingsError`, with nothing changed, for what is not
        right and for what needs a new beginning.
        """
        self.finish_measuring()
        changed = self._changed(self._pinned(), settings)
        agent = make_agent(self.name, changed, self.problem, self.seeds)
        lost = agent.inherit(self.agent)
        self._note(settings_words(self.settings, changed))
        self.agent, self.settings = agent, changed
        self._go_on()
        return lost

    def _changed(self, before: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
        both = {"epsilon_begin", "epsilon_end"} if "epsilon" in settings else set()
        others = {name: value for name, value in settings.items() if name != "epsilon"}
        return before | dict.fromkeys(both, settings.get("epsilon")) | others

    def _pinned(self) -> dict[str, Any]:
        """Return the settings with a categorical distribution's support as it is: it would follow gamma and level."""
        if self.settings.get("distribution") != "categorical":
            return self.settings
        bounds = zip(("v_min", "v_max"), return_bounds(self.level, self.agent.gamma), strict=True)
        return self.settings | {name: bound for name, bound in bounds if self.settings[name] is None}

    def _unpinned(self) -> dict[str, Any]:
        return self.settings | {name: self._given[name] for name in ("v_min", "v_max") if name in self._given}

    def _note(self, words: str) -> None:
        if words:
            self.touches = (*self.touches, (self.step, words))

    def change_level(self, level: "Level") -> list[str]:
        """Learn on in another level, which tells its slip and noise, too; what was learned is carried over.

        Returns a sentence for each thing that could not be. Where nothing can be, all begins anew, and the sentence
        says so. Episodes go on where they can. Raises `SettingsError` or `LevelError`, with nothing changed, where the
        agent cannot learn there at all.
        """
        self.finish_measuring()
        before, env, settings = self.level, self._world, self._pinned()
        problem = make_problem(self.name, painted(self.problem), level)
        lost: list[str] = []
        if not is_same_view(before, level):
            try:
                agent = make_agent(self.name, settings, problem, self.seeds)
                lost = agent.inherit(self.agent, translation(self.problem, problem)) + self._cut_off(level, settings)
            except SettingsError as error:
                self._begin(problem, self._unpinned())
                self._note(level_words(before, level))
                return [str(error)]
            self.agent, self.last_transition = agent, None  # the latest one shows the old world
        self.settings = settings
        self._note(level_words(before, level))
        self._enter(problem)
        begun = move_env(env, self._world)
        self._go_on()
        self._forget_episodes(begun)
        return lost

    def _cut_off(self, level: "Level", settings: dict[str, Any]) -> list[str]:
        """Return a sentence where a categorical distribution does not reach as far as a level's returns do."""
        if settings.get("distribution") != "categorical":
            return []
        low, high = return_bounds(level, self.agent.gamma)
        if settings["v_min"] <= low and high <= settings["v_max"]:
            return []
        reach = f"{settings['v_min']:g} to {settings['v_max']:g}"
        return [f"returns beyond {reach} are cut off, as the distribution was made for these; begin anew to widen it."]

    def _forget_episodes(self, runs: np.ndarray) -> None:
        """Count from here on what the episodes of `runs` earn."""
        state = self.recorder.state_dict()
        state["episode_return"][runs] = 0.0
        self.recorder.load_state_dict(state)
        if 0 in runs:
            self._begin_episode()

    def moment(self) -> Moment:
        """Return all that it is now, to go back to."""
        self.finish_measuring()
        return Moment(
            agent=own(self.name, self.agent.state_dict()),
            env=self._world.state_dict(),
            recorder=self.recorder.state_dict(),
            problem=self.problem,
            settings=self.settings,
            step=self.step,
            num_episodes=self.num_episodes,
            episode_return=self.episode_return,
            visits=self.visits.copy(),
            last_transition=self.last_transition,
            rows=tuple(self.rows),
            trail=self.trail,
            touches=self.touches,
            failure=self.failure,
            seconds=self.seconds,
            broken=tuple(self._broken),
            line=self.line,
        )

    def go_back(self, moment: Moment) -> None:
        """Be again what it was, exactly: what is learned from there on is what was learned then."""
        then = self._then(moment)
        self.__dict__.update(then)
        self._measuring = None
        self._enter(moment.problem)
        self.env = then["env"]
        self._go_on()
        self.line = moment.line.branch(moment.step)

    @contextmanager
    def looking_at(self, moment: Moment) -> Iterator[None]:
        """Be what it was, to be looked at and no more, and in the end what it is now."""
        if self._looked_at is None or self._looked_at[0] is not moment:
            self._looked_at = moment, self._then(moment)
        now = self.__dict__.copy()
        self.__dict__.update(self._looked_at[1])
        try:
            yield
        finally:
            self.__dict__.update(now)

    def _then(self, moment: Moment) -> dict[str, Any]:
        """Return the attributes that it had then; none is shared with what learns now."""
        agent = make_agent(self.name, moment.settings, moment.problem, self.seeds)
        agent.load_state_dict(own(self.name, moment.agent))
        env: Any = moment.problem.make_vector(len(self.seeds), learning=True)
        env.unwrapped.load_state_dict(moment.env)
        recorder = Recorder(self.seeds)
        recorder.load_state_dict(moment.recorder)
        return {
            "agent": agent,
            "env": env,
            "recorder": recorder,
            "problem": moment.problem,
            "settings": moment.settings,
            "step": moment.step,
            "num_episodes": moment.num_episodes,
            "episode_return": moment.episode_return,
            "visits": moment.visits.copy(),
            "last_transition": moment.last_transition,
            "rows": list(moment.rows),
            "touches": moment.touches,
            "failure": moment.failure,
            "seconds": moment.seconds,
            "line": moment.line,
            "_trail": deque(moment.trail, maxlen=LONGEST_TRAIL),
            "_broken": list(moment.broken),
        }

    def keep(self, out: Path | None, command: str, moments: Sequence[Moment] = ()) -> Path:
        """Write what was learned as a run folder, as if a training had been stopped here, and return its path.

        Its snapshots are those `moments` that it came by in a level that looked as this one does; touches.csv tells
        what hands changed. By default it is the next free folder under runs/. Raises `UserError` where it cannot be
        written.
        """
        return keep(self, out, command, moments)
