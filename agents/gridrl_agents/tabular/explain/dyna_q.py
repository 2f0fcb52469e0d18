"""Dyna-Q, told (rule: `tabular/dyna_q.py`)."""

from gridrl_agents.explanation import NOW, STEP, Explanation
from gridrl_agents.tabular.explain.ledger import Move
from gridrl_agents.tabular.explain.moment import Moment, tell_change, tell_error, with_change
from gridrl_agents.tabular.explain.q_learning import tell_update


def explain(moment: Moment, told: Explanation) -> None:
    """Tell Q-learning's update of the real step, and then those of the remembered ones."""
    told.equation(
        "Q(s, a) <- Q(s, a) + learning_rate * (r + discount * max_b Q(s', b) - Q(s, a)), for the real step",
        "Sutton 1990; Sutton & Barto, 2nd ed., section 8.2",
    )
    told.equation("Model(s, a) <- r, s'; then the same update for remembered steps, with what the model says of them")
    ledger, run = moment.ledger(), moment.run
    move = tell_update(moment, told, ledger)
    tell_error(told, move)
    tell_change(told, moment, move)
    told.line(NOW, "new_q", "Q(s, a)", move.value, "after the real step: Q(s, a) + change", with_change(move))

    model = moment.before.by_state
    moment.before._remember(moment.step)
    moves: list[Move] = []
    remembered: list[tuple[float, float, int]] = []
    for _ in range(moment.before._planning_steps):
        state, action = (int(each[run]) for each in moment.before.draw())  # with the same random numbers
        names = "reward", "discount", "next_state"
        reward, discount, next_state = (model[name][run, state, action].item() for name in names)
        moves.append(ledger.move(state, action, reward + discount * max(ledger.row(next_state))))
        remembered.append((reward, discount, next_state))
    if moves:
        reward_column, discount_column, next_column = (list(column) for column in zip(*remembered, strict=True))
        told.table(
            STEP,
            "planning",
            {
                "s": [each.state for each in moves],
                "a": [each.action for each in moves],
                "r": reward_column,
                "discount": discount_column,
                "s'": next_column,
                "td_target": [each.td_target for each in moves],
                "td_error": [each.td_error for each in moves],
                "new Q(s, a)": [each.value for each in moves],
            },
            f"then {len(moves)} updates from the model, in their order",
        )
    after = moment.after.table[run, moment.state]
    told.line(NOW, "planned_q", "Q(s, a)", after[moment.action], "after planning, which may have come by here, too")
    told.values(NOW, "q_after", "Q(s, .)", after, marked=moment.action)
