"""True returns of a greedy policy: beside exact solutions, beside numbers worked out by hand, beside a naive twin."""

import dataclasses
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from gridrl.errors import UserError
from gridrl.maps.beliefs import start_situation
from gridrl.truth.returns import Returns, action_returns, rollout_returns
from gridrl.truth.solution import return_bounds, solve
from gridrl_agents.base import Agent
from gridrl_agents.registry import make
from gridrl_agents.tabular.planning import policy_evaluation
from gridrl_envs.dynamics import Dynamics, State, States
from gridrl_envs.gridworld import GridworldEnv
from gridrl_envs.level import Level, Rewards
from gridrl_envs.model import build_model
from gridrl_envs.observations import StateIndex
from gridrl_envs.vector import GridworldVectorEnv

GUARDED = """
######
#P $X#
#>  ##
# @ G#
######
"""
CORRIDOR = "#####\n#P G#\n#####\n"


def level_of(drawing: str, **settings: Any) -> Level:
    return Level.from_string(drawing.strip() + "\n", **{"patrol_period": 1, **settings})


def table_agent(level: Level, q_values: np.ndarray, gamma: float) -> tuple[Agent, GridworldVectorEnv]:
    """Return an agent whose tables are `q_values` [R, S, A], and its world."""
    world = GridworldVectorEnv(1, level, observation="state")
    agent = make(
        "q-learning", world.single_observation_space, world.single_action_space, range(len(q_values)), gamma=gamma
    )
    agent.load_values({"table": q_values})
    return agent, world


def exact_q(level: Level, q_values: np.ndarray, gamma: float) -> np.ndarray:
    """Return Q^pi [S, A] of the policy that is greedy for `q_values` [S, A] and chooses evenly among the best."""
    model = build_model(level)
    best = q_values == q_values.max(axis=1, keepdims=True)
    values = policy_evaluation(model, best / best.sum(axis=1, keepdims=True), gamma)
    following = np.where(model.terminated, 0.0, values[model.next_state])
    return (model.probability * (model.reward + gamma * following)).sum(axis=2)


def all_states(level: Level) -> States:
    index = StateIndex(Dynamics(level))
    return index.decode(np.arange(index.num_states))


def exact_variance(level: Level, q_values: np.ndarray, gamma: float) -> np.ndarray:
    """Return the variance [S, A] of the return of that policy, from E[G^2] = E[r^2 + 2 gamma r G' + gamma^2 G'^2]."""
    model = build_model(level)
    best = q_values == q_values.max(axis=1, keepdims=True)
    policy = best / best.sum(axis=1, keepdims=True)
    mean = exact_q(level, q_values, gamma)
    goes_on = ~model.terminated
    following = np.where(goes_on, (policy * mean).sum(axis=1)[model.next_state], 0.0)
    square = np.zeros_like(mean)
    for _ in range(300):  # .9^600 is 4e-28
        later = np.where(goes_on, (policy * square).sum(axis=1)[model.next_state], 0.0)
        outcome = model.reward**2 + 2 * gamma * model.reward * following + gamma**2 * later
        square = (model.probability * outcome).sum(axis=2)
    return square - mean**2


def within_noise(found: Returns, level: Level, tables: np.ndarray, some: slice, num_rollouts: int) -> None:
    """Hold means and standard errors beside the exact mean and variance of the return; gamma is .9."""
    exact = np.stack([exact_q(level, table, 0.9)[some] for table in tables])
    variance = np.stack([exact_variance(level, table, 0.9)[some] for table in tables])
    error, noisy = found.value - exact, variance > 1e-6
    assert (found.std_error[noisy] > 0).all()
    assert (found.std_error[~noisy] < 1e-6).all()
    assert (np.abs(error[~noisy]) <= found.tail_bound[~noisy] + 1e-6).all()
    z = error[noisy] / np.sqrt(variance[noisy] / num_rollouts)
    ratio = found.std_error[noisy] ** 2 / (variance[noisy] / num_rollouts)
    assert z.size > 60
    for is_one in (z + 1, z**2, ratio):  # z has mean 0 and variance 1
        assert abs(is_one.mean() - 1) < 4 * is_one.std() / np.sqrt(z.size)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.97])
