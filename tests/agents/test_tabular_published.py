"""Textbook results (Sutton & Barto, 2nd ed.), runs in lockstep; margins are three standard errors, theirs and ours."""

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Discrete

from gridrl_agents.base import Transition
from gridrl_agents.registry import make


def cliff_returns(name, runs, episodes):
    """Returns per episode while learning, [runs, episodes], on the cliff of example 6.6 and with its settings."""
    outcomes = gymnasium.make("CliffWalking-v1").unwrapped.P
    table = [[outcomes[state][action][0] for action in range(4)] for state in range(48)]
    next_state, reward, end = (np.array([[each[k] for each in row] for row in table]) for k in (1, 2, 3))
    settings = {"learning_rate": 0.5, "gamma": 1.0, "epsilon_begin": 0.1, "epsilon_end": 0.1}
    agent = make(name, Discrete(48), Discrete(4), range(runs), **settings)
    state, earned, returns = np.full(runs, 36), np.zeros(runs), [[] for _ in range(runs)]
    never = np.zeros(runs, dtype=bool)
    while min(map(len, returns)) < episodes:
        action = agent.act(state)
        entry = state, action
        agent.observe(Transition(state, action, reward[entry], next_state[entry], end[entry], never))
        earned += reward[entry]
        for run in np.flatnonzero(end[entry]):
            returns[run].append(earned[run])
            earned[run] = 0.0
        state = np.where(end[entry], 36, next_state[entry])
    return np.array([each[:episodes] for each in returns])


@pytest.mark.parametrize(("name", "published", "error"), [("sarsa", -27.3, 1.1), ("q-learning", -50.6, 1.2)])
def test_example_6_6_cliff_walking(name, published, error):
    last = cliff_returns(name, 40, 500)[:, 400:].mean(axis=1)
    assert last.mean() == pytest.approx(published, abs=3 * np.hypot(error, last.std(ddof=1) / np.sqrt(40)))


def shares_of_left(name, runs=1500, episodes=300):
    """Share of "left" in each episode of example 6.7, [episodes], and the standard error over runs of the last 51.

    State 0 is A, whose actions are 0 left and 1 right, and 1 is B with ten. Epsilon-greedy choices are made here, for A
    has fewer actions than the table.
    """
    settings = {"learning_rate": 0.1, "gamma": 1.0, "epsilon_begin": 0.1, "epsilon_end": 0.1}
    agent = make(name, Discrete(3), Discrete(10), range(runs), **settings)
    rng = np.random.default_rng(67)
    state, episode, never = np.zeros(runs, dtype=np.int64), np.zeros(runs, dtype=np.int64), np.zeros(runs, dtype=bool)
    left = np.zeros((runs, 1000), dtype=bool)
    while episode.min() < episodes:
        available = np.where(state[:, None] == 0, np.arange(10) < 2, True)
        values = np.where(available, agent.table[np.arange(runs), state], -np.inf)
        best = (values == values.max(axis=1, keepdims=True)) | (available & (rng.random((runs, 1)) < 0.1))
        action = np.where(best, rng.random((runs, 10)), -1).argmax(axis=1)
        goes_left = (state == 0) & (action == 0)
        left[goes_left, episode[goes_left]] = True
        reward = np.where(state == 1, rng.normal(-0.1, 1, runs), 0.0)
        next_state = np.where(goes_left, 1, 2)
        agent.observe(Transition(state, action, reward, next_state, next_state == 2, never))
        episode += next_state == 2
        state = np.where(next_state == 2, 0, 1)
    last = left[:, 249:episodes].mean(axis=1)
    return left[:, :episodes].mean(axis=0), last.mean(), last.std(ddof=1) / np.sqrt(runs)


def test_example_6_7_maximization_bias():
    shares, last, error = shares_of_left("q-learning")
    binomial = np.sqrt(0.25 / 1500)
    assert shares[0] == pytest.approx(0.5, abs=3 * binomial)
    assert shares.max() == pytest.approx(0.945, abs=3 * np.sqrt(2 * 0.945 * 0.055 / 1500))
    assert 15 <= shares.argmax() <= 30  # published near 22
    assert last == pytest.approx(0.128, abs=3 * np.sqrt(2) * error)

    double, double_last, double_error = shares_of_left("double-q-learning")
    assert double.max() < 0.52 + 3 * binomial
    assert double_last == pytest.approx(0.068, abs=3 * np.sqrt(2) * double_error)
    assert 0.05 < double_last < last - 3 * np.hypot(error, double_error)


MAZE = """
.......#G
..#....#.
S.#....#.
..#......
.....#...
.........
"""


def maze_steps(planning_steps, runs, episodes):
    """Steps per episode, [runs, episodes], in the maze of example 8.1 and with its settings."""
    rows = MAZE.strip().splitlines()
    floor = {(r, c): row[c] for r, row in enumerate(rows) for c in range(9) if row[c] != "#"}
    move = np.zeros((54, 4), dtype=np.int64)
    for r, c in floor:
        for action, (down, right) in enumerate([(-1, 0), (1, 0), (0, -1), (0, 1)]):
            to = (r + down, c + right) if (r + down, c + right) in floor else (r, c)
            move[r * 9 + c, action] = to[0] * 9 + to[1]
    agent = make(
        "dyna-q",
        Discrete(54),
        Discrete(4),
        range(runs),
        planning_steps=planning_steps,
        learning_rate=0.1,
        gamma=0.95,
        epsilon_begin=0.1,
        epsilon_end=0.1,
    )
    state, counts, never = np.full(runs, 18), [[0] for _ in range(runs)], np.zeros(runs, dtype=bool)
    while min(map(len, counts)) <= episodes:
        action = agent.act(state)
        next_state = move[state, action]
        end = next_state == 8
        agent.observe(Transition(state, action, end.astype(float), next_state, end, never))
        for run in range(runs):
            counts[run][-1] += 1
            if end[run]:
                counts[run].append(0)
        state = np.where(end, 18, next_state)
    return np.array([each[:episodes] for each in counts])


def test_example_8_1_planning_in_the_maze():
    """Figure 8.2: 50 planning steps need about three episodes to come near the optimum of 14 steps, Q-learning 25."""
    planned, plain = maze_steps(50, 6, 6).mean(axis=0), maze_steps(0, 6, 6).mean(axis=0)
    assert planned[4:].max() < 25
    assert plain[4:].min() > 60
