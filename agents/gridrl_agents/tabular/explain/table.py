"""Let a table learn from one step, and tell it: by its rule's own file, or as far as any table can be told."""

import copy
from collections.abc import Callable, Sequence

import numpy as np

from gridrl_agents.base import Transition
from gridrl_agents.explanation import BELIEVED, ERROR, NOW, STEP, Explanation
from gridrl_agents.tabular.base import TabularAgent
from gridrl_agents.tabular.double_q_learning import DoubleQLearning
from gridrl_agents.tabular.dyna_q import DynaQ
from gridrl_agents.tabular.expected_sarsa import ExpectedSarsa
from gridrl_agents.tabular.explain import (
    double_q_learning,
    dyna_q,
    expected_sarsa,
    monte_carlo,
    n_step_sarsa,
    q_lambda,
    q_learning,
    sarsa,
)
from gridrl_agents.tabular.explain.moment import Moment, tell_step
from gridrl_agents.tabular.monte_carlo import MonteCarlo
from gridrl_agents.tabular.n_step_sarsa import NStepSarsa
from gridrl_agents.tabular.q_lambda import QLambda
from gridrl_agents.tabular.q_learning import QLearning
from gridrl_agents.tabular.sarsa import Sarsa

RULES: dict[type, Callable[[Moment, Explanation], None]] = {
    QLearning: q_learning.explain,
    Sarsa: sarsa.explain,
    ExpectedSarsa: expected_sarsa.explain,
    DoubleQLearning: double_q_learning.explain,
    NStepSarsa: n_step_sarsa.explain,
    QLambda: q_lambda.explain,
    DynaQ: dyna_q.explain,
    MonteCarlo: monte_carlo.explain,
}


def explain_table(
    agent: TabularAgent, transition: Transition, run: int, action_names: Sequence[str] | None
) -> Explanation | None:
    """Let `agent` observe `transition`; return what `run` learned, None where the rule still waits."""
    step = agent.table_step(transition)
    before = copy.deepcopy(agent)
    error = float(agent.observe(transition)["td_error"][run])
    if np.isnan(error):
        return None
    told = Explanation(action_names or [str(action) for action in range(agent.num_actions)])
    moment = Moment(
        before,
        agent,
        run,
        state=int(step.state[run]),
        action=int(step.action[run]),
        reward=float(step.reward[run]),
        next_state=int(step.next_state[run]),
        discount=float(step.discount[run]),
        terminated=bool(transition.terminated[run]),
        truncated=bool(step.ended[run]) and not transition.terminated[run],
        step=step,
    )
    rule = RULES.get(type(agent))
    if rule is None:
        tell_any_rule(moment, told, error)
    else:
        rule(moment, told)
    return told


def tell_any_rule(moment: Moment, told: Explanation, error: float) -> None:
    """Tell what can be seen of a rule that is not one of ours: the step, and which entries changed."""
    name = type(moment.after).__name__
    told.equation(f"{name}'s own", "a rule of yours")
    tell_step(told, moment)
    before, after = (agent.table[moment.run] for agent in (moment.before, moment.after))
    told.values(BELIEVED, "q", "Q(s, .)", before[moment.state], "before the update", marked=moment.action)
    told.values(BELIEVED, "q_next", "Q(s', .)", before[moment.next_state])
    told.line(BELIEVED, "estimate", "Q(s, a)", before[moment.state, moment.action])
    told.line(ERROR, "td_error", "|td_error|", error, "as the rule reports it")
    told.say(ERROR, f"How {name} comes to its target is its own, and not shown here.")
    states, actions = np.nonzero(before != after)
    told.table(
        STEP,
        "changes",
        {
            "s": states.tolist(),
            "a": actions.tolist(),
            "Q before": before[states, actions].tolist(),
            "Q now": after[states, actions].tolist(),
        },
        f"all entries that changed, {len(states)}",
        weight=np.abs(after - before)[states, actions].tolist(),
    )
    told.line(NOW, "new_q", "Q(s, a)", after[moment.state, moment.action])
    told.values(NOW, "q_after", "Q(s, .)", after[moment.state], marked=moment.action)
