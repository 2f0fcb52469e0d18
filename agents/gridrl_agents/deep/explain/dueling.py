"""How two streams make a value, told (rule: `deep/dueling.py`)."""

from typing import Any

import numpy as np
from torch import Tensor

from gridrl_agents.deep.explain.look import Look
from gridrl_agents.deep.network import by_action
from gridrl_agents.deep.part import Chain
from gridrl_agents.explanation import BELIEVED, Explanation, show, term

EQUATION = "Q(s, a) = V(s) + A(s, a) - mean_b A(s, b)"
SOURCE = "Wang et al. 2016, equation 9"


def tell(look: Look, told: Explanation) -> None:
    """Tell V, A and the mean of A; atom by atom where a distribution is learned from logits."""
    value, advantage = streams(look)
    average = advantage.mean(axis=0)
    if look.settings.distribution == "categorical":
        told.table(
            BELIEVED,
            "streams",
            {
                "atom": list(range(len(value))),
                "V(s)": value.tolist(),
                "A(s, a)": advantage[look.action].tolist(),
                "mean_b A(s, b)": average.tolist(),
                "logit": (value + advantage[look.action] - average).tolist(),
            },
            "the streams' logits of the action taken, atom by atom",
        )
        return
    # Quantiles are added up one by one, and so are their means.
    value_mean, advantages = value.mean() / look.scale, advantage.mean(axis=1) / look.scale
    average_mean = advantages.mean()
    told.values(BELIEVED, "advantages", "A(s, .)", advantages, "the advantage stream", marked=look.action)
    told.line(BELIEVED, "value", "V(s)", value_mean, "the value stream")
    told.line(BELIEVED, "mean_advantage", "mean_b A(s, b)", average_mean, "of this state's actions")
    working = f"{show(value_mean)} + {term(advantages[look.action])} - {term(average_mean)}"
    total = value_mean + advantages[look.action] - average_mean
    told.line(BELIEVED, "dueling_q", "V + A - mean A", total, "Q_online(s, a)", working)


def streams(look: Look) -> tuple[np.ndarray, np.ndarray]:
    """Return what the streams gave for this transition, as the update saw it: V [K] and A [A, K]."""
    online: Any = look.agent._online
    part, activations = online._part, look.update.activations
    value, advantage, _ = activations[-2] if isinstance(part, Chain) else activations
    num_actions, num_atoms = look.agent._shape

    def own(output: Tensor, actions: int) -> np.ndarray:
        return by_action(output, actions, num_atoms)[look.run, look.item].double().numpy()

    return own(value[-1], 1)[0], own(advantage[-1], num_actions)
