"""What all tables' explanations share: the step as it was met, and the lines that every rule has."""

from typing import Any, NamedTuple

import numpy as np

from gridrl_agents.base import Transition
from gridrl_agents.explanation import (
    BELIEVED,
    ERROR,
    HAPPENED,
    NOW,
    STEP,
    TARGET,
    Explanation,
    show,
    tell_happened,
    term,
)
from gridrl_agents.tabular.base import TableStep
from gridrl_agents.tabular.explain.ledger import Ledger, Move


class Moment(NamedTuple):
    """One step of one run, and the agent before and after it learned from it. `before` may be changed at will."""

    before: Any
    after: Any
    run: int
    state: int  # row
    action: int
    reward: float
    next_state: int  # row
    discount: float
    terminated: bool
    truncated: bool
    step: TableStep  # of all runs

    @property
    def ended(self) -> bool:
        """Whether the next step belongs to another episode."""
        return self.terminated or self.truncated

    def ledger(self) -> Ledger:
        """Return the table before the step, to be changed by hand."""
        return Ledger(self.before, self.run)

    def policy_value(self, row: list[float]) -> float:
        """Return sum_b pi(b | s) Q(s, b) for Q(s, .), pi being epsilon-greedy."""
        epsilon = self.before.epsilon
        return (1.0 - epsilon) * max(row) + epsilon * sum(row) / len(row)


def tell_step(told: Explanation, moment: Moment) -> None:
    """Tell of the step that has just happened, as the one that is learned from."""
    tell_transition(told, moment, moment.state, moment.action, moment.reward, moment.next_state, last=True)


def tell_transition(
    told: Explanation, moment: Moment, state: int, action: int, reward: float, next_state: int, *, last: bool
) -> None:
    """Tell of a step of the episode that is learned from; `last`: it is the one that has just happened."""
    index = moment.after._index
    told.line(HAPPENED, "state", "s", state, "its row in the table")
    told.line(HAPPENED, "next_state", "s'", next_state, "the next state's row")
    transition = Transition(
        obs=index.observation(moment.run, state),
        action=np.asarray(action),
        reward=np.asarray(reward),
        next_obs=index.observation(moment.run, next_state),
        terminated=np.asarray(last and moment.terminated),
        truncated=np.asarray(last and moment.truncated),
    )
    tell_happened(told, transition, 0.0 if transition.terminated else moment.before.gamma)


def tell_target(told: Explanation, reward: float, discount: float, value: float, symbol: str) -> float:
    """Tell r + discount * value, where `symbol` is the value's; return the target."""
    td_target = reward + discount * value
    working = f"{show(reward)} + {show(discount)} x {term(value)}"
    told.line(TARGET, "td_target", "td_target", td_target, f"r + discount * {symbol}", working)
    return td_target


def tell_move(told: Explanation, moment: Moment, move: Move) -> None:
    """Tell error and step of a move that the table still shows, and what it shows."""
    tell_error(told, move)
    tell_change(told, moment, move)
    row = moment.after.table[moment.run, move.state]
    told.line(NOW, "new_q", "Q(s, a)", row[move.action], "Q(s, a) + change", with_change(move))
    told.values(NOW, "q_after", "Q(s, .)", row, marked=move.action)
    if move.learning_rate < 1:
        told.say(NOW, f"A table moves by the learning rate: {show(move.learning_rate)} of the way to its target.")


def tell_error(told: Explanation, move: Move, table: str = "Q") -> None:
    """Tell how far the estimate is from its target."""
    working = f"{show(move.td_target)} - {term(move.estimate)}"
    told.line(ERROR, "td_error", "td_error", move.td_error, f"td_target - {table}(s, a)", working)


def tell_change(told: Explanation, moment: Moment, move: Move, table: str = "Q") -> None:
    """Tell the learning rate of a move, what it comes from where it falls, and the change."""
    if move.num_updates is None:
        told.line(STEP, "learning_rate", "learning_rate", move.learning_rate, "the setting")
    else:
        ledger = moment.ledger()
        told.line(STEP, "num_updates", "n", move.num_updates, f"updates of {table}(s, a), this one included")
        working = f"{show(ledger.initial_rate)} / {move.num_updates}^{show(ledger.power)}"
        told.line(STEP, "learning_rate", "learning_rate", move.learning_rate, "c / n^w", working)
    working = f"{show(move.learning_rate)} x {term(move.td_error)}"
    told.line(STEP, "change", "change", move.learning_rate * move.td_error, "learning_rate * td_error", working)


def with_change(move: Move) -> str:
    """Return the sum that makes the new value."""
    change = move.learning_rate * move.td_error
    return f"{show(move.estimate)} {'-' if change < 0 else '+'} {show(abs(change))}"


def tell_believed(told: Explanation, row: list[float], next_row: list[float], action: int, next_action: int) -> None:
    """Tell Q(s, .) and Q(s', .) before the update."""
    told.values(BELIEVED, "q", "Q(s, .)", row, marked=action)
    told.values(BELIEVED, "q_next", "Q(s', .)", next_row, marked=next_action)
    told.line(BELIEVED, "estimate", "Q(s, a)", row[action], "what is to be corrected")


def tell_moves(told: Explanation, moves: list[Move], main: Move, why: str) -> None:
    """Where several steps were learned from at once, tell all of them; `why` says what brought that about."""
    if len(moves) == 1:
        return
    told.table(
        STEP,
        "moves",
        {
            "s": [move.state for move in moves],
            "a": [move.action for move in moves],
            "td_target": [move.td_target for move in moves],
            "Q(s, a)": [move.estimate for move in moves],
            "td_error": [move.td_error for move in moves],
            "learning_rate": [move.learning_rate for move in moves],
            "new Q(s, a)": [move.value for move in moves],
        },
        f"{why}: all {len(moves)} moves, in their order; the one told in full is s {main.state}, a {main.action}.",
    )
