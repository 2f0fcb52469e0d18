"""Every rule against numbers worked out by hand."""

import numpy as np
import pytest
from gymnasium.spaces import Discrete

from gridrl_agents.base import Transition
from gridrl_agents.errors import SettingsError
from gridrl_agents.registry import make


def one(obs, action, reward, next_obs, terminated=False, truncated=False):
    fields = (obs, action, reward, next_obs, terminated, truncated)
    return Transition(*(np.array([field]) for field in fields))


# Learning rate .5, gamma .9, all values begin at 2, epsilon .2 (so that the policy's
# mean value of a state with values 2 and x is .9 * the greater + .1 * the lesser).


def by_hand(name, steps, **settings):
    agent = make(
        name,
        Discrete(3),
        Discrete(2),
        [0],
        **{"learning_rate": 0.5, "gamma": 0.9, "initial_value": 2.0, "epsilon_begin": 0.2, "epsilon_end": 0.2}
        | settings,
    )
    errors = [agent.observe(step)["td_error"][0] for step in steps]
    return agent, errors


def test_sarsa_by_hand():
    agent, errors = by_hand("sarsa", [one(0, 1, 1.0, 1), one(1, 0, -3.0, 0), one(0, 1, 5.0, 2, terminated=True)])
    # Step 1 waits. When action 0 in state 1 is known: 1 + .9 * 2 - 2 = .8, Q(0, 1) = 2.4.
    # Step 2 learns when action 1 in state 0 is known: -3 + .9 * 2.4 - 2 = -2.84, Q(1, 0) = .58; then step 3 is the last
    # one: 5 - 2.4 = 2.6, Q(0, 1) = 3.7. The mean of 2.84 and 2.6 is 2.72.
    np.testing.assert_allclose(agent.table[0], [[2, 3.7], [0.58, 2], [2, 2]])
    np.testing.assert_allclose(errors, [np.nan, 0.8, 2.72])
    # Cut: nobody acts in state 0, whose mean value is .9 * 3.7 + .1 * 2 = 3.53: 0 + .9 * 3.53 - 2 = 1.177.
    np.testing.assert_allclose(agent.observe(one(2, 0, 0.0, 0, truncated=True))["td_error"], 1.177)
    assert agent.table[0, 2, 0] == pytest.approx(2.5885)


def test_expected_sarsa_by_hand():
    agent, errors = by_hand(
        "expected-sarsa", [one(0, 1, 1.0, 1), one(1, 0, -3.0, 0), one(2, 0, 5.0, 0, terminated=True)]
    )
    # 1 + .9 * 2 - 2 = .8; state 0 is now worth .9 * 2.4 + .1 * 2 = 2.36: -3 + .9 * 2.36 - 2 = -2.876; 5 - 2 = 3.
    np.testing.assert_allclose(errors, [0.8, 2.876, 3.0])
    np.testing.assert_allclose(agent.table[0], [[2, 2.4], [0.562, 2], [3.5, 2]])


def test_monte_carlo_by_hand():
    steps = [one(0, 1, 1.0, 1), one(1, 0, 2.0, 0), one(0, 1, 4.0, 2, terminated=True)]
    # The returns, last first: 4; 2 + .9 * 4 = 5.6; 1 + .9 * 5.6 = 6.04.
    first, errors = by_hand("monte-carlo", steps, learning_rate=1.0)
    np.testing.assert_allclose(first.table[0], [[2, 6.04], [5.6, 2], [2, 2]])
    np.testing.assert_allclose(errors, [np.nan, np.nan, (3.6 + 4.04) / 2])
    every, _ = by_hand("monte-carlo", steps, learning_rate=1.0, visits="every")
    np.testing.assert_allclose(every.table[0], [[2, (4 + 6.04) / 2], [5.6, 2], [2, 2]])  # 1/n: the mean
    # Cut after the last step: what state 2 is worth, 2, counts: 4 + .9 * 2 = 5.8, 2 + .9 * 5.8 = 7.22.
    cut, _ = by_hand("monte-carlo", [steps[1], one(0, 1, 4.0, 2, truncated=True)], learning_rate=1.0)
    np.testing.assert_allclose(cut.table[0], [[2, 5.8], [7.22, 2], [2, 2]])


def test_double_q_learning_by_hand():
    agent, errors = by_hand("double-q-learning", [one(0, 1, 5.0, 2, terminated=True)])
    both = agent.by_state["both"][0]
    assert errors == [3.0]
    assert sorted(both[0, 1]) == [2.0, 3.5]  # one table learned, whichever it was
    assert agent.table[0, 0, 1] == 2.75
    # State 2 is set so that the tables disagree: the first prefers action 0, the second action 1.
    both[2] = [[10.0, 1.0], [0.0, 20.0]]
    before = both[1, 0].copy()
    error = agent.observe(one(1, 0, 0.0, 2))["td_error"][0]
    learned = int((both[1, 0] != before).argmax())
    value = [1.0, 0.0][learned]  # the first's choice, action 0, is worth 1 to the second; the second's, 0 to the first
    assert error == pytest.approx(abs(0.9 * value - 2))
    np.testing.assert_allclose(both[1, 0, learned], 2 + 0.5 * (0.9 * value - 2))


