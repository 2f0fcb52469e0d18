"""SARSA, told (rule: `tabular/sarsa.py`)."""

from gridrl_agents.explanation import TARGET, Explanation
from gridrl_agents.tabular.explain.expected_sarsa import tell_policy_value
from gridrl_agents.tabular.explain.ledger import main_move
from gridrl_agents.tabular.explain.moment import (
    Moment,
    tell_believed,
    tell_move,
    tell_moves,
    tell_step,
    tell_target,
    tell_transition,
)


def explain(moment: Moment, told: Explanation) -> None:
    """Tell the update of the step before, whose next action is now known, or of an episode's last one."""
    told.equation(
        "Q(s, a) <- Q(s, a) + learning_rate * (r + gamma * Q(s', a') - Q(s, a))",
        "Rummery & Niranjan 1994; Sutton & Barto, 2nd ed., equation 6.7",
    )
    ledger, gamma = moment.ledger(), moment.before.gamma
    waiting = {name: array[moment.run].item() for name, array in moment.before.by_run.items()}
    moves = []
    if waiting["waits"]:
        next_row = ledger.row(moment.state)
        td_target = waiting["reward"] + gamma * next_row[moment.action]
        moves.append(ledger.move(waiting["state"], waiting["action"], td_target))
    if moment.ended:
        end_row = ledger.row(moment.next_state)
        td_target = moment.reward + moment.discount * moment.policy_value(end_row)
        moves.append(ledger.move(moment.state, moment.action, td_target))

    main = main_move(moves)
    if waiting["waits"] and main is moves[0]:
        state, reward = waiting["state"], waiting["reward"]
        tell_transition(told, moment, state, main.action, reward, moment.state, last=False)
        tell_believed(told, main.row, next_row, main.action, moment.action)
        told.line(TARGET, "next_action", "a'", moment.action, f"the action taken in s': {told.action(moment.action)}")
        told.line(TARGET, "next_value", "Q(s', a')", next_row[moment.action])
        tell_target(told, reward, gamma, next_row[moment.action], "Q(s', a')")
    else:
        tell_step(told, moment)
        tell_believed(told, main.row, end_row, main.action, end_row.index(max(end_row)))
        tell_rest(told, moment, end_row)
        tell_target(told, moment.reward, moment.discount, moment.policy_value(end_row), "what comes")
    tell_move(told, moment, main)
    tell_moves(told, moves, main, "The episode ended, so that its last step was learned from at once")


def tell_rest(told: Explanation, moment: Moment, row: list[float]) -> None:
    """Tell what stands for the rest of an episode that has ended: nothing, or where it was cut the policy's value."""
    if moment.terminated:
        told.say(TARGET, "The episode terminated: there is no next action, and nothing comes.")
        return
    told.say(TARGET, "The episode was cut: nobody acts in s', and the policy's mean value stands in.")
    tell_policy_value(told, moment, row)
