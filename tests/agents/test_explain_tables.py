"""Every number that is told of a table's update, beside the rule's equation worked out apart from it."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from gridrl_agents.base import Transition
from gridrl_agents.errors import SettingsError
from gridrl_agents.explain import explain
from gridrl_agents.registry import make
from gridrl_agents.tabular.base import TabularAgent
from gridrl_agents.tabular.settings import RuleSettings

STATES, ACTIONS, RUN = 5, 3, 1
GAMMA, EPSILON, RATE, INITIAL = 0.9, 0.2, 0.3, 2.0


class Twin:
    """A rule in plain numbers: a table, the count of each entry's updates, and what the rule remembers."""

    def __init__(self, power):
        self.power = power
        self.table = np.full((STATES, ACTIONS), INITIAL)
        self.counts = defaultdict(int)
        self.episode = []

    def policy_value(self, state):
        row = self.table[state]
        return (1 - EPSILON) * row.max() + EPSILON * row.mean()

    def rate(self, *entry):
        self.counts[entry] += 1
        return RATE / self.counts[entry] ** self.power

    def move(self, state, action, target):
        """Return what is told of a move, and make it."""
        row, rate = self.table[state].copy(), self.rate(state, action)
        change = rate * (target - row[action])
        self.table[state, action] += change
        told = {"state": state, "action": action, "q": row, "estimate": row[action], "td_target": target}
        told |= {"td_error": target - row[action], "learning_rate": rate, "change": change}
        told |= {"new_q": row[action] + change, "count": self.counts[state, action]}
        return told


def main_of(moves):
    last = {(move["state"], move["action"]): move for move in moves}
    return max(last.values(), key=lambda move: abs(move["td_error"]))


def check_move(check, twin, move):
    """Hold all that is told of a move against the twin's."""
    count = move.pop("count")
    check(**move, q_after=twin.table[move["state"]])
    if twin.power:
        check(num_updates=count)


def moves_table(moves):
    names = {"s": "state", "a": "action", "td_target": "td_target", "Q(s, a)": "estimate", "td_error": "td_error"}
    names |= {"learning_rate": "learning_rate", "new Q(s, a)": "new_q"}
    return {column: [move[name] for move in moves] for column, name in names.items()}


def random_steps(count, seed=0):
    """Yield transitions of two runs, with ends and cuts."""
    rng = np.random.default_rng(seed)
    obs = rng.integers(STATES, size=2)
    for _ in range(count):
        action, next_obs = rng.integers(ACTIONS, size=2), rng.integers(STATES, size=2)
        terminated = rng.random(2) < 0.15
        truncated = ~terminated & (rng.random(2) < 0.15)
        yield Transition(obs, action, rng.normal(size=2), next_obs, terminated, truncated)
        obs = np.where(terminated | truncated, rng.integers(STATES, size=2), next_obs)


def table_agent(name, power, **settings):
    fixed = {"gamma": GAMMA, "epsilon_begin": EPSILON, "epsilon_end": EPSILON, "initial_value": INITIAL}
    fixed |= {"learning_rate": RATE, "learning_rate_power": power}
    return make(name, Discrete(STATES), Discrete(ACTIONS), [3, 4], **fixed | settings)


def one(transition):
    """Return run RUN's step as plain numbers, and its discount."""
    state, action, reward, next_state, terminated, truncated = (field[RUN].item() for field in transition)
    return state, action, reward, next_state, terminated, truncated, 0.0 if terminated else GAMMA


@pytest.fixture(params=[0.0, 0.7], ids=["constant rate", "falling rate"])
def power(request):
    return request.param


def told_steps(name, power, make_check, assert_same, count=60, **settings):
    """Yield twin, transition, what is told (None: nothing learned) and the agent; hold it to one that just learns."""
    agent, plain = (table_agent(name, power, **settings) for _ in range(2))
    twin = Twin(power)
    for transition in random_steps(count):
        told = explain(agent, transition, RUN)
        metrics = plain.observe(transition)
        assert (told is None) == np.isnan(metrics["td_error"][RUN])
        yield twin, transition, None if told is None else make_check(told), agent
        np.testing.assert_allclose(twin.table, agent.table[RUN], rtol=1e-12)
        if told is not None:
            shown = told.transition
            assert shown.obs == told["state"]
            assert shown.next_obs == told["next_state"]
    assert_same(agent.state_dict(), plain.state_dict())