def test_n_step_sarsa_by_hand():
    steps = [one(0, 1, 1.0, 1), one(1, 0, 2.0, 0), one(0, 0, 4.0, 1), one(1, 1, 8.0, 2, terminated=True)]
    agent, errors = by_hand("n-step-sarsa", steps, n_step=2)
    # Known after step 3: 1 + .9 * 2 + .81 * Q(0, 0) - 2 = 2.42, Q(0, 1) = 3.21. After step 4, in turn:
    # 2 + .9 * 4 + .81 * 2 - 2 = 5.22, Q(1, 0) = 4.61; 4 + .9 * 8 - 2 = 9.2, Q(0, 0) = 6.6; 8 - 2 = 6, Q(1, 1) = 5.
    np.testing.assert_allclose(agent.table[0], [[6.6, 3.21], [4.61, 5], [2, 2]])
    np.testing.assert_allclose(errors, [np.nan, np.nan, 2.42, (5.22 + 9.2 + 6) / 3])
    # An episode shorter than n, cut: state 1 is worth .9 * 5 + .1 * 4.61 = 4.961, and 0 + .9 * 4.961 - 2 = 2.4649.
    np.testing.assert_allclose(agent.observe(one(2, 0, 0.0, 1, truncated=True))["td_error"], 2.4649)


@pytest.mark.parametrize(("traces", "trace"), [("accumulating", 1 + 0.81 * 0.64), ("replacing", 1.0)])
def test_q_lambda_by_hand(traces, trace):
    settings = {"traces": traces, "trace_decay": 0.8, "initial_value": 0.0}
    agent, errors = by_hand("q-lambda", [one(0, 1, 1.0, 1)], **settings)
    np.testing.assert_allclose(agent.table[0], [[0, 0.5], [0, 0], [0, 0]])
    # Greedy in state 1 (both are 0): the trace of (0, 1) is .72. -3 + .9 * .5 = -2.55; Q(0, 1) = .5 - .5 * 2.55 * .72.
    agent.observe(one(1, 0, -3.0, 0))
    np.testing.assert_allclose(agent.table[0], [[0, -0.418], [-1.275, 0], [0, 0]])
    # Not greedy (0 is better than -.418): all traces end. 4 + .9 * 0 + .418 = 4.418; Q(0, 1) = -.418 + 2.209 = 1.791.
    errors.append(agent.observe(one(0, 1, 4.0, 1))["td_error"][0])
    np.testing.assert_allclose(errors, [1.0, 4.418])
    np.testing.assert_allclose(agent.table[0], [[0, 1.791], [-1.275, 0], [0, 0]])
    # Greedy twice, and (0, 1) again: its trace is .72^2 = .81 * .64, and 1 more or 1.
    agent.observe(one(1, 1, 0.0, 0))  # .9 * 1.791 = 1.6119: Q(1, 1) = .80595, Q(0, 1) = 1.791 + .5 * 1.6119 * .72
    np.testing.assert_allclose(agent.table[0, :2].ravel(), [0, 2.371284, -1.275, 0.80595])
    agent.observe(one(0, 1, 0.0, 2, terminated=True))  # -2.371284, half of it times the traces
    np.testing.assert_allclose(agent.table[0, 0, 1], 2.371284 * (1 - 0.5 * trace))
    np.testing.assert_allclose(agent.table[0, 1, 1], 0.80595 - 0.5 * 2.371284 * 0.72)
    assert not agent.by_step["trace"].any()  # the episode has ended


def test_dyna_q_by_hand():
    agent, errors = by_hand("dyna-q", [one(0, 1, 5.0, 2, terminated=True)], planning_steps=3)
    # One pair is known, so that it is learned from four times: 5 - 3 / 2^4. The real error is the metric.
    assert errors == [3.0]
    assert agent.table[0, 0, 1] == 5 - 3 / 16
    assert (np.delete(agent.table[0].ravel(), 1) == 2).all()
    # The same action has another outcome now: the model holds the last one, learned from once really, thrice planned.
    agent.observe(one(0, 1, 1.0, 2, terminated=True))
    assert agent.table[0, 0, 1] == pytest.approx(1 + (4 - 3 / 16) / 16)


def test_a_learning_rate_of_1_over_n_gives_the_mean():
    agent, _ = by_hand(
        "q-learning",
        [one(0, 1, r, 2, terminated=True) for r in (4.0, 8.0, -3.0)],
        learning_rate=1.0,
        learning_rate_power=1.0,
    )
    assert agent.table[0, 0, 1] == pytest.approx(3.0)
    agent, _ = by_hand("q-learning", [one(0, 1, r, 2, terminated=True) for r in (4.0, 8.0)], learning_rate_power=0.5)
    assert agent.table[0, 0, 1] == pytest.approx(3 + 0.5 / np.sqrt(2) * 5)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("sarsa", {"learning_rate_power": 1.5}, r"learning_rate_power must be a number from 0 to 1, not 1\.5"),
        ("monte-carlo", {"visits": "evry"}, r"unknown visits 'evry'; did you mean 'every'\?"),
        ("n-step-sarsa", {"n_step": 0}, r"n_step must be a whole number of at least 1, not 0"),
        ("q-lambda", {"trace_decay": 2}, r"trace_decay must be a number from 0 to 1, not 2"),
        ("q-lambda", {"traces": "dutch"}, r"unknown traces 'dutch'; known are: accumulating, replacing"),
        ("dyna-q", {"planning_steps": -1}, r"planning_steps must be a whole number of at least 0, not -1"),
        ("fitted-q", {"regressor": "tree"}, r"unknown regressor 'tree'"),
        ("fitted-q", {"batch_size": 8}, r"batch_size is the network's; leave it out, or set regressor to 'network'"),
        ("fitted-q", {"regressor": "network", "initial_value": 1.0}, r"initial_value is the table's"),
        ("fitted-q", {"refit_period": 0}, r"refit_period must be a whole number of at least 1, not 0"),
    ],
)
def test_settings_that_will_not_do(name, settings, message):
    with pytest.raises(SettingsError, match=message):
        make(name, Discrete(3), Discrete(2), [0], **settings)
