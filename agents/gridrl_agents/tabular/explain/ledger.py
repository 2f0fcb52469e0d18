"""A table that is changed by hand: the equation of a move, one number after the other."""

from typing import Any, NamedTuple

import numpy as np


class Move(NamedTuple):
    """One entry's way towards its target: value = estimate + learning_rate * td_error * trace."""

    state: int  # row
    action: int
    row: list[float]  # Q(s, .) just before
    td_target: float
    td_error: float
    num_updates: int | None  # of this entry, this one included; None where the learning rate does not ask
    learning_rate: float
    value: float

    @property
    def estimate(self) -> float:
        """Q(s, a) just before."""
        return self.row[self.action]


class Ledger:
    """A copy of one run's table, for `agent` as it was before the update."""

    def __init__(self, agent: Any, run: int) -> None:
        self.table: np.ndarray = agent.table[run].copy()  # [S, A]
        self.initial_rate: float = agent._learning_rate
        self.power: float = agent._learning_rate_power
        self.num_updates: np.ndarray | None = agent.by_state["updates"][run].copy() if self.power else None

    def count(self, *entry: int) -> tuple[float, int | None]:
        """Count an update of an entry; return its learning rate, and how many there were."""
        if self.num_updates is None:
            return self.initial_rate, None
        self.num_updates[entry] += 1
        count = int(self.num_updates[entry])
        return self.initial_rate / count**self.power, count

    def move(self, state: int, action: int, td_target: float) -> Move:
        """Move an entry towards its target, in the table and on paper."""
        row = self.row(state)
        td_error = td_target - row[action]
        learning_rate, count = self.count(state, action)
        value = row[action] + learning_rate * td_error
        self.table[state, action] = value
        return Move(state, action, row, td_target, td_error, count, learning_rate, value)

    def row(self, state: int) -> list[float]:
        """Return Q(s, .) as it is now."""
        return [float(value) for value in self.table[state]]


def main_move(moves: list[Move]) -> Move:
    """Return the move with the largest |td_error| among the last ones of their entries: the table still shows it."""
    last = {(move.state, move.action): move for move in moves}
    return max(last.values(), key=lambda move: abs(move.td_error))
