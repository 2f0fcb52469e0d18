"""How a transition came to be drawn, and what its error makes of that, told (rules: `proportional`, `rank_based`)."""

import numpy as np

from gridrl_agents.deep.explain.look import Look
from gridrl_agents.deep.proportional import EPSILON
from gridrl_agents.explanation import HAPPENED, STEP, Explanation, show
from gridrl_agents.schedules import LinearSchedule


def tell_equation(look: Look, told: Explanation) -> None:
    """Tell the probability of a draw and its weight."""
    if look.settings.replay == "proportional":
        learned = "KL" if look.settings.distribution == "categorical" else "|reward_scale * td_error|"
        told.equation(
            f"P(i) = p(i)^alpha / sum_k p(k)^alpha, p = {learned} + epsilon", "Schaul et al. 2016, equation 1"
        )
    else:
        told.equation("P(i) = rank(i)^-alpha / sum_k rank(k)^-alpha", "Schaul et al. 2016, section 3.3")
    told.equation("weight(i) = (N P(i))^-beta / max_j (N P(j))^-beta", "Schaul et al. 2016, section 3.4")


def tell_draw(look: Look, told: Explanation) -> None:
    """Tell the probability with which the transition was drawn."""
    masses, mass = batch_masses(look)
    total = float(masses.sum())
    size = look.agent._replay.size
    symbol = "p(i)^alpha" if look.settings.replay == "proportional" else "rank^-alpha"
    told.line(HAPPENED, "alpha", "alpha", look.settings.priority_exponent, "the priorities' exponent")
    told.line(HAPPENED, "mass", symbol, mass[look.item], "when it was drawn")
    told.line(HAPPENED, "total_mass", "sum_k", total, "of all transitions kept")
    probability = mass[look.item] / total
    times = f"{show(probability * size)} times that of an even draw"
    told.line(HAPPENED, "probability", "P(i)", probability, times, f"{show(mass[look.item])} / {show(total)}")


def tell_weight(look: Look, told: Explanation) -> None:
    """Tell the weight that makes up for the uneven draw."""
    masses, mass = batch_masses(look)
    size = look.agent._replay.size
    beta = _schedule(look)(look.before.sampler["num_draws"] - 1)  # the draw has been counted
    unscaled = (size * mass / masses.sum()) ** -beta
    told.line(STEP, "beta", "beta", beta, "the weights' exponent, on its way to 1")
    working = f"({size} x {show(told['probability'])})^-{show(beta)}"
    told.line(STEP, "unscaled_weight", "(N P(i))^-beta", unscaled[look.item], "", working)
    told.line(STEP, "largest_weight", "max_j", unscaled.max(), "the largest of the batch")
    working = f"{show(unscaled[look.item])} / {show(unscaled.max())}"
    told.line(STEP, "weight", "weight", look.number(look.update.batch.weight), "of this transition's loss", working)


def tell_priority(look: Look, told: Explanation) -> None:
    """Tell how likely the transition is to be drawn again."""
    replay, place = look.agent._replay, int(look.update.batch.place[look.run, look.item])
    state = replay._sampler.state_dict(replay.size)
    priority = look.number(look.update.lesson.priority)
    name = "KL" if look.settings.distribution == "categorical" else "|reward_scale * td_error|"
    if look.settings.replay == "rank-based":
        told.line(STEP, "priority", "priority", priority, f"{name}: its rank decides when it is drawn again")
        return
    told.line(STEP, "priority", "p(i)", priority + EPSILON, f"new: {name}, + {EPSILON:g}")
    alpha = look.settings.priority_exponent
    mass = state["mass"][look.run, place]
    told.line(STEP, "new_mass", "p(i)^alpha", mass, "new", f"{show(priority + EPSILON)}^{show(alpha)}")
    if np.count_nonzero(look.update.batch.place[look.run] == place) > 1:
        told.say(STEP, "The batch holds this transition more than once; the priority of the last one counts.")


def _schedule(look: Look) -> LinearSchedule:
    settings = look.settings
    return LinearSchedule(settings.importance_sampling_exponent, 1.0, settings.importance_sampling_steps)


def batch_masses(look: Look) -> tuple[np.ndarray, np.ndarray]:
    """Return the masses of all that is kept, [N], and those of the batch, [B], with which it was drawn."""
    state, place = look.before.sampler, look.update.batch.place[look.run]
    masses = state["mass"][look.run]
    if look.settings.replay == "rank-based":  # masses are kept by slot
        slot_of = np.argsort(state["place_in"][look.run])
        return masses, masses[slot_of[place]]
    return masses, masses[place]