@pytest.mark.parametrize("drawing", [GUARDED, CORRIDOR])
def test_one_rollout_is_the_exact_value(drawing: str, gamma: float) -> None:
    level = level_of(drawing, rewards=Rewards(step=-1.0, caught=-50.0))
    states = all_states(level)
    tables = np.random.default_rng(0).normal(size=(3, states.cell.size, 4))
    agent, world = table_agent(level, tables, gamma)
    found = action_returns(agent, world, states)
    assert found.exact.all()
    assert (found.std_error == 0).all()
    assert (gamma == 0) or (found.loop_length > 0).any()
    for run in range(3):
        np.testing.assert_allclose(found.value[run], exact_q(level, tables[run], gamma), atol=1e-9)


def test_the_policys_own_first_action() -> None:
    level = level_of(GUARDED, rewards=Rewards(step=-1.0))
    states = all_states(level)
    tables = np.random.default_rng(1).normal(size=(2, states.cell.size, 4))
    agent, world = table_agent(level, tables, 0.9)
    twice = States(*(np.concatenate([array, array]) for array in states))
    found = rollout_returns(agent, world, twice)
    for run in range(2):
        exact = exact_q(level, tables[run], 0.9)[np.arange(states.cell.size), tables[run].argmax(axis=1)]
        np.testing.assert_allclose(found.value[run], exact, atol=1e-9)


def test_ties_are_averaged() -> None:
    level = level_of(GUARDED, rewards=Rewards(step=-1.0))
    states, some = all_states(level), slice(None, None, 3)
    tables = np.random.default_rng(2).integers(0, 3, size=(2, states.cell.size, 4)).astype(float)
    agent, world = table_agent(level, tables, 0.9)
    found = action_returns(agent, world, States(*(array[some] for array in states)), num_rollouts=300)
    assert found.exact.any()
    assert (found.num_rollouts[found.std_error > 0] == 300).all()
    assert (found.num_rollouts[found.exact] == 1).all()
    within_noise(found, level, tables, some, 300)


def test_slips_are_averaged() -> None:
    level = level_of(GUARDED, rewards=Rewards(step=-1.0), slip=0.3)
    states, some = all_states(level), slice(None, None, 3)
    tables = np.random.default_rng(3).normal(size=(2, states.cell.size, 4))
    agent, world = table_agent(level, tables, 0.9)
    found = action_returns(agent, world, States(*(array[some] for array in states)), num_rollouts=200)
    assert not found.exact.any()
    assert (found.loop_length == 0).all()
    within_noise(found, level, tables, some, 200)


def test_noise_of_rewards_is_left_out() -> None:
    level = level_of(GUARDED)
    states = all_states(level)
    tables = np.random.default_rng(4).normal(size=(1, states.cell.size, 4))
    found = [
        action_returns(*table_agent(dataclasses.replace(level, reward_noise=noise), tables, 0.9), states)
        for noise in (0.0, 30.0)
    ]
    for without, with_noise in zip(*found, strict=True):
        np.testing.assert_array_equal(without, with_noise)


@pytest.mark.parametrize("drawing", [GUARDED, "######\n#P  @#\n#   $#\n######\n"])
def test_who_knows_the_truth_earns_it(drawing: str) -> None:
    level = level_of(drawing, rewards=Rewards(step=-1.0))
    solution = solve(level, 0.9)
    agent, world = table_agent(level, solution.q_values[None], 0.9)
    found = action_returns(agent, world, all_states(level), num_rollouts=4)
    assert (found.num_rollouts > 1).any()  # some states have two best actions
    np.testing.assert_allclose(found.value[0], solution.q_values, atol=1e-6)