def happened(check, reward, next_state, discount):
    check(reward=reward, next_state=next_state, discount=discount)


def check_q_learning(check, twin, step):
    """Check what Q-learning tells before its move; return the target."""
    _, _, reward, next_state, _, _, discount = step
    next_row = twin.table[next_state].copy()
    happened(check, reward, next_state, discount)
    check(q_next=next_row, next_action=int(next_row.argmax()), next_value=next_row.max())
    return reward + discount * next_row.max()


def test_q_learning(power, make_check, assert_same):
    for twin, transition, check, _ in told_steps("q-learning", power, make_check, assert_same):
        step = one(transition)
        target = check_q_learning(check, twin, step)
        check_move(check, twin, twin.move(step[0], step[1], target))
        check.done()


def policy(row):
    """Return epsilon-greedy probabilities, the greedy share split evenly among the best."""
    best = row == row.max()
    return EPSILON / ACTIONS + (1 - EPSILON) * best / best.sum()


def test_expected_sarsa(power, make_check, assert_same):
    for twin, transition, check, _ in told_steps("expected-sarsa", power, make_check, assert_same):
        state, action, reward, next_state, _, _, discount = one(transition)
        happened(check, reward, next_state, discount)
        row = twin.table[next_state].copy()
        value = (policy(row) * row).sum()
        check(q_next=row, epsilon=EPSILON, policy=policy(row), next_value=value)
        check_move(check, twin, twin.move(state, action, reward + discount * value))
        check.done()


def check_rest(check, row, truncated):
    """Check what stands for the rest of an episode that has ended."""
    if truncated:
        check(epsilon=EPSILON, policy=policy(row), next_value=(policy(row) * row).sum())


def test_sarsa(power, make_check, assert_same):
    learned = {"waiting": 0, "end": 0, "both": 0}
    for twin, transition, check, _ in told_steps("sarsa", power, make_check, assert_same, count=120):
        state, action, reward, next_state, terminated, truncated, discount = one(transition)
        moves = []
        if twin.episode:
            before_state, before_action, before_reward = twin.episode[-1]
            row = twin.table[state].copy()
            moves.append(twin.move(before_state, before_action, before_reward + GAMMA * row[action]))
        if terminated or truncated:
            end_row = twin.table[next_state].copy()
            rest = discount * twin.policy_value(next_state)
            moves.append(twin.move(state, action, reward + rest))
        twin.episode = [] if terminated or truncated else [(state, action, reward)]
        assert bool(moves) == (check is not None)
        if not moves:
            continue
        main, counts = main_of(moves), [move["count"] for move in moves]
        if len(moves) == 2:
            check(moves=moves_table(moves))
        if moves[-1] is main and (terminated or truncated):
            happened(check, reward, next_state, discount)
            check(q_next=end_row)
            check_rest(check, end_row, truncated)
            learned["end"] += 1
        else:
            happened(check, before_reward, state, GAMMA)
            check(q_next=row, next_action=action, next_value=row[action])
            learned["waiting"] += 1
        learned["both"] += len(counts) == 2
        check_move(check, twin, main)
        check.done()
    assert min(learned.values()) >= 3, learned


