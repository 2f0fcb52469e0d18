"""Double Q-learning, told (rule: `tabular/double_q_learning.py`)."""

from gridrl_agents.explanation import BELIEVED, HAPPENED, NOW, TARGET, Explanation, show
from gridrl_agents.tabular.explain.ledger import Move
from gridrl_agents.tabular.explain.moment import Moment, tell_change, tell_error, tell_step, tell_target, with_change


def explain(moment: Moment, told: Explanation) -> None:
    """Tell which of the two tables learns, which action it chooses, and what the other one says of it."""
    told.equation(
        "Q1(s, a) <- Q1(s, a) + learning_rate * (r + discount * Q2(s', argmax_b Q1(s', b)) - Q1(s, a)), "
        "or with 1 and 2 exchanged: a coin decides",
        "van Hasselt 2010; Sutton & Barto, 2nd ed., equation 6.10",
    )
    drawn, best = (int(each[moment.run]) for each in moment.before.draw(moment.step))  # with the same random numbers
    one, other = f"Q{1 + drawn}", f"Q{2 - drawn}"
    both = moment.before.by_state["both"][moment.run]  # [S, A, 2]
    tell_step(told, moment)
    told.line(HAPPENED, "table", "the coin", one, "the table that learns this time")

    here, there = both[moment.state], both[moment.next_state]
    for table in (0, 1):
        told.values(BELIEVED, f"q{1 + table}", f"Q{1 + table}(s, .)", here[:, table], marked=moment.action)
    for table in (0, 1):
        told.values(BELIEVED, f"q{1 + table}_next", f"Q{1 + table}(s', .)", there[:, table], marked=best)
    told.line(BELIEVED, "estimate", f"{one}(s, a)", here[moment.action, drawn], "what is to be corrected")

    told.line(TARGET, "next_action", f"argmax_b {one}", best, f"the best next action to {one}: {told.action(best)}")
    told.line(
        TARGET, "own_value", f"{one}(s', b)", there[best, drawn], "what the table that chose says of it: not used"
    )
    next_value = float(there[best, 1 - drawn])
    told.line(TARGET, "next_value", f"{other}(s', b)", next_value, "what the other one says of it")
    td_target = tell_target(told, moment.reward, moment.discount, next_value, f"{other}(s', b)")

    row = [float(value) for value in here[:, drawn]]
    learning_rate, count = moment.ledger().count(moment.state, moment.action, drawn)
    td_error = td_target - row[moment.action]
    value = row[moment.action] + learning_rate * td_error
    move = Move(moment.state, moment.action, row, td_target, td_error, count, learning_rate, value)
    tell_error(told, move, one)
    tell_change(told, moment, move, one)
    after = moment.after.by_state["both"][moment.run, moment.state, moment.action]
    told.line(NOW, "new_q", f"{one}(s, a)", after[drawn], f"{one}(s, a) + change", with_change(move))
    told.line(NOW, "other_q", f"{other}(s, a)", after[1 - drawn], "as it was")
    mean = moment.after.table[moment.run, moment.state]
    working = f"({show(after[0])} + {show(after[1])}) / 2"
    told.line(NOW, "mean_q", "Q(s, a)", mean[moment.action], "the mean of both, on which the agent acts", working)
    told.values(NOW, "q_after", "Q(s, .)", mean, marked=moment.action)
