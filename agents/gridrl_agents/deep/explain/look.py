"""One transition of one update of the DQN family, and what was believed before it."""

import copy
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from gridrl_agents.deep.learner import DQN
from gridrl_agents.deep.replay import Batch
from gridrl_agents.deep.update import Update


class Before(NamedTuple):
    """What an update will change, and what is believed of its batch before it; outputs are [R, B, W]."""

    parameters: Tensor  # [R, P], the online network's
    optimizer: dict[str, Any]
    sampler: dict[str, Any]  # after the draw
    output: Tensor  # the online network's at obs, without noise
    next_output: Tensor  # the online network's at next_obs; with the noise of the update where it chooses there
    still_next_output: Tensor  # the target network's at next_obs, without noise

    @staticmethod
    def of(agent: DQN, batch: Batch) -> "Before":
        """Look at all of it, and change nothing."""
        obs, next_obs = (agent._encoder.inputs(rows) for rows in (batch.obs, batch.next_obs))
        # A copy draws the noise that the network itself will draw for its choice.
        chooser = copy.deepcopy(agent._online)
        return Before(
            parameters=agent._online.parameters.clone(),
            optimizer=agent._optimizer.state_dict(),
            sampler=agent._replay._sampler.state_dict(agent._replay.size),
            output=agent._online(obs),
            next_output=chooser.activations(next_obs)[-1] if agent._settings.double else agent._online(next_obs),
            still_next_output=agent._target(next_obs),
        )


class Look:
    """Numbers of transition `item` of `run`, in units of true reward where they are rewards or values."""

    def __init__(self, agent: DQN, run: int, item: int, before: Before, update: Update) -> None:
        self.agent, self.run, self.item, self.before, self.update = agent, run, item, before, update
        self.settings = agent._settings
        self.scale = agent._settings.reward_scale
        batch = update.batch
        self.action = int(batch.action[run, item])
        self.next_action = int(update.next_action[run, item])
        self.reward = self.number(batch.reward) / self.scale  # of all steps of the window
        self.discount = self.number(batch.discount)
        self.estimate = self.number(agent._learned.q_values(update.estimate)) / self.scale
        self.next_value = self.number(agent._learned.q_values(update.next_estimate)) / self.scale
        self.td_target = self.reward + self.discount * self.next_value
        self.td_error = self.td_target - self.estimate
        self.after = agent._online(self.inputs(batch.obs))  # without noise

    def inputs(self, rows: Tensor) -> Tensor:
        """Return the network's inputs for this transition alone, of every run, [R, 1, F]."""
        return self.agent._encoder.inputs(rows[:, self.item : self.item + 1])

    def number(self, values: Tensor) -> float:
        """Return this transition's of [R, B]."""
        return float(values[self.run, self.item])

    def vector(self, values: Tensor) -> np.ndarray:
        """Return this transition's of [R, B, K], float64 [K]."""
        return values[self.run, self.item].double().numpy()

    def q_values(self, output: Tensor) -> np.ndarray:
        """Return the action values [A] of a network's output for the whole batch, [R, B, W]."""
        return self.vector(self.agent._values(output)) / self.scale

    @property
    def new_q_values(self) -> np.ndarray:
        """Q(s, .) after the update, [A], without noise."""
        return self.agent._values(self.after)[self.run, 0].double().numpy() / self.scale