def test_n_step_sarsa(power, make_check, assert_same):
    n = 3
    learned = {"window": 0, "end": 0, "short": 0}
    for twin, transition, check, _ in told_steps("n-step-sarsa", power, make_check, assert_same, 150, n_step=n):
        state, action, reward, next_state, terminated, truncated, discount = one(transition)
        windows, moves = [], []
        if len(twin.episode) >= n:
            window, row = twin.episode[-n:], twin.table[state].copy()
            total = sum(GAMMA**i * step[2] for i, step in enumerate(window))
            moves.append(twin.move(*window[0][:2], total + GAMMA**n * row[action]))
            windows.append((window, row, total, GAMMA**n, row[action]))
        twin.episode.append((state, action, reward))
        if terminated or truncated:
            row, value = twin.table[next_state].copy(), twin.policy_value(next_state)
            for window in (twin.episode[-left:] for left in range(min(n, len(twin.episode)), 0, -1)):
                total = sum(GAMMA**i * step[2] for i, step in enumerate(window))
                factor = GAMMA ** (len(window) - 1) * discount
                moves.append(twin.move(*window[0][:2], total + factor * value))
                windows.append((window, row, total, factor, value))
        follows_action = len(twin.episode) > n
        if terminated or truncated:
            twin.episode = []
        assert bool(moves) == (check is not None)
        if not moves:
            continue
        main = main_of(moves)
        which = next(number for number, move in enumerate(moves) if move is main)
        window, row, total, factor, value = windows[which]
        bootstraps = which == 0 and follows_action
        following = window[1][0] if len(window) > 1 else state if bootstraps else next_state
        last = len(window) == 1 and not bootstraps
        happened(check, window[0][2], following, discount if last else GAMMA)
        powers = GAMMA ** np.arange(len(window))
        rewards = np.array([step[2] for step in window])
        columns = {"i": range(1, len(window) + 1), "s": [step[0] for step in window], "a": [step[1] for step in window]}
        columns |= {"r": rewards, "gamma^(i-1)": powers, "gamma^(i-1) r": powers * rewards}
        check(window=columns, q_next=row, rest_discount=factor, **{"return": total}, abs=1e-8)
        if bootstraps:
            check(next_action=action, next_value=value)
        else:
            check_rest(check, row, truncated)
        if len(moves) > 1:
            check(moves=moves_table(moves))
        learned["window" if bootstraps else "end"] += 1
        learned["short"] += len(window) < n
        check_move(check, twin, main)
        check.done()
    assert min(learned.values()) >= 3, learned


@pytest.mark.parametrize("visits", ["first", "every"])
def test_monte_carlo(power, visits, make_check, assert_same):
    seen = {"last": 0, "earlier": 0, "again": 0}
    for twin, transition, check, _ in told_steps("monte-carlo", power, make_check, assert_same, 120, visits=visits):
        state, action, reward, next_state, terminated, truncated, discount = one(transition)
        twin.episode.append((state, action, reward))
        if not (terminated or truncated):
            assert check is None
            continue
        episode, twin.episode, before = twin.episode, [], twin.table.copy()
        pairs, rest = [step[:2] for step in episode], discount * twin.policy_value(next_state)
        moves, returns, columns = {}, {}, defaultdict(list)
        for t in reversed(range(len(episode))):
            returns[t] = episode[t][2] + (rest if t == len(episode) - 1 else GAMMA * returns[t + 1])
            if visits == "every" or pairs[t] not in pairs[:t]:
                moves[t] = twin.move(*pairs[t], returns[t])
            numbers = {"t": t, "s": pairs[t][0], "a": pairs[t][1], "r": episode[t][2], "G": returns[t]}
            names = {"Q(s, a)": "estimate", "rate": "learning_rate", "new Q(s, a)": "new_q"}
            numbers |= {column: moves[t][name] if t in moves else "" for column, name in names.items()}
            for column, number in numbers.items():
                columns[column].append(number)
        main = main_of(list(moves.values()))
        at = next(t for t, move in moves.items() if move is main)
        is_last = at == len(episode) - 1
        following = next_state if is_last else episode[at + 1][0]
        happened(check, episode[at][2], following, discount if is_last else GAMMA)
        check(time=at, q_next=before[following])
        for column, numbers in check.told["episode"].items():
            for found, expected in zip(numbers, columns.pop(column), strict=True):
                assert found == (expected if expected == "" else pytest.approx(expected))
        assert not columns
        check.seen.add("episode")
        if is_last:
            check_rest(check, before[next_state], truncated)
        else:
            check(next_return=returns[at + 1])
        seen["last" if is_last else "earlier"] += 1
        seen["again"] += len(set(pairs)) < len(pairs)
        check_move(check, twin, main)
        check.done()
    assert min(seen.values()) >= 2, seen


