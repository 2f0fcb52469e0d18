"""What a trained run believes, laid under the feet of whoever plays."""

from typing import TYPE_CHECKING, Any

import numpy as np

from gridrl.errors import UserError
from gridrl.studio.shown import CellMap, Scale

if TYPE_CHECKING:
    from gridrl.run import Run
    from gridrl_envs.dynamics import State


class Beliefs:
    """One of a run's agents, as it is or as it was at a snapshot, asked about the situation as it is now.

    `name` is the agent's, `values` what it believed then (`Agent.values_dict`), None where only one moment of the run
    is looked at. The scale covers all that was seen so far, so that a colour keeps its meaning within an episode.
    """

    def __init__(self, run: "Run", index: int, values: dict[str, Any] | None = None) -> None:
        self.run, self.index = run, index
        self.name = run.config.agent
        self._values = values
        self.low, self.high = np.inf, -np.inf

    def believe(self) -> None:
        """Let the run's agent believe what is to be shown: several moments of a run share one agent."""
        if self._values is not None:
            self.run.agent.load_values(self._values)

    def map(self, state: "State") -> tuple[CellMap | None, str]:
        """Return max_a Q with the player on each cell and all else as in `state`, and the greedy actions.

        None and one sentence where an observation does not tell the state.
        """
        from gridrl.maps.beliefs import greedy_of, q_grid
        from gridrl.maps.situations import Situation

        self.believe()
        situation = Situation(state.items, state.step, state.cell)
        try:
            q_values = q_grid(self.run.agent, self.run.problem.gridworld, situation)[self.index]
        except UserError as error:
            return None, str(error)
        values = q_values.max(axis=1)
        known = values[np.isfinite(values)]
        if known.size:
            self.low, self.high = min(self.low, float(known.min())), max(self.high, float(known.max()))
        if self.low > self.high:
            return None, ""  # the episode was over wherever the player could stand
        title = f"V: what {self.name} expects from here on"
        return CellMap(title, values, greedy_of(q_values), Scale(self.low, self.high)), ""
