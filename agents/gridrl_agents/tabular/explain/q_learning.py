"""Q-learning, told (rule: `tabular/q_learning.py`)."""

from gridrl_agents.explanation import TARGET, Explanation
from gridrl_agents.tabular.explain.ledger import Ledger, Move
from gridrl_agents.tabular.explain.moment import Moment, tell_believed, tell_move, tell_step, tell_target


def explain(moment: Moment, told: Explanation) -> None:
    """Tell Q-learning's update of the step."""
    told.equation(
        "Q(s, a) <- Q(s, a) + learning_rate * (r + discount * max_b Q(s', b) - Q(s, a))",
        "Watkins 1989; Sutton & Barto, 2nd ed., equation 6.8",
    )
    tell_move(told, moment, tell_update(moment, told, moment.ledger()))


def tell_update(moment: Moment, told: Explanation, ledger: Ledger) -> Move:
    """Tell the step, what was believed and the target; return the move."""
    row, next_row = ledger.row(moment.state), ledger.row(moment.next_state)
    best = next_row.index(max(next_row))
    tell_step(told, moment)
    tell_believed(told, row, next_row, moment.action, best)
    told.line(TARGET, "next_action", "argmax_b", best, f"the best next action: {told.action(best)}")
    told.line(TARGET, "next_value", "max_b Q(s', b)", next_row[best])
    td_target = tell_target(told, moment.reward, moment.discount, next_row[best], "max_b Q(s', b)")
    return ledger.move(moment.state, moment.action, td_target)