def test_double_q_learning(power, make_check, assert_same):
    both, counts, learned = np.full((STATES, ACTIONS, 2), INITIAL), defaultdict(int), set()
    for twin, transition, check, agent in told_steps("double-q-learning", power, make_check, assert_same):
        state, action, reward, next_state, _, _, discount = one(transition)
        # Which table learned, and a tie among its best actions, are chance; the table that changed tells the first.
        changed = np.argwhere(agent.by_state["both"][RUN] != both)
        one_, best = int(check.told["table"][1]) - 1, check.told["next_action"]
        assert [state, action, one_] in changed.tolist() or check.told["td_error"] == 0
        assert len(changed) <= 1
        assert both[next_state, best, one_] == both[next_state, :, one_].max()
        learned.add(one_)

        counts[state, action, one_] += 1
        count = counts[state, action, one_]
        rate, estimate = RATE / count**power, both[state, action, one_]
        value = both[next_state, best, 1 - one_]
        error = reward + discount * value - estimate
        happened(check, reward, next_state, discount)
        check(state=state, action=action, table=f"Q{1 + one_}", next_action=best)
        check(
            q1=both[state, :, 0], q2=both[state, :, 1], q1_next=both[next_state, :, 0], q2_next=both[next_state, :, 1]
        )
        check(estimate=estimate, own_value=both[next_state, best, one_], next_value=value)
        check(td_target=reward + discount * value, td_error=error, learning_rate=rate, change=rate * error)
        if power:
            check(num_updates=count)
        both[state, action, one_] += rate * error
        twin.table = both.mean(axis=2)
        check(new_q=estimate + rate * error, other_q=both[state, action, 1 - one_])
        check(mean_q=twin.table[state, action], q_after=twin.table[state])
        np.testing.assert_allclose(agent.by_state["both"][RUN], both)
        check.done()
    assert learned == {0, 1}


@pytest.mark.parametrize("kind", ["accumulating", "replacing"])
def test_q_lambda(power, kind, make_check, assert_same):
    traces, decay = {}, 0.8
    settings = {"traces": kind, "trace_decay": decay}
    longest = 0
    for twin, transition, check, _ in told_steps("q-lambda", power, make_check, assert_same, 150, **settings):
        step = state, action, *_, terminated, truncated, _ = one(transition)
        row = twin.table[state].copy()
        target = check_q_learning(check, twin, step)
        error, is_greedy = target - row[action], row[action] == row.max()
        old = traces
        traces = {entry: trace * GAMMA * decay for entry, trace in old.items()} if is_greedy else {}
        traces[state, action] = 1 + traces.get((state, action), 0.0) if kind == "accumulating" else 1.0
        twin.counts[state, action] += 1
        rates = {entry: RATE / max(twin.counts[entry], 1) ** power for entry in traces}
        before = twin.table.copy()
        for entry, trace in traces.items():
            twin.table[entry] += rates[entry] * error * trace
        check(state=state, action=action, q=row, estimate=row[action], td_target=target, td_error=error)
        check(is_greedy="yes" if is_greedy else "no", fading=GAMMA * decay, trace=traces[state, action])
        check(learning_rate=rates[state, action], change=rates[state, action] * error * traces[state, action])
        check(new_q=twin.table[state, action], q_after=twin.table[state])
        columns = {name: list(values) for name, values in check.told["traces"].items()}
        order = list(zip(columns["s"], columns["a"], strict=True))
        assert sorted(order) == sorted(traces)
        assert columns["e"] == sorted(columns["e"], reverse=True)
        change = {entry: twin.table[entry] - before[entry] for entry in traces}
        kinds = {"e before": {entry: old.get(entry, 0.0) for entry in traces}, "e": traces, "learning_rate": rates}
        kinds |= {"Q before": before, "change": change, "Q now": twin.table}
        expected = {name: [numbers[entry] for entry in order] for name, numbers in kinds.items()}
        check(traces={"s": columns["s"], "a": columns["a"]} | expected)
        check.done()
        longest = max(longest, len(traces))
        traces = {} if terminated or truncated else traces
    assert longest >= 4


