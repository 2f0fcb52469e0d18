"""Every rule against a slow twin of one run, written from the pseudo-code in the book's boxes.

A twin reads what one run did, step by step, and returns the table it should have by then. Where a step limit cut the
episode, which the boxes do not know, sum_b pi(b | s') Q(s', b) stands for what comes after it.
"""

from typing import NamedTuple

import numpy as np
import pytest
from gymnasium.spaces import Discrete

from gridrl_agents.base import Transition
from gridrl_agents.registry import make
from gridrl_agents.streams import EXPLORATION, Streams

STATES, ACTIONS, STEPS, SEEDS = 7, 3, 1000, (11, 12, 13)
GAMMA, INITIAL = 0.9, 0.7
SCHEDULE = {"epsilon_begin": 0.8, "epsilon_end": 0.1, "epsilon_decay_steps": 600}


class Seen(NamedTuple):
    """One step of one run."""

    state: int
    action: int
    reward: float
    next_state: int
    terminated: bool
    truncated: bool
    number: int

    @property
    def epsilon(self):
        return max(0.1, 0.8 - 0.7 * self.number / 600)


class Twin:
    """A table of one run, and the learning rate c / n^w."""

    def __init__(self, settings):
        self.q = [[INITIAL] * ACTIONS for _ in range(STATES)]
        self.settings = settings
        self.n = {}

    def alpha(self, *entry):
        self.n[entry] = self.n.get(entry, 0) + 1
        return self.settings["learning_rate"] / self.n[entry] ** self.settings.get("learning_rate_power", 0)

    def policy_value(self, seen):
        greedy, values = max(self.q[seen.next_state]), self.q[seen.next_state]
        best = [b for b in range(ACTIONS) if values[b] == greedy]
        return sum(
            (seen.epsilon / ACTIONS + ((1 - seen.epsilon) / len(best) if b in best else 0)) * values[b]
            for b in range(ACTIONS)
        )

    def move(self, state, action, target):
        self.q[state][action] += self.alpha(state, action) * (target - self.q[state][action])


def episodes(steps):
    episode = []
    for seen in steps:
        episode.append(seen)
        if seen.terminated or seen.truncated:
            yield episode
            episode = []
    assert not episode


def q_learning(twin, steps, seed):  # section 6.5
    for seen in steps:
        best = 0 if seen.terminated else max(twin.q[seen.next_state])
        twin.move(seen.state, seen.action, seen.reward + GAMMA * best)


def sarsa(twin, steps, seed):  # section 6.4
    for episode in episodes(steps):
        for seen, following in zip(episode, [*episode[1:], None], strict=True):
            if following is not None:
                value = twin.q[following.state][following.action]
            else:
                value = 0 if seen.terminated else twin.policy_value(seen)
            twin.move(seen.state, seen.action, seen.reward + GAMMA * value)


def expected_sarsa(twin, steps, seed):  # equation 6.9
    for seen in steps:
        value = 0 if seen.terminated else twin.policy_value(seen)
        twin.move(seen.state, seen.action, seen.reward + GAMMA * value)


def monte_carlo(twin, steps, seed):  # section 5.4
    for episode in episodes(steps):
        g = 0 if episode[-1].terminated else twin.policy_value(episode[-1])
        for t in range(len(episode) - 1, -1, -1):
            seen = episode[t]
            g = GAMMA * g + seen.reward
            earlier = [(other.state, other.action) for other in episode[:t]]
            if twin.settings.get("visits") == "every" or (seen.state, seen.action) not in earlier:
                twin.move(seen.state, seen.action, g)


def n_step_sarsa(twin, steps, seed):  # section 7.2
    n = twin.settings["n_step"]
    for episode in episodes(steps):
        end = len(episode)
        beyond = None
        for t in range(end + n):
            tau = t - n + 1
            if not 0 <= tau < end:
                continue
            g = sum(GAMMA ** (i - tau - 1) * episode[i - 1].reward for i in range(tau + 1, min(tau + n, end) + 1))
            if tau + n < end:
                g += GAMMA**n * twin.q[episode[tau + n].state][episode[tau + n].action]
            else:
                if beyond is None:
                    beyond = 0 if episode[-1].terminated else twin.policy_value(episode[-1])
                g += GAMMA ** (end - tau) * beyond
            twin.move(episode[tau].state, episode[tau].action, g)


