"""What happened, over one step or n (rule: `deep/n_step.py`)."""

import numpy as np

from gridrl_agents.base import Transition
from gridrl_agents.deep.explain.look import Look
from gridrl_agents.explanation import HAPPENED, Explanation, tell_happened

EQUATION = "r = r1 + gamma r2 + ... + gamma^(k-1) rk, discount = gamma^k; k = n, or less where the episode ended"
SOURCE = "Sutton 1988; Hessel et al. 2018"


def tell(look: Look, told: Explanation) -> None:
    """Tell the transition, and the rewards of its window."""
    agent, replay, run, batch = look.agent, look.agent._replay, look.run, look.update.batch
    places = window(look)
    fields = {name: field[places, run] for name, field in replay._fields.items()}
    ended = bool(fields["ended"][-1])
    terminated = ended and look.discount == 0 and agent.gamma > 0
    rewards = fields["reward"].astype(np.float64) / look.scale
    alone = len(places) == 1
    first = Transition(  # also where n steps count, it is the first one that is told in words
        obs=agent._encoder.decode(fields["obs"][0]),
        action=np.asarray(look.action),
        reward=np.asarray(rewards[0]),
        next_obs=agent._encoder.decode(fields["next_obs"][0]),
        terminated=np.asarray(terminated and alone),
        truncated=np.asarray(ended and not terminated and alone),
    )
    size = batch.weight.shape[1]
    told.line(HAPPENED, "item", "i", look.item, f"the transition told, of {size} in the batch, counted from 0")
    told.line(HAPPENED, "replay_size", "N", replay.size, "transitions kept, from which the batch was drawn")
    if look.settings.n_step == 1:
        tell_happened(told, first, look.discount)
        return
    factors = agent.gamma ** np.arange(len(places))
    told.table(
        HAPPENED,
        "window",
        {
            "i": list(range(1, len(places) + 1)),
            "a": fields["action"].tolist(),
            "r": rewards.tolist(),
            "gamma^(i-1)": factors.tolist(),
            "gamma^(i-1) r": (factors * rewards).tolist(),
        },
        f"the {len(places)} steps from s to s'",
    )
    whole = first._replace(
        reward=np.asarray(look.reward),
        terminated=np.asarray(terminated),
        truncated=np.asarray(ended and not terminated),
    )
    tell_happened(told, whole, look.discount, f"gamma^{len(places)}")
    told.transition = first


def window(look: Look) -> np.ndarray:
    """Return the places in the replay of the transition's steps, [k]."""
    replay, place = look.agent._replay, look.update.batch.place
    first = int(place[look.run, look.item])
    if look.settings.n_step == 1:
        return np.array([first])
    last, _, _ = replay._windows.gather(place, (replay._position - 1) % replay._capacity)
    count = (int(last[look.run, look.item]) - first) % replay._capacity + 1
    return (first + np.arange(count)) % replay._capacity
