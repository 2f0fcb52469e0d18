"""Expected SARSA, told (rule: `tabular/expected_sarsa.py`)."""

from gridrl_agents.explanation import BELIEVED, TARGET, Explanation, show, term
from gridrl_agents.tabular.explain.moment import Moment, tell_believed, tell_move, tell_step, tell_target


def explain(moment: Moment, told: Explanation) -> None:
    """Tell the update of the step: what comes is worth the mean over the policy's next actions."""
    told.equation(
        "Q(s, a) <- Q(s, a) + learning_rate * (r + discount * sum_b pi(b | s') Q(s', b) - Q(s, a))",
        "van Seijen et al. 2009; Sutton & Barto, 2nd ed., equation 6.9",
    )
    ledger = moment.ledger()
    row, next_row = ledger.row(moment.state), ledger.row(moment.next_state)
    tell_step(told, moment)
    tell_believed(told, row, next_row, moment.action, next_row.index(max(next_row)))
    value = tell_policy_value(told, moment, next_row)
    td_target = tell_target(told, moment.reward, moment.discount, value, "sum_b pi(b | s') Q(s', b)")
    tell_move(told, moment, ledger.move(moment.state, moment.action, td_target))


def tell_policy_value(told: Explanation, moment: Moment, row: list[float]) -> float:
    """Tell the mean of Q(s', .) = `row` over the epsilon-greedy policy's actions, and return it."""
    epsilon, best = moment.before.epsilon, max(row)
    greedy = [value == best for value in row]
    policy = [epsilon / len(row) + (1.0 - epsilon) * is_greedy / sum(greedy) for is_greedy in greedy]
    told.line(TARGET, "epsilon", "epsilon", epsilon, "the probability of a random action")
    told.values(BELIEVED, "policy", "pi(. | s')", policy, "epsilon-greedy: what the agent does in s'")
    value = moment.policy_value(row)
    working = " + ".join(f"{show(share)} x {term(each)}" for share, each in zip(policy, row, strict=True))
    told.line(TARGET, "next_value", "sum_b pi Q(s', b)", value, "the policy's mean value", working)
    return value
