"""The chain of equal actions, and agents on it beside theory."""

from itertools import islice

import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from gridrl.loop import steps
from gridrl.studies.chain import NUM_STATES, chain_bias
from gridrl.studies.noisy_choice import NoisyChoiceVectorEnv
from gridrl.studies.theory import normal_maximum, stationary_std
from gridrl_agents.registry import make


def rewards(env: NoisyChoiceVectorEnv, seeds: list[int], count: int) -> np.ndarray:
    env.reset(seed=seeds)
    taken = []
    for _ in range(count):
        taken.append(env.step(np.zeros(env.num_envs, dtype=np.int64))[1])
        env.reset(options={"reset_mask": np.ones(env.num_envs, dtype=bool)})
    return np.array(taken)


def test_an_episode_step_by_step() -> None:
    env = NoisyChoiceVectorEnv(2, num_states=3, num_actions=4, reward_std=0.0)
    obs, _ = env.reset(seed=[5, 6])
    shown, ends = [obs.tolist()], []
    for _ in range(3):
        obs, reward, terminated, truncated, _ = env.step(np.array([0, 3]))
        shown.append(obs.tolist())
        ends.append(terminated.tolist())
        assert not truncated.any()
        assert not reward.any(), "no noise, no reward"
    assert shown == [[0, 0], [1, 1], [2, 2], [2, 2]]
    assert ends == [[False, False], [False, False], [True, True]]
    obs, _ = env.reset(options={"reset_mask": np.array([True, False])})
    assert obs.tolist() == [0, 2]


def test_without_a_seed_rewards_are_anyones() -> None:
    env = NoisyChoiceVectorEnv(2, 2, 2, 1.0)
    with pytest.raises(ResetNeeded, match=r"call reset\(\) first"):
        env.step(np.zeros(2, dtype=np.int64))
    env.reset()
    first = env.step(np.zeros(2, dtype=np.int64))[1]
    assert first[0] != first[1]
    env.reset(seed=3)
    assert np.array_equal(env.step(np.zeros(2, dtype=np.int64))[1], rewards(env, [3, 4], 1)[0])


def test_rewards_are_noise_of_the_given_size_and_depend_on_the_seed_alone() -> None:
    drawn = rewards(NoisyChoiceVectorEnv(3, 2, 2, [0.5, 2.0, 2.0]), [7, 8, 9], 4000)
    error = drawn.std(axis=0) / np.sqrt(4000)
    assert (np.abs(drawn.mean(axis=0)) < 4 * error).all()
    # The standard error of a standard deviation is about its size over sqrt(2 n).
    assert drawn.std(axis=0) == pytest.approx([0.5, 2.0, 2.0], rel=4 / np.sqrt(2 * 4000))
    alone = rewards(NoisyChoiceVectorEnv(1, 2, 2, 2.0), [8], 4000)
    assert np.array_equal(alone[:, 0], drawn[:, 1])
    assert np.abs(np.corrcoef(drawn.T) - np.eye(3)).max() < 4 / np.sqrt(4000)


def test_q_learning_on_the_chain_beside_a_naive_twin() -> None:
    env = NoisyChoiceVectorEnv(2, 3, 2, 1.0)
    agent = make("q-learning", env.single_observation_space, env.single_action_space, [1, 2], gamma=1.0)
    obs, _ = env.reset(seed=[1, 2])
    twin = np.zeros((2, 3, 2))
    for step in islice(steps(agent, env, obs), 200):
        made = step.transition
        for run in range(2):
            state, action = made.obs[run], made.action[run]
            after = 0.0 if made.terminated[run] else twin[run, made.next_obs[run]].max()
            twin[run, state, action] += 0.1 * (made.reward[run] + after - twin[run, state, action])
    np.testing.assert_allclose(agent.q_values(np.tile(np.arange(3), (2, 1))), twin, rtol=1e-12)


def by_state(agent: str, num_actions: int, column: str = "bias") -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error over 60 seeds at each state."""
    rows = chain_bias(agent, num_actions, [1.0], range(60), 6000)
    values = rows.pivot(index="seed", columns="state", values=column)
    return values.mean().to_numpy(), (values.std() / np.sqrt(60)).to_numpy()


@pytest.mark.parametrize("num_actions", [2, 8])
def test_q_learning_overestimates_as_theory_says(num_actions: int) -> None:
    bias, error = by_state("q-learning", num_actions)
    # Nothing is bootstrapped in the last state: its errors are moving averages of the rewards' noise, and normal.
    dose = stationary_std(0.1) * normal_maximum(num_actions)
    assert bias[-1] == pytest.approx(dose, abs=4 * error[-1])
    assert (bias[:-1] - bias[1:] > 0.5 * dose).all(), "each choice on the way adds its own"


def test_double_q_learning_adds_nothing_on_the_way() -> None:
    bias, error = by_state("double-q-learning", 4)
    # The mean of two tables with errors of their own: its errors are smaller by sqrt(2).
    dose = stationary_std(0.1) * normal_maximum(4) / np.sqrt(2)
    assert bias == pytest.approx(np.full(NUM_STATES, dose), abs=4 * error.max())


def test_runs_of_the_chain_are_those_of_their_seeds_alone() -> None:
    company = chain_bias("dqn", 3, [0.0, 1.0], [4, 5], 400)
    alone = chain_bias("dqn", 3, [1.0], [5], 400)
    rows = company[(company["seed"] == 5) & (company["reward_std"] == 1)].reset_index(drop=True)
    assert rows.equals(alone)
    assert (company["bias"] - company["mean_error"] >= company["least_bias"] - 1e-6).all(), "theorem 1"
