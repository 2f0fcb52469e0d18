"""Watkins's Q(lambda), told (rule: `tabular/q_lambda.py`)."""

from gridrl_agents.explanation import NOW, STEP, Explanation, show, term
from gridrl_agents.tabular.explain.ledger import Ledger
from gridrl_agents.tabular.explain.moment import Moment, tell_error
from gridrl_agents.tabular.explain.q_learning import tell_update
from gridrl_agents.tabular.q_lambda import LEAST

Entry = tuple[int, int]  # row, action


def explain(moment: Moment, told: Explanation) -> None:
    """Tell Q-learning's error of the step, and how every entry that has a trace moves by it."""
    told.equation(
        "Q <- Q + learning_rate * (r + discount * max_b Q(s', b) - Q(s, a)) * e, for all entries at once",
        "Watkins 1989; Sutton & Barto, 2nd ed., section 12.10",
    )
    told.equation("e <- gamma * lambda * e, or 0 where a was not greedy; then e(s, a) <- 1, or e(s, a) + 1")
    ledger = moment.ledger()
    before = ledger.table.copy()
    move = tell_update(moment, told, ledger)
    tell_error(told, move)

    is_greedy = move.estimate == max(move.row)
    fading = moment.before._fading
    told.line(
        STEP,
        "is_greedy",
        "a greedy?",
        "yes" if is_greedy else "no",
        f"is Q(s, a) max_b Q(s, b), {show(max(move.row))}?",
    )
    told.line(STEP, "fading", "gamma * lambda", fading, "by which the traces fade")
    old, traces = _traces(moment, is_greedy)
    if not is_greedy:
        told.say(STEP, "The action was not greedy: what led here did not lead to it, and all older traces are cut.")
    entry = moment.state, moment.action
    rates = {each: _rate(ledger, each, move.learning_rate) for each in traces}
    change = {each: rates[each] * move.td_error * trace for each, trace in traces.items()}
    told.line(STEP, "trace", "e(s, a)", traces[entry], "the trace of this step")
    told.line(STEP, "learning_rate", "learning_rate", rates[entry], "of Q(s, a)")
    working = f"{show(rates[entry])} x {term(move.td_error)} x {show(traces[entry])}"
    told.line(STEP, "change", "change", change[entry], "learning_rate * td_error * e(s, a)", working)

    after = moment.after.table[moment.run]
    told.table(
        STEP,
        "traces",
        {
            "s": [each[0] for each in traces],
            "a": [each[1] for each in traces],
            "e before": [old.get(each, 0.0) for each in traces],
            "e": list(traces.values()),
            "learning_rate": list(rates.values()),
            "Q before": [float(before[each]) for each in traces],
            "change": list(change.values()),
            "Q now": [float(after[each]) for each in traces],
        },
        f"all {len(traces)} entries that have a trace, the latest first",
    )
    working = f"{show(move.estimate)} + {term(change[entry])}"
    told.line(NOW, "new_q", "Q(s, a)", after[entry], "Q(s, a) + change", working)
    told.values(NOW, "q_after", "Q(s, .)", after[moment.state], marked=moment.action)
    if moment.ended:
        told.say(NOW, "The episode ended, and all traces with it.")


def _traces(moment: Moment, is_greedy: bool) -> tuple[dict[Entry, float], dict[Entry, float]]:
    """Return the traces before the step and with it, the greatest first: those that are not zero."""
    by_step, run = moment.before.by_step, moment.run
    rows = zip(*(by_step[name][run].tolist() for name in ("state", "action", "trace")), strict=True)
    old = {(state, action): trace for state, action, trace in rows if trace}
    fading = moment.before._fading * is_greedy
    traces = {entry: faded for entry, trace in old.items() if (faded := fading * trace) >= LEAST}
    entry = moment.state, moment.action
    traces[entry] = 1.0 + traces.get(entry, 0.0) if moment.before._accumulates else 1.0
    return old, dict(sorted(traces.items(), key=lambda item: -item[1]))


def _rate(ledger: Ledger, entry: Entry, rate: float) -> float:
    """Return an entry's own learning rate; the ledger has counted the visit of this step."""
    if ledger.num_updates is None:
        return rate
    return ledger.initial_rate / int(ledger.num_updates[entry]) ** ledger.power
