"""The optimal policy, played by the rules."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from gridrl.truth.solution import Solution
    from gridrl_envs.dynamics import States

MAX_STEPS = 10_000  # of one episode, where a level's own limit is far away


class Plays(NamedTuple):
    """N episodes, M steps in all, in the order of time.

    An episode that is neither terminated nor truncated would go round for ever and earn nothing any more.
    """

    states: "States"  # [M], where each step began
    episode: np.ndarray  # [M], from 0 to N - 1
    action: np.ndarray  # [M]
    reward: np.ndarray  # [M], without noise
    terminated: np.ndarray  # bool [N]
    truncated: np.ndarray  # bool [N]

    def returns(self, gamma: float) -> np.ndarray:
        """Return the discounted return of each episode, [N]."""
        earned = gamma ** self.states.step.astype(float) * self.reward
        return np.bincount(self.episode, weights=earned, minlength=self.terminated.size)


def play(solution: "Solution", states: "States", generator: np.random.Generator | None = None) -> Plays:
    """Play the optimal policy from `states` [N], each to its end or the step limit (or `MAX_STEPS`, if that is less).

    `generator` draws the slips, and a level that has any needs it. Where nothing slips, a state that was met before
    ends the episode, too, if nothing has been earned since: the rest is the same for ever.
    """
    from gridrl_envs.dynamics import States

    index = solution.state_index
    if solution.level.slip == 0:
        generator = None
    elif generator is None:
        raise ValueError(f"level '{solution.level.name}' has slip {solution.level.slip:g}: give a generator")
    episode = np.arange(states.cell.size)
    terminated, truncated = np.zeros((2, episode.size), dtype=bool)
    met: set[bytes] = set()  # the states of all episodes that go on, since the last reward
    trace = []
    for _ in range(MAX_STEPS):
        numbers = index.encode(states)
        if generator is None and numbers.tobytes() in met:
            break
        action = solution.actions[numbers]
        slip_uniform = None if generator is None else generator.random(episode.size)
        following, reward, ends, cut = index.dynamics.step(states, action, slip_uniform)
        if reward.any():
            met.clear()
        else:
            met.add(numbers.tobytes())
        trace.append((*states, episode, action, reward))
        terminated[episode], truncated[episode] = ends, cut
        on = ~(ends | cut)
        states, episode = States(following.cell[on], following.step[on], following.items[on]), episode[on]
        if not episode.size:
            break
    else:
        truncated[episode] = True
    cell, step, items, who, chosen, earned = map(np.concatenate, zip(*trace, strict=True))
    return Plays(States(cell, step, items), who, chosen, earned, terminated, truncated)