def test_dyna_q(power, make_check, assert_same):
    model = {}
    for twin, transition, check, _ in told_steps("dyna-q", power, make_check, assert_same, planning_steps=4):
        step = state, action, reward, next_state, *_, discount = one(transition)
        move = twin.move(state, action, check_q_learning(check, twin, step))
        model[state, action] = reward, discount, next_state
        columns = defaultdict(list)
        # Which remembered steps come is chance; that the table comes out the same says that it was these.
        for planned in zip(check.told["planning"]["s"], check.told["planning"]["a"], strict=True):
            reward, discount, next_state = model[planned]
            planned_move = twin.move(*planned, reward + discount * twin.table[next_state].max())
            numbers = [*planned, reward, discount, next_state]
            numbers += [planned_move[name] for name in ("td_target", "td_error", "new_q")]
            for name, number in zip(check.told["planning"], numbers, strict=True):
                columns[name].append(number)
        check(planning=dict(columns), planned_q=twin.table[state, action])
        check_move(check, twin, move)
        check.done()


def test_states_that_are_met_as_they_come(make_check):
    """Rows of a growing table stand for observations, and these are what is told."""
    agent = make("sarsa", Box(-9, 9, (2,), np.float32), Discrete(2), [0], epsilon_begin=0.5, epsilon_end=0.5)
    met = [np.array([[number, -number]], dtype=np.float32) for number in range(4)]
    told = [
        explain(agent, Transition(obs, np.array([1]), np.array([2.0]), after, np.array([False]), np.array([False])))
        for obs, after in pairwise(met)
    ]
    assert told[0] is None  # it waits for its next action
    np.testing.assert_array_equal(told[2].transition.obs, met[1][0])
    np.testing.assert_array_equal(told[2].transition.next_obs, met[2][0])
    assert told[2]["state"] == 1
    assert told[2].action_names == ("0", "1")


def test_an_item_is_for_batches():
    (transition,) = random_steps(1)
    agent = table_agent("q-learning", 0.0)
    before = agent.state_dict()
    with pytest.raises(SettingsError, match="QLearning learns from no batch"):
        explain(agent, transition, item=2)
    assert agent.state_dict()["num_updates"] == before["num_updates"]


class Halfway(TabularAgent):
    """Moves the entry of the step, and that of its opposite action, half of the way to the reward."""

    Settings = RuleSettings

    def learn(self, step):
        self.move((self.runs, step.state, (step.action + 1) % self.num_actions), step.reward / 2)
        return self.move((self.runs, step.state, step.action), step.reward)


def test_a_rule_of_yours(make_check, assert_same):
    agents = [Halfway(Discrete(STATES), Discrete(ACTIONS), [3, 4], RuleSettings(gamma=GAMMA)) for _ in range(2)]
    for transition in random_steps(20):
        before = agents[0].table[RUN].copy()
        check = make_check(explain(agents[0], transition, RUN))
        agents[1].observe(transition)
        after = agents[1].table[RUN]
        state, action, reward, next_state, *_, discount = one(transition)
        happened(check, reward, next_state, discount)
        check(state=state, action=action, q=before[state], q_next=before[next_state], estimate=before[state, action])
        check(td_error=abs(reward - before[state, action]), new_q=after[state, action], q_after=after[state])
        states, actions = np.nonzero(before != after)
        changes = {"Q before": before[states, actions], "Q now": after[states, actions]}
        check(changes={"s": states, "a": actions} | changes)
        check.done()
        assert any("Halfway" in item and "its own" in item for item in check.told.sections[3] if isinstance(item, str))
    assert_same(agents[0].state_dict(), agents[1].state_dict())
