"""The greedy policy, watched in a world of its own while a mind goes on learning."""

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from gridrl.studio.minds.learning import LONGEST_TRAIL
from gridrl.studio.minds.worlds import move_env
from gridrl_agents.streams import EVALUATION, seed_sequence

if TYPE_CHECKING:
    from gridrl.studio.minds.mind import Mind
    from gridrl_envs.dynamics import State


class Viewer:
    """Plays one greedy episode of a mind's run 0 after another, with what it believes at each step.

    Attribute `earned`: the reward of the present episode so far. Where hands change the level, the episode goes on in
    it if it can.
    """

    def __init__(self, mind: "Mind") -> None:
        self._mind = mind
        self._seed = int(seed_sequence(mind.seeds[0], EVALUATION).generate_state(1)[0])
        self._problem = mind.problem
        self._env: Any = mind.problem.make_vector(1)
        self._env.reset(seed=self._seed)
        self._agent = mind.agent
        self._policy = mind.agent.policy(0.0)
        self._begin()

    def _begin(self) -> None:
        self.earned = 0.0
        self._trail = deque([self.state.cell], maxlen=LONGEST_TRAIL)

    @property
    def state(self) -> "State":
        """Where the episode is."""
        state: State = self._env.unwrapped.get_states().one(0)
        return state

    @property
    def trail(self) -> tuple[int, ...]:
        """The cells of the episode, oldest first."""
        return tuple(self._trail)

    def step(self) -> bool:
        """Play a step; True when it ended the episode, and the next one begins."""
        self.follow()
        world = self._env.unwrapped
        obs = world.observe(world.get_states())
        runs = self._agent.num_runs
        action = self._policy.act(np.broadcast_to(obs, (runs, *obs.shape)))[0]
        _, reward, terminated, truncated, _ = self._env.step(action)
        self.earned += float(reward[0])
        if terminated[0] or truncated[0]:
            self._policy.reset(np.ones((runs, 1), dtype=bool))
            self._env.reset()
            self._begin()
            return True
        self._trail.append(self.state.cell)
        return False

    def follow(self) -> None:
        """Look at the mind as it is now: its agent and its level may be others than before."""
        mind = self._mind
        if mind.agent is not self._agent:
            self._agent, self._policy = mind.agent, mind.agent.policy(0.0)
        if mind.problem is not self._problem:
            env: Any = mind.problem.make_vector(1)
            env.reset(seed=self._seed)
            begins_anew = move_env(self._env.unwrapped, env.unwrapped).size > 0
            self._problem, self._env = mind.problem, env
            if begins_anew:
                self._begin()
