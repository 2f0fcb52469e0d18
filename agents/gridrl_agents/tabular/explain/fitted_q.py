"""Fitted Q-iteration, told (rule: `tabular/fitted_q.py`)."""

from collections.abc import Sequence

import numpy as np

from gridrl_agents.base import Transition
from gridrl_agents.explain import check_item
from gridrl_agents.explanation import (
    BELIEVED,
    ERROR,
    HAPPENED,
    NOW,
    STEP,
    TARGET,
    Explanation,
    show,
    tell_happened,
    term,
)
from gridrl_agents.tabular.fitted_q import TableRegressor
from gridrl_agents.tabular.fitted_q_agent import FittedQ


def explain(
    agent: FittedQ, transition: Transition, run: int, item: int | None, action_names: Sequence[str] | None
) -> Explanation | None:
    """Let `agent` observe `transition`; where it refits, return what one of the kept transitions was in it.

    The first backup of the refit is told in full, of the others what they made of Q(s, a).
    """
    settings = agent._settings
    if (agent._num_steps + 1) % settings.refit_period == 0:
        check_item(item, min(agent.size + 1, settings.replay_capacity), "transitions kept")
    if not agent.remember(transition):
        return None
    kept = agent.transitions
    obs, action = kept.obs, kept.action[run]
    before, before_next = (agent._regressor.predict(each)[run] for each in (obs, kept.next_obs))  # [size, A]
    td_target = np.empty(0)
    shown = slice(0, 0)
    history = []
    for number, targets in enumerate(agent.backups()):
        if number == 0:
            td_target = targets[run]
            estimate = np.take_along_axis(before, action[:, None], axis=1)[:, 0]
            item = int(np.abs(td_target - estimate).argmax()) if item is None else item
            shown = slice(item, item + 1)
        history.append(agent._regressor.predict(obs[:, shown])[run, 0])
    assert item is not None
    told = Explanation(action_names or [str(each) for each in range(before.shape[1])])
    told.equation("td_target = r + discount * max_b Q(s', b), for each transition that is kept", "Ernst et al. 2005")
    told.equation("Q <- the fit of all td_target; and again, with the new Q")
    _tell_transition(told, agent, kept, run, item)
    row, next_row = before[item], before_next[item]
    best = int(next_row.argmax())
    told.values(BELIEVED, "q", "Q(s, .)", row, marked=int(action[item]))
    told.values(BELIEVED, "q_next", "Q(s', .)", next_row, marked=best)
    told.line(BELIEVED, "estimate", "Q(s, a)", row[action[item]], "before the refit")
    told.line(TARGET, "next_action", "argmax_b", best, f"the best next action: {told.action(best)}")
    told.line(TARGET, "next_value", "max_b Q(s', b)", next_row[best])
    reward, discount = told["reward"], told["discount"]
    working = f"{show(reward)} + {show(discount)} x {term(next_row[best])}"
    told.line(TARGET, "td_target", "td_target", td_target[item], "of the first backup", working)
    error = float(td_target[item] - row[action[item]])
    working = f"{show(td_target[item])} - {term(row[action[item]])}"
    told.line(ERROR, "td_error", "td_error", error, "td_target - Q(s, a)", working)
    _tell_fit(told, agent, kept, run, item, td_target)
    _tell_history(told, agent, history, int(action[item]))
    return told


def _tell_transition(told: Explanation, agent: FittedQ, kept: Transition, run: int, item: int) -> None:
    """Tell the transition that was chosen. Whether a step was cut by a limit is not kept."""
    observation = agent._features.observation
    obs, next_obs = (observation(run, each[run, item]) for each in (kept.obs, kept.next_obs))
    action, reward, terminated, truncated = (
        np.asarray(field[run, item]) for field in (kept.action, kept.reward, kept.terminated, kept.truncated)
    )
    one = Transition(obs, action, reward, next_obs, terminated, truncated)
    told.line(HAPPENED, "item", "i", item, f"the transition told, of {agent.size} that are kept, counted from 0")
    tell_happened(told, one, 0.0 if terminated else agent.gamma)


def _tell_fit(told: Explanation, agent: FittedQ, kept: Transition, run: int, item: int, td_target: np.ndarray) -> None:
    """Tell how the targets of the first backup become the values that the next one asks."""
    settings = agent._settings
    if not isinstance(agent._regressor, TableRegressor):
        told.line(STEP, "fit_updates", "updates", settings.fit_updates, "of the network, in each backup")
        told.line(STEP, "batch_size", "batch", settings.batch_size, f"drawn for each from the {agent.size} transitions")
        told.line(STEP, "learning_rate", "learning_rate", settings.learning_rate, "Adam's")
        told.say(STEP, "The network is led towards the targets of all transitions; it meets none of them exactly.")
        return
    same = (kept.obs[run] == kept.obs[run, item]) & (kept.action[run] == kept.action[run, item])
    places = np.flatnonzero(same)
    told.table(
        STEP,
        "examples",
        {
            "i": places.tolist(),
            "r": kept.reward[run, places].tolist(),
            "td_target": td_target[places].tolist(),
        },
        f"the examples of s and a among the transitions kept, {len(places)}",
    )
    told.line(STEP, "fitted", "fit", td_target[places].mean(), "the mean of their targets")


def _tell_history(told: Explanation, agent: FittedQ, history: list[np.ndarray], action: int) -> None:
    """Tell what each backup of the refit made of Q(s, a)."""
    told.line(NOW, "first_q", "Q(s, a)", history[0][action], "after the first backup")
    told.table(
        NOW,
        "history",
        {"backup": list(range(1, len(history) + 1)), "Q(s, a)": [float(row[action]) for row in history]},
        "each backup asks the values that the one before has fitted",
    )
    told.line(NOW, "new_q", "Q(s, a) now", history[-1][action], f"after all {len(history)} backups")
    told.values(NOW, "q_after", "Q(s, .)", history[-1], marked=action)