def test_a_corridor_by_hand() -> None:
    # Cells 6, 7 and the goal 8. Run 0 walks right; run 1 to and fro between 6 and 7; run 2 walks into the wall above.
    level = level_of(CORRIDOR, rewards=Rewards(goal=10.0, step=-1.0))
    up, left, right = np.eye(4)[[0, 2, 3]]
    tables = np.array([[right, right, up], [right, left, up], [up, up, up]])
    agent, world = table_agent(level, tables, 0.5)
    found = action_returns(agent, world, all_states(level))
    # Run 0 has V(7) = -1 + 10 = 9, V(6) = -1 + .5 V(7) = 3.5; a step in vain before them costs -1 and halves them.
    # For ever -1 a step is -1 / (1 - .5) = -2, wherever one begins.
    expected = [
        [[0.75, 0.75, 0.75, 3.5], [3.5, 3.5, 0.75, 9], [0, 0, 0, 0]],
        [[-2, -2, -2, -2], [-2, -2, -2, 9], [0, 0, 0, 0]],
        [[-2, -2, -2, -2], [-2, -2, -2, 9], [0, 0, 0, 0]],
    ]
    np.testing.assert_allclose(found.value, expected, atol=1e-12)
    loops = [
        [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
        [[2, 2, 2, 2], [2, 2, 2, 0], [0, 0, 0, 0]],
        [[1, 1, 1, 1], [1, 1, 1, 0], [0, 0, 0, 0]],
    ]
    np.testing.assert_array_equal(found.loop_length, loops)


def test_undiscounted_circles() -> None:
    up, right = np.eye(4)[[0, 3]]
    tables = np.array([[right, right, up], [up, up, up]])
    for step, circle in ((0.0, 0.0), (-1.0, -np.inf), (1.0, np.inf)):
        level = level_of(CORRIDOR, rewards=Rewards(goal=10.0, step=step))
        agent, world = table_agent(level, tables, 1.0)
        found = rollout_returns(agent, world, States.of([State(6, 0, ())] * 2))
        np.testing.assert_array_equal(found.value[:, 0], [10 + 2 * step, circle])
        np.testing.assert_array_equal(found.tail_bound, 0.0)


def naive_return(agent: Agent, run: int, level: Level, observation: str, state: State, steps: int) -> float:
    """Play one course in the environment for one state, in plain Python, and add up what it earns."""
    env = GridworldEnv(level, observation=observation, max_steps=100_000)
    env.reset()
    env.set_state(state)
    policy, obs = agent.policy(0.0), env.observe()
    total, weight, terminated = 0.0, 1.0, False
    while steps and not terminated:
        shown = np.broadcast_to(np.asarray(obs), (agent.num_runs, 2, *np.shape(obs)))
        obs, reward, terminated, _, _ = env.step(int(policy.act(shown)[run, 0]))
        total, weight, steps = total + weight * float(reward), weight * agent.gamma, steps - 1
    return total


def small_network(name: str, world: GridworldVectorEnv, seeds: list[int], **settings: Any) -> Agent:
    sizes = {"hidden_sizes": (16,), **({"lstm_size": 16} if name == "drqn" else {})}
    spaces = world.single_observation_space, world.single_action_space
    return make(name, *spaces, seeds, observation_support=world.observation_support, **sizes, **settings)


def random_states(level: Level, count: int, seed: int) -> States:
    """Return states of any phase, with any items left, at steps that no episode counts."""
    random, dynamics = np.random.default_rng(seed), Dynamics(level)
    cell, step = random.choice(level.floor, count), random.integers(0, 10 * dynamics.num_phases, count)
    return States(cell, step, random.random((count, dynamics.num_items)) < 0.7)


@pytest.mark.parametrize("name", ["dqn", "drqn"])
def test_networks_on_dense_beside_a_naive_twin(name: str) -> None:
    level, observation = Level.load("dense"), "window" if name == "drqn" else "planes"
    world = GridworldVectorEnv(1, level, observation=observation)
    agent = small_network(name, world, [0, 1], gamma=0.9)
    states = random_states(level, 60, 0)
    found = rollout_returns(agent, world, states)
    assert found.exact.mean() > (0.9 if name == "dqn" else 0.0)
    assert (found.loop_length > 0).any() == (name == "dqn")  # a memory is never known to be where it was
    for row in range(0, 60, 7):
        run, column = divmod(row, 30)
        if Dynamics(level).is_over(states)[row]:
            assert found.value[run, column] == 0
            continue
        naive = naive_return(agent, run, level, observation, states.one(row), 250)  # .9^250 is 4e-12
        assert abs(found.value[run, column] - naive) <= found.tail_bound[run, column] + 1e-6


def test_patrollers_that_do_not_come_round() -> None:
    # They turn after 5 and 3 steps, so that both are back after lcm(10, 6) = 30 steps, and an episode has only 20.
    drawing = "#########\n#P   $  #\n#>     ##\n#>   ####\n#########\n"
    level = level_of(drawing, rewards=Rewards(step=-1.0, caught=-9.0), max_steps=20)
    world = GridworldVectorEnv(1, level)
    assert not world.dynamics.repeats
    agent = small_network("dqn", world, [0, 1], gamma=0.9)
    states = random_states(level, 40, 1)
    states = states._replace(step=states.step % 20)
    over = world.dynamics.is_over(states)
    found = rollout_returns(agent, world, states)
    bound = max(map(abs, return_bounds(level, 0.9)))
    assert (found.loop_length == 0).all()
    assert found.exact.any()
    assert not found.exact.all()
    for row in range(40):
        run, column = divmod(row, 20)
        steps = 0 if over[row] else 20 - int(states.step[row])
        naive = naive_return(agent, run, level, "planes", states.one(row), steps)
        assert found.value[run, column] == pytest.approx(naive, abs=1e-9)
        if found.tail_bound[run, column]:
            assert found.tail_bound[run, column] == pytest.approx(0.9**steps * bound)


def test_a_short_horizon_is_owned_up_to() -> None:
    level = level_of(CORRIDOR, rewards=Rewards(goal=10.0, step=-1.0))
    up, right = np.eye(4)[[0, 3]]
    agent, world = table_agent(level, np.array([[right, right, up], [up, up, up]]), 0.5)
    found = rollout_returns(agent, world, States.of([State(6, 0, ())] * 2), horizon=1)
    # The greatest return is 10 at once, the least -1 for ever; what the first step leaves of 10 is half.
    np.testing.assert_allclose(found.value[:, 0], [-1, -2])
    np.testing.assert_allclose(found.tail_bound[:, 0], [5, 0])


def test_a_memory_without_ties_is_played_once_and_with_ties_often() -> None:
    world = GridworldVectorEnv(1, "dense-small", observation="window")
    agent = small_network("drqn", world, [0, 1], gamma=0.9)
    states = start_situation(world)
    twice = States(*(np.concatenate([array, array]) for array in states))
    assert (rollout_returns(agent, world, twice).num_rollouts == 1).all()
    agent.load_values({name: np.zeros_like(value) for name, value in agent.values_dict().items()})
    found = rollout_returns(agent, world, twice, num_rollouts=8)
    assert (found.num_rollouts == 8).all()
    assert (found.std_error > 0).any()


@pytest.mark.parametrize("kind", ["network", "ties", "slip"])
def test_a_run_is_the_same_alone_and_in_company(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("gridrl.truth.returns"), "CHUNK", 40)  # several chunks
    level = level_of(GUARDED, slip=0.2 if kind == "slip" else 0.0)
    states = all_states(level)
    if kind == "network":
        world = GridworldVectorEnv(1, level)
        company, alone = (small_network("dqn", world, seeds) for seeds in ([3, 5, 8], [5]))
    else:
        tables = np.random.default_rng(5).integers(0, 5, size=(3, states.cell.size, 4)).astype(float)
        (company, world), (alone, _) = (table_agent(level, tables[part], 0.9) for part in (slice(3), slice(1, 2)))
        alone.seeds = (1,)
    found, again = (action_returns(agent, world, states, num_rollouts=5, key=7) for agent in (company, alone))
    assert (found.num_rollouts > 1).any() == (kind != "network")
    for many, one in zip(found, again, strict=True):
        np.testing.assert_array_equal(many[1:2], one)


@pytest.mark.parametrize("slip", [0.0, 0.2])
def test_more_states_do_not_change_the_draws_of_the_first(slip: float) -> None:
    level = level_of(GUARDED, slip=slip)
    states, over = all_states(level), Dynamics(level).is_over(all_states(level))
    playing = States(*(array[~over] for array in states))
    agent, world = table_agent(level, np.zeros((1, states.cell.size, 4)), 0.9)
    few = rollout_returns(agent, world, States(*(array[:7] for array in playing)), num_rollouts=3)
    many = rollout_returns(agent, world, playing, num_rollouts=3)
    assert (few.std_error > 0).any()
    for one, other in zip(few, many, strict=True):
        np.testing.assert_array_equal(one, other[:, :7])


def test_draws_depend_on_the_key() -> None:
    level = level_of(GUARDED, slip=0.2)
    states = all_states(level)
    agent, world = table_agent(level, np.random.default_rng(6).normal(size=(1, states.cell.size, 4)), 0.9)
    first, same, other = (action_returns(agent, world, states, num_rollouts=4, key=key).value for key in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


def test_one_rollout_has_no_standard_error() -> None:
    level = level_of(GUARDED, slip=0.2)
    agent, world = table_agent(level, np.zeros((1, all_states(level).cell.size, 4)), 0.9)
    with pytest.raises(UserError, match="2 rollouts or more, not 1"):
        rollout_returns(agent, world, all_states(level), num_rollouts=1)


@pytest.mark.parametrize("observation", ["planes", "window", "pixels", "state"])
def test_what_is_seen_after_the_step_limit(observation: str) -> None:
    level = level_of(GUARDED, max_steps=30)
    world = GridworldVectorEnv(1, level, observation=observation)
    states = all_states(level)
    later = states._replace(step=states.step + 50 * world.dynamics.num_phases)
    assert (later.step > level.max_steps).all()
    np.testing.assert_array_equal(world.observe(later), world.observe(states))
