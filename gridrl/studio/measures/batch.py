"""What a mind learned from last."""

from typing import TYPE_CHECKING

import numpy as np

from gridrl.studio.measures.places import player_cells
from gridrl.studio.shown import BatchRow

if TYPE_CHECKING:
    from gridrl.studio.minds.mind import Mind


def batch(mind: "Mind") -> tuple[BatchRow, ...]:
    """Return the transitions that run 0 learned from last: a network's batch, a table's latest step.

    With n steps a transition leads to the cell after the last of them, and its reward is the discounted sum. Empty
    before anything was learned, and where an observation does not tell on which cell the player stands.
    """
    agent, latest = mind.agent, mind.last_transition
    drawn = agent.last_batch(0)
    if "discount" in drawn:  # of a network
        count = drawn["action"].size  # of a memory's sequences, all of their steps
        obs, next_obs = (drawn[name].reshape(count, -1) for name in ("obs", "next_obs"))
        action, ended = drawn["action"].ravel(), drawn["discount"].ravel() == 0
        reward = drawn["reward"].ravel() / mind.settings["reward_scale"]
        weight = drawn.get("weight", np.ones(count))
    elif agent.prefers_state and latest is not None:
        obs, action, reward, next_obs, ended, _ = (field[:1] for field in latest)
        weight = np.ones(1)
    else:
        return ()
    cells, next_cells = player_cells(mind.problem, obs), player_cells(mind.problem, next_obs)
    if cells is None or next_cells is None:
        return ()
    alike = bool((weight == weight[0]).all())
    return tuple(
        BatchRow(int(cell), int(did), float(earned), int(to), bool(over), None if alike else float(share))
        for cell, did, earned, to, over, share in zip(cells, action, reward, next_cells, ended, weight, strict=True)
    )
