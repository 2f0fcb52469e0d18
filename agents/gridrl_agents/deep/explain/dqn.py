"""An update of the DQN family, told (learner: `deep/learner.py`): what all have, and each choice by its own file."""

from collections.abc import Sequence

import numpy as np

from gridrl_agents.base import Transition
from gridrl_agents.deep.explain import (
    after,
    categorical,
    dueling,
    mean,
    n_step,
    noisy,
    optimizer,
    prioritized,
    quantile,
)
from gridrl_agents.deep.explain.look import Before, Look
from gridrl_agents.deep.learner import DQN
from gridrl_agents.deep.update import Update
from gridrl_agents.explain import check_item
from gridrl_agents.explanation import BELIEVED, NOW, STEP, TARGET, Explanation, show, term

LEARNED = {"mean": mean, "categorical": categorical, "quantile": quantile}


def explain(
    agent: DQN, transition: Transition, run: int, item: int | None, action_names: Sequence[str] | None
) -> Explanation | None:
    """Let `agent` observe `transition`; return what one transition of the batch taught `run`, None without a batch."""
    settings = agent._settings
    check_item(item, settings.batch_size, "transitions in a batch")
    if not agent.remember(transition):
        return None
    batch = agent._replay.sample()
    before = Before.of(agent, batch)
    update = agent.learn(batch)
    item = int(np.abs(td_errors(agent, run, update)).argmax()) if item is None else item
    look = Look(agent, run, item, before, update)
    learned = LEARNED[settings.distribution]

    told = Explanation(action_names or [str(action) for action in range(agent._shape[0])])
    tell_equations(look, told)
    learned.tell_equation(look, told)
    optimizer.tell_equation(told, agent._optimizer, "sum_i weight_i / B * loss_i")
    n_step.tell(look, told)
    if settings.replay != "uniform":
        prioritized.tell_draw(look, told)
    tell_believed(look, told)
    if settings.dueling:
        dueling.tell(look, told)
    tell_choice(look, told)
    learned.tell(look, told)
    tell_share(look, told)
    optimizer.tell(told, agent, before.parameters, before.optimizer, update.gradient_norm, run)
    if settings.replay != "uniform":
        prioritized.tell_priority(look, told)
    words = "both without noise" if settings.noisy else ""
    told.values(NOW, "q_after", "Q_online(s, .)", look.new_q_values, words, marked=look.action)
    old, new = (float(values[look.action]) for values in (look.q_values(before.output), look.new_q_values))
    after.tell(told, agent, "Q_online(s, a)", old, new, words, f"all {settings.batch_size} transitions")
    return told


def td_errors(agent: DQN, run: int, update: Update) -> np.ndarray:
    """Return the scaled TD errors of the mean, [B]."""
    batch, q_values = update.batch, agent._learned.q_values
    td_target = batch.reward + batch.discount * q_values(update.next_estimate)
    return (td_target - q_values(update.estimate))[run].numpy()


def tell_equations(look: Look, told: Explanation) -> None:
    """Tell the equations of the choices that were made."""
    settings = look.settings
    if settings.double:
        told.equation("b* = argmax_b Q_online(s', b)", "van Hasselt, Guez & Silver 2016, equation 4")
    else:
        told.equation("b* = argmax_b Q_target(s', b)", "Mnih et al. 2015")
    if settings.n_step > 1:
        told.equation(n_step.EQUATION, n_step.SOURCE)
    told.equation("td_target = r + discount * Q_target(s', b*)")
    if settings.dueling:
        told.equation(dueling.EQUATION, dueling.SOURCE)
    if settings.noisy:
        told.equation(noisy.EQUATION, noisy.SOURCE)
    if settings.replay != "uniform":
        prioritized.tell_equation(look, told)


def tell_believed(look: Look, told: Explanation) -> None:
    """Tell the values of s and s' that the update went by; with noise where there is noise."""
    update, before = look.update, look.before
    told.values(BELIEVED, "q", "Q_online(s, .)", look.q_values(update.activations[-1]), marked=look.action)
    told.values(BELIEVED, "q_next_online", "Q_online(s', .)", look.q_values(before.next_output))
    next_q = look.q_values(update.next_output)
    told.values(BELIEVED, "q_next_target", "Q_target(s', .)", next_q, marked=look.next_action)
    if look.settings.noisy:
        noisy.tell(look, told)
    told.line(BELIEVED, "estimate", "Q_online(s, a)", look.estimate, "what is to be corrected")


def tell_choice(look: Look, told: Explanation) -> None:
    """Tell which next action is valued, who chose it and who values it."""
    chooser = "online" if look.settings.double else "target"
    words = f"the {chooser} network's best: {told.action(look.next_action)}"
    told.line(TARGET, "next_action", "b*", look.next_action, words)
    told.line(TARGET, "next_value", "Q_target(s', b*)", look.next_value, "what the target network says of it")
    working = f"{show(look.reward)} + {show(look.discount)} x {term(look.next_value)}"
    told.line(TARGET, "td_target", "td_target", look.td_target, "r + discount * Q_target(s', b*)", working)


def tell_share(look: Look, told: Explanation) -> None:
    """Tell how much this transition counts in the batch."""
    update, size = look.update, look.settings.batch_size
    weight, share = look.number(update.batch.weight), look.number(update.share)
    if look.settings.replay == "uniform":
        told.line(STEP, "weight", "weight", weight, "all transitions count alike")
    else:
        prioritized.tell_weight(look, told)
    told.line(STEP, "batch_size", "B", size, "transitions in the batch")
    working = f"{show(weight)} / {size}"
    told.line(STEP, "share", "weight / B", share, "of this transition's loss in the batch's", working)