def q_lambda(twin, steps, seed):  # first edition, figure 7.14, over whole tables
    settings, q = twin.settings, twin.q
    for episode in episodes(steps):
        e = [[0.0] * ACTIONS for _ in range(STATES)]
        for seen in episode:
            greedy = q[seen.state][seen.action] == max(q[seen.state])
            for s in range(STATES):
                for a in range(ACTIONS):
                    e[s][a] = GAMMA * settings["trace_decay"] * e[s][a] if greedy else 0.0
            best = 0 if seen.terminated else max(q[seen.next_state])
            delta = seen.reward + GAMMA * best - q[seen.state][seen.action]
            e[seen.state][seen.action] = e[seen.state][seen.action] * (settings["traces"] == "accumulating") + 1
            twin.alpha(seen.state, seen.action)
            for (s, a), n in twin.n.items():
                rate = settings["learning_rate"] / n ** settings.get("learning_rate_power", 0)
                q[s][a] += rate * delta * e[s][a]


def draws(seed):
    """What an agent draws: two numbers for each choice of an action; its rule draws between."""
    return Streams([seed], EXPLORATION)


def double_q_learning(twin, steps, seed):  # section 6.7
    tables = [[[INITIAL] * ACTIONS for _ in range(STATES)] for _ in range(2)]
    streams = draws(seed)
    for seen in steps:
        streams.uniform(2)
        coin, _, tie = streams.uniform(3)[0]
        one, other = (tables[1], tables[0]) if coin < 0.5 else (tables[0], tables[1])
        values = one[seen.next_state]
        best = [b for b in range(ACTIONS) if values[b] == max(values)]
        value = 0 if seen.terminated else other[seen.next_state][best[int(tie * len(best))]]
        estimate = one[seen.state][seen.action]
        rate = twin.alpha(coin < 0.5, seen.state, seen.action)
        one[seen.state][seen.action] += rate * (seen.reward + GAMMA * value - estimate)
    for s in range(STATES):
        for a in range(ACTIONS):
            twin.q[s][a] = (tables[0][s][a] + tables[1][s][a]) / 2


def dyna_q(twin, steps, seed):  # section 8.2
    model, streams = {}, draws(seed)

    def learn(seen):
        best = 0 if seen.terminated else max(twin.q[seen.next_state])
        twin.move(seen.state, seen.action, seen.reward + GAMMA * best)

    for seen in steps:
        streams.uniform(2)
        learn(seen)
        model.setdefault(seen.state, {})[seen.action] = seen
        for _ in range(twin.settings["planning_steps"]):
            first, _, second = streams.uniform(3)[0]
            state = list(model)[int(first * len(model))]
            action = sorted(model[state])[int(second * len(model[state]))]
            learn(model[state][action])


