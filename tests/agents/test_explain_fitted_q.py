"""Every number that is told of a refit, beside the backups worked out apart; and of agents that explain knows not."""

from collections import defaultdict

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from gridrl_agents.base import Agent, Transition
from gridrl_agents.errors import SettingsError
from gridrl_agents.explain import explain
from gridrl_agents.registry import make

STATES, ACTIONS, RUN, GAMMA, PERIOD, KEPT, BACKUPS = 4, 3, 1, 0.9, 12, 20, 5


def random_steps(count, seed=0):
    """Yield transitions of two runs; `obs` are states."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        obs, action, next_obs = (rng.integers(high, size=2) for high in (STATES, ACTIONS, STATES))
        terminated = rng.random(2) < 0.2
        yield Transition(obs, action, rng.normal(size=2), next_obs, terminated, ~terminated & (rng.random(2) < 0.2))


def make_fitted(space, **settings):
    fixed = {"gamma": GAMMA, "refit_period": PERIOD, "replay_capacity": KEPT, "num_iterations": BACKUPS}
    return make("fitted-q", space, Discrete(ACTIONS), [3, 4], **fixed | settings)


def backup(table, kept):
    """Return the targets of what is kept, and the table of their means."""
    targets = [reward + (0 if ended else GAMMA) * table[after].max() for _, _, reward, after, ended in kept]
    examples = defaultdict(list)
    for (state, action, *_), target in zip(kept, targets, strict=True):
        examples[state, action].append(target)
    fitted = table.copy()
    for entry, values in examples.items():
        fitted[entry] = np.mean(values)
    return targets, fitted


@pytest.mark.parametrize("item", [None, 7])
def test_a_table(item, make_check, assert_same):
    agent, plain = make_fitted(Discrete(STATES)), make_fitted(Discrete(STATES))
    table, log = np.zeros((STATES, ACTIONS)), []
    for step, transition in enumerate(random_steps(5 * PERIOD), start=1):
        told = explain(agent, transition, RUN, item=item)
        plain.observe(transition)
        state, action, reward, next_state, terminated, _ = (field[RUN].item() for field in transition)
        log.append((state, action, reward, next_state, terminated))
        assert (told is None) == (step % PERIOD != 0)
        if told is None:
            continue
        check = make_check(told)
        # The ring keeps the last ones; the place of a step is its number modulo the ring's length.
        kept = [log[number] for number in range(max(step - KEPT, 0), step)]
        kept = [kept[place] for place in np.argsort([number % KEPT for number in range(max(step - KEPT, 0), step)])]
        tables = [table]
        first_targets = None
        for _ in range(BACKUPS):
            targets, fitted = backup(tables[-1], kept)
            first_targets = targets if first_targets is None else first_targets
            tables.append(fitted)
        errors = [target - table[one[:2]] for target, one in zip(first_targets, kept, strict=True)]
        i = int(np.argmax(np.abs(errors))) if item is None else item
        state, action, reward, next_state, terminated = kept[i]
        row = table[next_state]
        check(item=i, action=action, reward=reward, discount=0.0 if terminated else GAMMA)
        check(q=table[state], q_next=row, estimate=table[state, action])
        check(next_action=int(row.argmax()), next_value=row.max(), td_target=first_targets[i], td_error=errors[i])
        same = [place for place, one in enumerate(kept) if one[:2] == (state, action)]
        columns = {"i": same, "r": [kept[place][2] for place in same]}
        check(
            examples=columns | {"td_target": [first_targets[place] for place in same]}, fitted=tables[1][state, action]
        )
        values = [each[state, action] for each in tables[1:]]
        check(first_q=values[0], history={"backup": range(1, BACKUPS + 1), "Q(s, a)": values}, new_q=values[-1])
        check(q_after=tables[-1][state])
        check.done()
        assert told.transition.obs == state
        assert told.transition.next_obs == next_state
        table = tables[-1]
        shown = agent.q_values(np.tile(np.arange(STATES), (2, 1)))
        np.testing.assert_allclose(shown[RUN], table)
    assert_same(agent.state_dict(), plain.state_dict())


def test_a_network(make_check, assert_same):
    agent, plain = (
        make_fitted(Box(-1, 1, (3,), np.float32), regressor="network", hidden_sizes=(8,), fit_updates=5)
        for _ in range(2)
    )
    codes = np.random.default_rng(1).uniform(-1, 1, (STATES, 3)).astype(np.float32)
    log = []
    for step, transition in enumerate(random_steps(2 * PERIOD), start=1):
        log.append(tuple(field[RUN].item() for field in transition))
        shown = transition._replace(obs=codes[transition.obs], next_obs=codes[transition.next_obs])
        before = agent.q_values(np.stack([codes, codes]))[RUN]
        told = explain(agent, shown, RUN)
        plain.observe(shown)
        if told is None:
            continue
        check = make_check(told)
        kept = [log[number] for number in range(max(step - KEPT, 0), step)]
        kept = [kept[place] for place in np.argsort([number % KEPT for number in range(max(step - KEPT, 0), step)])]
        targets = [r + (0 if ended else GAMMA) * before[after].max() for _, _, r, after, ended, _ in kept]
        errors = [target - before[one[:2]] for target, one in zip(targets, kept, strict=True)]
        i = int(np.argmax(np.abs(errors)))
        state, action, reward, next_state, terminated, _ = kept[i]
        row = before[next_state]
        loose = {"rel": 1e-5, "abs": 1e-5}
        check(item=i, action=action, reward=reward, discount=0.0 if terminated else GAMMA)
        check(q=before[state], q_next=row, estimate=before[state, action], next_value=row.max(), **loose)
        check(next_action=int(row.argmax()), td_target=targets[i], td_error=errors[i], **loose)
        check(fit_updates=5, batch_size=32, learning_rate=1e-3)
        after = agent.q_values(np.stack([codes, codes]))[RUN]
        check(q_after=after[state], new_q=after[state, action], **loose)
        # What each backup made of it is seen on an agent that is stopped after it.
        history = check.told["history"]
        assert history["backup"] == list(range(1, BACKUPS + 1))
        assert history["Q(s, a)"][0] == check.told["first_q"]
        assert history["Q(s, a)"][-1] == pytest.approx(after[state, action], rel=1e-5)
        assert len(set(history["Q(s, a)"])) == BACKUPS
        check.seen |= {"history", "first_q"}
        check(**{"obs s": "", "obs s'": ""})
        np.testing.assert_array_equal(told.transition.obs, codes[state])
        np.testing.assert_array_equal(told.transition.next_obs, codes[next_state])
        check.done()
    assert_same(agent.state_dict(), plain.state_dict())


def test_an_item_that_is_not_there():
    agent = make_fitted(Discrete(STATES), refit_period=2)
    first, second = random_steps(2)
    assert explain(agent, first, item=3) is None
    with pytest.raises(SettingsError, match=r"the item must be from 0 to 1, as there are 2 transitions kept; got 3\."):
        explain(agent, second, item=3)
    assert agent.size == 1


class Guess(Agent):
    """Believes half of the latest reward of each action, everywhere; learns from positive ones alone."""

    def __init__(self):
        self.seeds, self.gamma, self.num_updates = (3, 4), GAMMA, 0
        self.guesses = np.zeros((2, ACTIONS))

    epsilon = 0.5

    def act(self, obs):
        raise NotImplementedError

    def observe(self, transition):
        if (transition.reward <= 0).all():
            return {}
        self.guesses[[0, 1], transition.action] = transition.reward / 2
        return {"surprise": np.where(transition.reward < 0, np.nan, transition.reward**2)}

    def q_values(self, obs):
        return np.repeat(self.guesses[:, None], np.shape(obs)[1], axis=1)

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


def test_an_agent_of_another_kind(make_check):
    agent, learned = Guess(), 0
    for transition in random_steps(20):
        before = agent.guesses[RUN].copy()
        told = explain(agent, transition, RUN)
        _, action, reward, _, terminated, _ = (field[RUN].item() for field in transition)
        assert (told is None) == (reward <= 0)
        if told is None:
            continue
        learned += 1
        after = before.copy()
        after[action] = reward / 2
        check = make_check(told)
        check(action=action, reward=reward, discount=0.0 if terminated else GAMMA, q=before, q_next=before)
        check(q_after=after, q_next_after=after, new_q=after[action], **{"metric/surprise": reward**2})
        check.done()
        assert any("Guess" in item for items in told.sections for item in items if isinstance(item, str))
    assert learned > 5
