"""How a run that broke is taken out of networks and replay: its rows become finite, and no other row changes."""

from typing import Any

import numpy as np
from torch import Tensor

from gridrl_agents.base import Agent
from gridrl_agents.deep.home import saved

PRIORITIES = {"mass": 1.0, "priority": 1.0, "highest": 1.0, "sorted": -1.0}  # what samplers keep of them, [R, ...]


class Retiring(Agent):
    """What DQN and DRQN share of it. Wherever their numbers live, it goes by way of the state that is saved."""

    _last_batch: Any = None  # of the latest update: a named tuple of tensors and arrays [R, ...]

    def last_batch(self, run: int) -> dict[str, np.ndarray]:
        """Return what a run learned from in the latest update, by the names of the batch's fields."""
        fields = {} if self._last_batch is None else self._last_batch._asdict()
        rows = {name: field[run] for name, field in fields.items()}
        return {name: saved(row) if isinstance(row, Tensor) else row.copy() for name, row in rows.items()}

    def retire(self, run: int) -> None:
        """Set all that a run has learned and seen to zero, and its priorities to one."""
        state = self.state_dict()
        rows = [state["online"], state["target"], state["optimizer"]["mean"], state["optimizer"]["square"]]
        for array in [*rows, *([state["state"]] if "state" in state else [])]:
            array[run] = 0.0
        replay = state["replay"]
        for array in replay["kept"].values():
            array[:, run] = 0
        for name, value in PRIORITIES.items():
            if name in replay.get("sampler", {}):
                replay["sampler"][name][run] = value
        self.load_state_dict(state)
