"""n-step SARSA, told (rule: `tabular/n_step_sarsa.py`)."""

from itertools import pairwise
from typing import NamedTuple

from gridrl_agents.explanation import HAPPENED, TARGET, Explanation, show, term
from gridrl_agents.tabular.explain.ledger import Ledger, Move, main_move
from gridrl_agents.tabular.explain.moment import Moment, tell_believed, tell_move, tell_moves, tell_transition
from gridrl_agents.tabular.explain.sarsa import tell_rest


class Step(NamedTuple):
    """A step that waits: what was met, and the discounted sum of the rewards since, as the rule keeps it."""

    state: int
    action: int
    total: float


class Learned(NamedTuple):
    """A step that was learned from: `window` begins with it; after the window there is discount * value."""

    window: list[Step]
    next_row: list[float]  # Q after the window
    discount: float
    value: float
    move: Move


def explain(moment: Moment, told: Explanation) -> None:
    """Tell the update of the step n steps ago, or where the episode has ended that of all that still waited."""
    told.equation(
        "Q(s, a) <- Q(s, a) + learning_rate * (G + gamma^n * Q(sn, an) - Q(s, a)), "
        "G = r1 + gamma r2 + ... + gamma^(n-1) rn",
        "Sutton & Barto, 2nd ed., section 7.2, equations 7.4 and 7.5",
    )
    gamma, learned = moment.before.gamma, all_learned(moment)
    main = main_move([each.move for each in learned])
    which = next(number for number, each in enumerate(learned) if each.move is main)
    window, next_row, discount, value, _ = learned[which]
    bootstraps = moment.before.by_run["age"][moment.run] >= moment.before._n_step and which == 0
    # The rule keeps no rewards but their discounted sums; rounding takes out what telling them apart adds.
    totals = [step.total for step in window] + [0.0]
    rewards = [round(total - gamma * later, 9) for total, later in pairwise(totals)]

    is_last = len(window) == 1 and not bootstraps
    next_state = window[1].state if len(window) > 1 else moment.state if bootstraps else moment.next_state
    tell_transition(told, moment, main.state, main.action, rewards[0], next_state, last=is_last)
    told.table(
        HAPPENED,
        "window",
        {
            "i": list(range(1, len(window) + 1)),
            "s": [step.state for step in window],
            "a": [step.action for step in window],
            "r": rewards,
            "gamma^(i-1)": [gamma**i for i in range(len(window))],
            "gamma^(i-1) r": [gamma**i * reward for i, reward in enumerate(rewards)],
        },
        f"the {len(window)} steps from s on",
    )
    marked = moment.action if bootstraps else next_row.index(max(next_row))
    tell_believed(told, main.row, next_row, main.action, marked)
    told.line(TARGET, "return", "G", totals[0], "the rewards of the window, discounted")
    if bootstraps:
        told.line(TARGET, "next_action", "an", moment.action, f"the action taken then: {told.action(moment.action)}")
        told.line(TARGET, "next_value", "Q(sn, an)", value, "here Q(s', .) is that of sn")
    else:
        tell_rest(told, moment, next_row)
    words = "gamma^n" if bootstraps else "nothing comes after" if moment.terminated else "gamma^k, k steps were left"
    told.line(TARGET, "rest_discount", f"gamma^{len(window)}", discount, words)
    working = f"{show(totals[0])} + {show(discount)} x {term(value)}"
    told.line(TARGET, "td_target", "td_target", main.td_target, "G and what comes", working)
    tell_move(told, moment, main)
    tell_moves(told, [each.move for each in learned], main, "The episode ended, and no step is left waiting")


def all_learned(moment: Moment) -> list[Learned]:
    """Return all steps that were learned from at this moment, in their order."""
    n, gamma, run, kept = moment.before._n_step, moment.before.gamma, moment.run, moment.before.by_run
    ledger, age = moment.ledger(), int(kept["age"][run])
    places = [time % n for time in range(max(age - n, 0), age)]
    window = [Step(*(kept[name][run, place].item() for name in ("state", "action", "return"))) for place in places]
    learned = []
    if age >= n:
        row = ledger.row(moment.state)
        learned.append(_learn(ledger, window, row, gamma**n, row[moment.action], gamma**n * row[moment.action]))
        window = window[1:]
    window = [
        step._replace(total=step.total + gamma ** (len(window) - place) * moment.reward)
        for place, step in enumerate(window)
    ] + [Step(moment.state, moment.action, moment.reward)]
    if moment.ended:
        row = ledger.row(moment.next_state)
        value = moment.policy_value(row)
        rest = moment.discount * value
        for left in range(len(window), 0, -1):
            factor = gamma ** (left - 1)
            learned.append(_learn(ledger, window[-left:], row, factor * moment.discount, value, factor * rest))
    return learned


def _learn(ledger: Ledger, window: list[Step], row: list[float], discount: float, value: float, rest: float) -> Learned:
    first = window[0]
    return Learned(window, row, discount, value, ledger.move(first.state, first.action, first.total + rest))