ONE_OVER_N = {"learning_rate": 0.9, "learning_rate_power": 0.6}
CASES = [
    ("q-learning", q_learning, {"learning_rate": 0.3}),
    ("q-learning", q_learning, ONE_OVER_N),
    ("sarsa", sarsa, {"learning_rate": 0.3}),
    ("sarsa", sarsa, ONE_OVER_N),
    ("expected-sarsa", expected_sarsa, {"learning_rate": 0.3}),
    ("expected-sarsa", expected_sarsa, ONE_OVER_N),
    ("double-q-learning", double_q_learning, {"learning_rate": 0.3}),
    ("double-q-learning", double_q_learning, ONE_OVER_N),
    ("monte-carlo", monte_carlo, {"learning_rate": 1.0, "learning_rate_power": 1.0}),
    ("monte-carlo", monte_carlo, {"learning_rate": 1.0, "learning_rate_power": 1.0, "visits": "every"}),
    ("monte-carlo", monte_carlo, {"learning_rate": 0.2, "learning_rate_power": 0.0, "visits": "every"}),
    ("n-step-sarsa", n_step_sarsa, {"learning_rate": 0.3, "n_step": 1}),
    ("n-step-sarsa", n_step_sarsa, {"learning_rate": 0.3, "n_step": 4}),
    ("n-step-sarsa", n_step_sarsa, {**ONE_OVER_N, "n_step": 7}),
    ("n-step-sarsa", n_step_sarsa, {"learning_rate": 0.3, "n_step": 40}),
    ("q-lambda", q_lambda, {"learning_rate": 0.2, "trace_decay": 0.9, "traces": "accumulating"}),
    ("q-lambda", q_lambda, {"learning_rate": 0.2, "trace_decay": 1.0, "traces": "replacing"}),
    ("q-lambda", q_lambda, {**ONE_OVER_N, "trace_decay": 0.5, "traces": "accumulating"}),
    ("q-lambda", q_lambda, {"learning_rate": 0.3, "trace_decay": 0.0, "traces": "replacing"}),
    ("dyna-q", dyna_q, {"learning_rate": 0.3, "planning_steps": 4}),
    ("dyna-q", dyna_q, {**ONE_OVER_N, "planning_steps": 2}),
    ("dyna-q", dyna_q, {"learning_rate": 0.3, "planning_steps": 0}),
]


@pytest.mark.parametrize(("name", "rule", "settings"), CASES)
def test_a_rule_and_its_twin(name, rule, settings):
    """Three runs on a random MDP whose outcomes, rewards, ends and cuts are all random; compared three times."""
    rng = np.random.default_rng(5)
    probability = rng.dirichlet(np.full(STATES, 0.5), (STATES, ACTIONS)).cumsum(axis=-1)
    mean = rng.normal(size=(STATES, ACTIONS))
    agent = make(
        name, Discrete(STATES), Discrete(ACTIONS), SEEDS, gamma=GAMMA, initial_value=INITIAL, **SCHEDULE, **settings
    )
    seen = [[] for _ in SEEDS]
    state = np.zeros(3, dtype=np.int64)
    for number in range(STEPS):
        action = agent.act(state)
        if name != "q-lambda" and number % 3 == 0:
            action = rng.integers(ACTIONS, size=3)  # what the agent does need not be what it chose
        next_state = (rng.random((3, 1)) > probability[state, action]).sum(axis=1)
        reward = mean[state, action] + rng.normal(size=3)
        kind = rng.random(3)
        compared = number in (STEPS // 7, STEPS // 2, STEPS - 1)
        terminated, truncated = kind < 0.07, (kind > 0.94) | compared  # a twin wants whole episodes
        agent.observe(Transition(state, action, reward, next_state, terminated, truncated & ~terminated))
        for k in range(3):
            row = state[k], action[k], reward[k], next_state[k], terminated[k], truncated[k] and not terminated[k]
            seen[k].append(Seen(*(value.item() if hasattr(value, "item") else value for value in row), number))
        if compared:
            for k, seed in enumerate(SEEDS):
                twin = Twin(settings)
                rule(twin, seen[k], seed)
                np.testing.assert_allclose(agent.table[k], twin.q, rtol=0, atol=1e-12)
        state = np.where(terminated | truncated, 0, next_state)


def test_lambda_0_is_q_learning_and_so_is_planning_of_no_steps():
    rng = np.random.default_rng(0)
    agents = [
        make(name, Discrete(4), Discrete(2), [1], learning_rate=0.3, **settings)
        for name, settings in (
            ("q-learning", {}),
            ("q-lambda", {"trace_decay": 0.0}),
            ("dyna-q", {"planning_steps": 0}),
        )
    ]
    for _ in range(300):
        row = rng.integers(4, size=1), rng.integers(2, size=1), rng.normal(size=1), rng.integers(4, size=1)
        step = Transition(*row, rng.random(1) < 0.1, np.array([False]))
        for agent in agents:
            agent.observe(step)
    assert agents[0].table.tobytes() == agents[1].table.tobytes() == agents[2].table.tobytes()
