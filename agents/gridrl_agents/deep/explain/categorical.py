"""The error of a distribution on atoms, told (rule: `deep/categorical.py`)."""

import numpy as np

from gridrl_agents.deep.categorical import Categorical
from gridrl_agents.deep.explain.look import Look
from gridrl_agents.explanation import ERROR, TARGET, Explanation, show, term


def tell_equation(look: Look, told: Explanation) -> None:
    """Tell the projection and the loss."""
    told.equation("m = the projection onto the atoms z of r + discount * z, with the probabilities p_target(s', b*)")
    told.equation("loss = - sum_i m_i log p_online_i(s, a); Q = sum_i z_i p_i", "Bellemare et al. 2017, algorithm 1")


def tell(look: Look, told: Explanation) -> None:
    """Tell both distributions, how one atom of what comes is shared out, the cross-entropy and the KL divergence."""
    learned = look.agent._learned
    assert isinstance(learned, Categorical)
    support = learned.support.double().numpy() / look.scale
    low, high, last = support[0], support[-1], len(support) - 1
    step = (high - low) / last
    coming = _softmax(look.vector(look.update.next_estimate))
    moved = look.reward + look.discount * support
    kept = np.clip(moved, low, high)
    place = (kept - low) / step
    lower = np.minimum(np.floor(place), last - 1).astype(int)
    to_upper = coming * (place - lower)
    target = np.bincount(lower, coming - to_upper, last + 1) + np.bincount(lower + 1, to_upper, last + 1)
    estimate = _softmax(look.vector(look.update.estimate))

    told.line(TARGET, "v_min", "z_1", low, "the lowest atom")
    told.line(TARGET, "v_max", f"z_{last + 1}", high, "the highest atom")
    told.line(TARGET, "atom_step", "dz", step, "from atom to atom", f"({show(high)} - {term(low)}) / {last}")
    j = int(coming.argmax())
    told.say(TARGET, f"One atom of what comes, the likeliest, is number {j + 1}:")
    told.line(TARGET, "atom", f"z_{j + 1}", support[j], f"with probability {show(coming[j])} in s', b*")
    working = f"{show(look.reward)} + {show(look.discount)} x {term(support[j])}"
    told.line(TARGET, "moved_atom", f"r + discount z_{j + 1}", moved[j], "where it moves to", working)
    working = f"({show(kept[j])} - {term(low)}) / {show(step)}"
    words = "in steps from z_1" + ("" if kept[j] == moved[j] else "; what lies beyond an end goes to the end")
    told.line(TARGET, "atom_place", "place", place[j], words, working)
    told.line(TARGET, "to_lower", f"to z_{lower[j] + 1}", coming[j] - to_upper[j], "by nearness")
    working = f"{show(coming[j])} x ({show(place[j])} - {lower[j]})"
    told.line(TARGET, "to_upper", f"to z_{lower[j] + 2}", to_upper[j], "and the rest", working)
    clipped = float(coming[(moved < low) | (moved > high)].sum())
    told.line(TARGET, "clipped_mass", "clipped", clipped, "probability that lay beyond the ends, and went to them")
    told.line(TARGET, "target_mean", "sum_i z_i m_i", (support * target).sum(), "the mean of the target distribution")

    working = f"{show(look.td_target)} - {term(look.estimate)}"
    told.line(ERROR, "td_error", "td_error", look.td_error, "of the means: shown, not learned from", working)
    loss = look.number(look.update.lesson.loss)
    positive = target[target > 0]
    entropy = float(-(positive * np.log(positive)).sum())
    told.line(ERROR, "loss", "loss", loss, "the cross-entropy of m and p_online(s, a)")
    told.line(ERROR, "entropy", "- sum m log m", entropy, "the entropy of m: what no estimate can take away")
    told.line(ERROR, "divergence", "KL", loss - entropy, "what there is to learn", f"{show(loss)} - {show(entropy)}")
    told.table(
        ERROR,
        "atoms",
        {
            "z": support.tolist(),
            "p_target(s', b*)": coming.tolist(),
            "m": target.tolist(),
            "p_online(s, a)": estimate.tolist(),
            "slope": look.vector(look.update.lesson.gradient).tolist(),
        },
        "the atoms; slope is d loss / d logit = p_online - m",
        weight=(coming + target + estimate).tolist(),
    )


def _softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()
