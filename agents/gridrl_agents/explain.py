"""Let an agent learn from one step as it always does, and tell every number of it."""

from collections.abc import Sequence
from importlib import import_module

import numpy as np

from gridrl_agents.base import Agent, Transition
from gridrl_agents.errors import SettingsError
from gridrl_agents.explanation import BELIEVED, ERROR, NOW, Explanation, tell_happened
from gridrl_agents.tabular.base import TabularAgent

# Who tells an agent's update. A class of its own may learn in its own way, so that only these very classes are here.
_TELLERS = {
    "gridrl_agents.tabular.fitted_q_agent.FittedQ": "gridrl_agents.tabular.explain.fitted_q",
    "gridrl_agents.deep.learner.DQN": "gridrl_agents.deep.explain.dqn",
    "gridrl_agents.deep.drqn.DRQN": "gridrl_agents.deep.explain.drqn",
}


def explain(
    agent: Agent,
    transition: Transition,
    run: int = 0,
    *,
    item: int | None = None,
    action_names: Sequence[str] | None = None,
) -> Explanation | None:
    """Let `agent` observe `transition`, and return what run number `run` learned; None where it learned nothing.

    The agent is afterwards, to the last bit, what `observe` would have made of it. Of a batch one transition is told in
    full: number `item`, or the one with the largest |td_error|. Raises `SettingsError`, and then nothing was observed,
    for an `item` of an agent that learns from no batch, or that the batch does not have.
    """
    cls = type(agent)
    teller = _TELLERS.get(f"{cls.__module__}.{cls.__qualname__}")
    if teller is not None:
        told: Explanation | None = import_module(teller).explain(agent, transition, run, item, action_names)
        return told
    if item is not None:
        raise SettingsError(
            f"{cls.__name__} learns from no batch that explain could choose from; leave the item ({item}) out."
        )
    if isinstance(agent, TabularAgent):
        from gridrl_agents.tabular.explain.table import explain_table

        return explain_table(agent, transition, run, action_names)
    return explain_any(agent, transition, run, action_names)


def explain_any(
    agent: Agent, transition: Transition, run: int, action_names: Sequence[str] | None
) -> Explanation | None:
    """Tell what every agent shows: the transition, its values before and after, and its own metrics."""
    shown = np.stack([np.asarray(transition.obs), np.asarray(transition.next_obs)], axis=1)  # [R, 2, ...]
    before = agent.q_values(shown)[run]
    metrics = agent.observe(transition)
    if all(np.isnan(values[run]) for values in metrics.values()):
        return None
    after = agent.q_values(shown)[run]
    told = Explanation(action_names or [str(action) for action in range(before.shape[-1])])
    told.equation(f"{type(agent).__name__}'s own", "an agent of yours")
    one = Transition(*(np.asarray(field)[run] for field in transition))
    tell_happened(told, one, 0.0 if one.terminated else agent.gamma)
    action = int(transition.action[run])
    told.values(BELIEVED, "q", "Q(s, .)", before[0], marked=action)
    told.values(BELIEVED, "q_next", "Q(s', .)", before[1])
    for name, values in metrics.items():
        told.line(ERROR, f"metric/{name}", name, float(values[run]), "as the agent reports it")
    told.say(ERROR, f"How {type(agent).__name__} comes to its target and its step is its own, and not shown here.")
    told.values(NOW, "q_after", "Q(s, .)", after[0], marked=action)
    told.values(NOW, "q_next_after", "Q(s', .)", after[1])
    told.line(NOW, "new_q", "Q(s, a)", after[0, action], f"it was {before[0, action]:.4f}")
    return told


def check_item(item: int | None, count: int, what: str) -> None:
    """Raise `SettingsError` unless `item` is one of `count` or left open."""
    if item is not None and not 0 <= item < count:
        raise SettingsError(f"the item must be from 0 to {count - 1}, as there are {count} {what}; got {item}.")
