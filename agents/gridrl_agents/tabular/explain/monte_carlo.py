"""Monte Carlo control, told (rule: `tabular/monte_carlo.py`)."""

from gridrl_agents.explanation import HAPPENED, TARGET, Explanation, show, term
from gridrl_agents.tabular.explain.ledger import Move, main_move
from gridrl_agents.tabular.explain.moment import Moment, tell_believed, tell_move, tell_transition
from gridrl_agents.tabular.explain.sarsa import tell_rest


def explain(moment: Moment, told: Explanation) -> None:
    """Tell what an episode that has ended teaches its steps, last first."""
    told.equation("G(t) = r(t) + gamma * G(t+1)", "Sutton & Barto, 2nd ed., section 5.4")
    told.equation("Q(s, a) <- Q(s, a) + learning_rate * (G - Q(s, a))")
    before, run, gamma = moment.before, moment.run, moment.before.gamma
    length = int(before.by_run["age"][run])
    states, actions, rewards = (
        [*before.by_step[name][run, :length].tolist(), last]
        for name, last in (("state", moment.state), ("action", moment.action), ("reward", moment.reward))
    )
    ledger = moment.ledger()
    end_row = ledger.row(moment.next_state)
    rest = moment.discount * moment.policy_value(end_row)  # of what comes after the last step
    visits = list(zip(states, actions, strict=True))
    first = {visit: time for time, visit in reversed(list(enumerate(visits)))}
    returns: list[float] = []
    moves: dict[int, Move] = {}
    for time in range(length, -1, -1):
        returns.append(rewards[time] + (gamma * returns[-1] if returns else rest))
        if first[visits[time]] == time or not before._first_only:
            moves[time] = ledger.move(*visits[time], returns[-1])

    main = main_move(list(moves.values()))
    at = next(time for time, move in moves.items() if move is main)
    following = [*states[1:], moment.next_state]
    tell_transition(told, moment, states[at], actions[at], rewards[at], following[at], last=at == length)
    told.line(HAPPENED, "time", "t", at, f"of the episode's steps 0 to {length}")
    times = list(moves)
    told.table(
        HAPPENED,
        "episode",
        {
            "t": list(range(length, -1, -1)),
            "s": states[::-1],
            "a": actions[::-1],
            "r": rewards[::-1],
            "G": returns,
            **{
                name: [getattr(moves[time], field) if time in moves else "" for time in range(length, -1, -1)]
                for name, field in (("Q(s, a)", "estimate"), ("rate", "learning_rate"), ("new Q(s, a)", "value"))
            },
        },
        f"the whole episode, last step first; {len(times)} of {length + 1} steps are learned from"
        + (" (each state and action's first visit)" if before._first_only else ""),
        weight=[abs(moves[time].td_error) if time in moves else 0.0 for time in range(length, -1, -1)],
    )
    next_row = [float(value) for value in before.table[run, following[at]]]
    tell_believed(told, main.row, next_row, main.action, next_row.index(max(next_row)))
    if at == length:
        tell_rest(told, moment, end_row)
        working = f"{show(rewards[at])} + {show(moment.discount)} x {term(moment.policy_value(end_row))}"
    else:
        told.line(TARGET, "next_return", "G(t+1)", returns[length - at - 1], "the return of the next step on")
        working = f"{show(rewards[at])} + {show(gamma)} x {term(returns[length - at - 1])}"
    told.line(
        TARGET, "td_target", "G(t)", main.td_target, "the return itself: no estimate of the table is in it", working
    )
    tell_move(told, moment, main)
