"""Let an agent learn quietly, and explain its next update: a fresh agent's, or a run's from its newest checkpoint."""

import dataclasses
from itertools import islice
from typing import Any, NamedTuple, cast

import numpy as np

from gridrl.errors import UserError
from gridrl.explanations.words import action_names, step_in_words
from gridrl.loop import steps
from gridrl.problem import Problem, ProblemSettings
from gridrl_agents.base import Agent, Transition
from gridrl_agents.explain import explain
from gridrl_agents.explanation import HAPPENED, Explanation
from gridrl_agents.registry import settings_class
from gridrl_agents.streams import ENVIRONMENT, seed_sequence

MOST_STEPS = 20_000  # before giving up on an agent that learns nothing
PREFERENCE = 100  # updates that are looked at for one with a reward


class Learning(NamedTuple):
    """An agent in its environments, at a step."""

    problem: Problem
    agent: Agent
    env: Any  # a vector environment
    obs: np.ndarray  # [R, ...]
    step: int


class Explained(NamedTuple):
    """An explanation, and the step of which it is."""

    told: Explanation
    step: int


def fresh(name: str, settings: ProblemSettings, agent_settings: dict[str, Any], seed: int, num_steps: int) -> Learning:
    """Return the agent `name` of one run after `num_steps` steps of learning; nothing is written."""
    from gridrl.run import make_agent, make_problem

    chosen = dataclasses.asdict(settings_class(name)(**agent_settings))  # its mistakes are told first
    problem = make_problem(name, settings)
    agent = make_agent(name, chosen, problem, [seed])
    env = problem.make_vector(1, learning=True)
    obs, _ = env.reset(seed=[int(seed_sequence(seed, ENVIRONMENT).generate_state(1)[0])])
    for step in islice(steps(agent, env, obs), num_steps):
        obs = step.obs
    return Learning(problem, agent, env, obs, num_steps)


def resumed(path: str) -> Learning:
    """Return the run in folder `path` as its newest checkpoint left it; nothing is written.

    Raises `UserError` where it has none.
    """
    from gridrl.training import Training

    training = Training.resume(path)
    if training.step == 0:
        raise UserError(f"{path} has no checkpoint yet; let it train further: gridrl resume {path}")
    return Learning(training.problem, training.agent, training.env, training.obs, training.step)


def explain_next(learning: Learning, run: int = 0, item: int | None = None) -> Explained:
    """Let the agent go on, and return the explanation of its next update of `run` that has an error.

    An update from a transition with a reward is preferred, where one of the next hundred has one. Raises `UserError`
    where nothing is learned in 20 000 steps.
    """
    watched = _Watched(learning.agent, run, item, action_names(learning.problem))
    found: list[Explained] = []
    seen = 0
    for number, _ in enumerate(islice(steps(cast(Agent, watched), learning.env, learning.obs), MOST_STEPS), start=1):
        told = watched.told
        if told is None:
            continue
        seen += 1
        if "td_error" not in told or told["td_error"] != 0:  # not every agent of the user's tells one
            found.append(Explained(told, learning.step + number))
        if (found and told["reward"] != 0 and found[-1].told is told) or (found and seen >= PREFERENCE):
            break
    if not found:
        raise UserError(
            f"nothing was learned in {MOST_STEPS} steps after step {learning.step}; let the agent learn for longer "
            "first, or in episodes that end."
        )
    best = found[-1] if found[-1].told["reward"] != 0 else found[0]
    assert best.told.transition is not None
    sentence = step_in_words(learning.problem, best.told.transition)
    if sentence is not None:
        if "window" in best.told:
            sentence = f"Its first step: {sentence[0].lower()}{sentence[1:]}"
        best.told.say(HAPPENED, sentence, first=True)
    return best


class _Watched:
    """An agent that acts and learns as it always does, and tells what each step taught one run."""

    def __init__(self, agent: Agent, run: int, item: int | None, names: tuple[str, ...] | None) -> None:
        self.act = agent.act
        self.told: Explanation | None = None
        self._explain = lambda transition: explain(agent, transition, run, item=item, action_names=names)

    def observe(self, transition: Transition) -> dict[str, np.ndarray]:
        """Let the agent learn; no metrics are wanted."""
        self.told = self._explain(transition)
        return {}
