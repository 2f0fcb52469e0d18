"""Evaluation: returns known exactly, and nothing of the agent moves."""

import dataclasses
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from gridrl.evaluation import Evaluator
from gridrl.problem import Problem, ProblemSettings
from gridrl_agents.base import Agent, Policy, Transition
from gridrl_agents.registry import make
from gridrl_agents.streams import EVALUATION, seed_sequence
from gridrl_envs.level import Level

PLANS = json.loads((files("gridrl_envs") / "levels" / "dense_plans.json").read_text())["plans"]


class PlanAgent(Agent):
    """Knows nothing; its policy plays a plan by heart. Run k waits k steps (walks into the wall above it) at first."""

    def __init__(self, plan: list[int], seeds: list[int], gamma: float) -> None:
        self.plan, self.seeds, self.gamma, self.num_updates = plan, tuple(seeds), gamma, 0

    epsilon = 0.0

    def policy(self, epsilon: float, stream_key: int = 0) -> Policy:
        return PlanPolicy(self)  # type: ignore[return-value]

    def act(self, obs: np.ndarray) -> np.ndarray:
        raise AssertionError("evaluation does not explore")

    def observe(self, transition: Transition) -> dict[str, np.ndarray]:
        raise AssertionError("evaluation does not teach")

    def q_values(self, obs: np.ndarray) -> np.ndarray:
        return np.stack([np.arange(4.0) + run for run in range(len(obs))])[:, None].repeat(obs.shape[1], axis=1)

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


class PlanPolicy:
    certain = np.zeros((1, 1), dtype=bool)  # it goes by its own count of steps

    def __init__(self, agent: PlanAgent) -> None:
        self.plan, self.step = agent.plan, 0

    def act(self, obs: np.ndarray, uniform: np.ndarray | None = None) -> np.ndarray:
        action = self.plan[self.step] if self.step < len(self.plan) else 0
        self.step += 1
        return np.full(obs.shape[:2], action)

    def reset(self, mask: np.ndarray) -> None: ...


@pytest.mark.parametrize("gamma", PLANS)
def test_plans_earn_what_is_known(gamma: str) -> None:
    plan = PLANS[gamma]
    for discount, discounted in plan["discounted"].items():
        agent = PlanAgent([int(action) for action in plan["actions"]], [0, 1], float(discount))
        returns = Evaluator(Problem(ProblemSettings()), [0, 1], 2).play(agent, 0.0, key=0)
        np.testing.assert_array_equal(returns.undiscounted, np.full((2, 2), 4100.0))
        np.testing.assert_allclose(returns.discounted, np.full((2, 2), discounted), atol=1e-5)
        np.testing.assert_array_equal(returns.length, np.full((2, 2), plan["num_steps"]))


def test_max_q_at_the_start() -> None:
    agent = PlanAgent([], [0, 1, 2], 0.9)
    found = Evaluator(Problem(ProblemSettings()), [0, 1, 2], 2).max_q_start(agent, key=0)
    np.testing.assert_array_equal(found, [3.0, 4.0, 5.0])


def test_an_episode_that_never_ends_is_cut_at_the_step_limit() -> None:
    problem = Problem(ProblemSettings(env="dense-small-v0", max_steps=17))
    returns = Evaluator(problem, [0], 3).play(PlanAgent([], [0], 0.9), 0.0, key=0)  # up, into the wall, for ever
    np.testing.assert_array_equal(returns.length, [[17, 17, 17]])
    np.testing.assert_array_equal(returns.undiscounted, [[0.0, 0.0, 0.0]])


def small_agent(name: str, seeds: list[int]) -> tuple[Agent, Problem]:
    problem = Problem(ProblemSettings(env="dense-small-v0", coins=3), prefer_state=name == "q-learning")
    deep = {"hidden_sizes": (16,), "replay_capacity": 200, "min_replay_size": 32} if name == "dqn" else {}
    agent = make(
        name,
        problem.observation_space,
        problem.action_space,
        seeds,
        observation_support=problem.observation_support,
        **deep,
    )
    return agent, problem


def flat(state: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for key, value in state.items():
        leaves |= flat(value, f"{prefix}{key}/") if isinstance(value, Mapping) else {prefix + key: value}
    return leaves


@pytest.mark.parametrize("name", ["q-learning", "dqn"])
def test_evaluation_leaves_the_agent_and_its_streams_untouched(name: str) -> None:
    from itertools import islice

    from gridrl.loop import steps

    agent, problem = small_agent(name, [0, 1])
    env = problem.make_vector(2)
    obs, _ = env.reset(seed=[0, 1])
    for _ in islice(steps(agent, env, obs), 150):
        pass
    before = {key: np.copy(value) for key, value in flat(agent.state_dict()).items()}
    evaluator = Evaluator(problem, [0, 1], 4)
    first = evaluator.play(agent, 0.3, key=5)
    evaluator.play(agent, 0.3, key=6)
    evaluator.max_q_start(agent, key=5)
    again = evaluator.play(agent, 0.3, key=5)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    after = flat(agent.state_dict())
    assert before.keys() == after.keys()
    for key, value in before.items():
        np.testing.assert_array_equal(value, after[key], err_msg=key)


def test_a_run_is_evaluated_alike_alone_and_in_company() -> None:
    together, problem = small_agent("dqn", [4, 7, 9])
    alone, _ = small_agent("dqn", [7])
    in_company = Evaluator(problem, [4, 7, 9], 3).play(together, 0.5, key=11)
    by_itself = Evaluator(problem, [7], 3).play(alone, 0.5, key=11)
    for many, one in zip(in_company, by_itself, strict=True):
        np.testing.assert_array_equal(many[1:2], one)


def by_hand(agent: Agent, problem: Problem, epsilon: float, key: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what `count` episodes of each run earn, [R, count], and their lengths, in single environments."""
    shape = (agent.num_runs, count)
    envs, shown = [problem.make_single() for _ in range(agent.num_runs * count)], []
    for run, seed in enumerate(agent.seeds):
        for number, env_seed in enumerate(seed_sequence(seed, EVALUATION, key, 1).generate_state(count).tolist()):
            shown.append(envs[run * count + number].reset(seed=env_seed)[0])
    policy = agent.policy(epsilon, stream_key=key)
    earned, length, playing = np.zeros(shape), np.zeros(shape, dtype=int), np.ones(shape, dtype=bool)
    while playing.any():
        action = policy.act(np.array(shown).reshape(*shape, *np.shape(shown[0])))
        for run, number in np.argwhere(playing):
            at = run * count + number
            shown[at], reward, terminated, truncated, _ = envs[at].step(int(action[run, number]))
            earned[run, number] += reward
            length[run, number] += 1
            playing[run, number] = not (terminated or truncated)
    return earned, length


@pytest.mark.parametrize(("name", "env"), [("q-learning", "dense-v0"), ("dqn", "dense-v0"), ("dqn", "FrozenLake-v1")])
def test_groups_side_by_side_are_the_policies_each_by_itself(name: str, env: str) -> None:
    seeds = [3, 1]
    settings = {"slip": 0.1} if env == "dense-v0" else {}
    problem = Problem(ProblemSettings(env=env, **settings), prefer_state=name == "q-learning")
    agent = make(name, problem.observation_space, problem.action_space, seeds)
    sizes, epsilons = (20, 1, 3), (0.05, 0.0, 0.5)  # of 20 a block of random numbers is enough for some 100 steps
    groups = Evaluator(problem, seeds, *sizes).play_groups(agent, epsilons, key=8)
    for size, epsilon, found in zip(sizes, epsilons, groups, strict=True):
        earned, length = by_hand(agent, problem, epsilon, 8, size)
        np.testing.assert_array_equal(found.undiscounted, earned)
        np.testing.assert_array_equal(found.length, length)
    assert env != "dense-v0" or groups[0].length.max() > 110


def test_greedy_circles_are_found_beside_exploring_episodes() -> None:
    problem = Problem(ProblemSettings(env="dense-small-v0", coins=3, max_steps=40), prefer_state=True)
    table = np.random.default_rng(4).random((8, problem.observation_space.n, 4))  # type: ignore[attr-defined]
    agent = make("q-learning", problem.observation_space, problem.action_space, range(8))
    agent.load_values({"table": table})
    alone = Evaluator(problem, list(agent.seeds), 1).play(agent, 0.0, key=2)
    exploring, greedy = Evaluator(problem, list(agent.seeds), 4, 1).play_groups(agent, (0.3, 0.0), key=2)
    assert (alone.loop_length > 0).sum() > 4
    for one, other in zip(greedy, alone, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array(exploring[3:]).any()


def write_level(level: Level, folder: Path) -> str:
    table = dataclasses.asdict(level) | {"map": "\n".join(level.map) + "\n"}
    (folder / "level.toml").write_text(tomli_w.dumps(table), encoding="utf-8")
    return str(folder / "level.toml")


class Unstopped(Policy):
    """The agent's own policy, which never says that it would do the same again."""

    certain = property(lambda self: np.zeros_like(self.by_chance))  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("env", "gamma", "settings"),
    [
        ("dense-v0", 0.9, {}),
        ("dense-v0", 1.0, {"max_steps": 500}),
        ("dense-small-v0", 0.99, {}),
        ("dense-small-v0", 0.99, {"max_steps": 23}),
        ("four-rooms-v0", 0.97, {"step": -1.0}),
    ],
)
def test_circles_earn_what_full_play_does(
    env: str, gamma: float, settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = dict(settings)
    level = Level.load(env.removesuffix("-v0"))
    level = dataclasses.replace(level, rewards=dataclasses.replace(level.rewards, step=settings.pop("step", 0.1)))
    problem = Problem(ProblemSettings(level=write_level(level, tmp_path), **settings))
    seeds = list(range(6))
    spaces = problem.observation_space, problem.action_space
    support = problem.observation_support
    agent = make("dqn", *spaces, seeds, observation_support=support, hidden_sizes=(16,), gamma=gamma)
    evaluator = Evaluator(problem, seeds, 2)
    found = evaluator.play(agent, 0.0, key=1)
    assert (found.loop_length > 0).any()
    monkeypatch.setattr(agent, "policy", lambda epsilon, stream_key: Unstopped(agent, epsilon, stream_key))
    in_full = evaluator.play(agent, 0.0, key=1)
    assert (in_full.loop_length == 0).all()
    for known, played in zip(found[:3], in_full[:3], strict=True):
        np.testing.assert_array_equal(known, played)


def circles(problem: Problem, table: np.ndarray, epsilon: float = 0.0) -> list[int]:
    """Return steps, first step, cell and number of cells of the circle of an agent with this `table` [S, A]."""
    agent = make("q-learning", problem.observation_space, problem.action_space, [0])
    agent.load_values({"table": table[None]})
    return [int(value[0, 0]) for value in Evaluator(problem, [0], 1).play(agent, epsilon, key=0)[3:]]


def test_where_a_circle_is(tmp_path: Path) -> None:
    # Right from the start, 11, along 12 and 13 to 14, down to 24, left to 23, up to 13, and so on: there at 2, 6, ...
    (tmp_path / "level.txt").write_text("##########\n#P       #\n#        #\n#       G#\n##########\n")
    settings = ProblemSettings(level=str(tmp_path / "level.txt"), observation="state")
    problem = Problem(settings)
    cells = list(problem.level.floor)
    up, down, left, right = np.eye(4)
    table = np.zeros((len(cells), 4))
    for cell, action in ((11, right), (12, right), (13, right), (14, down), (24, left), (23, up)):
        table[cells.index(cell)] = action
    assert circles(problem, table) == [4, 2, 13, 4]
    assert circles(problem, table, epsilon=0.05) == [0, 0, 0, 0]
    for changes in ({"slip": 0.1}, {"reward_noise": 1.0}):
        assert circles(Problem(dataclasses.replace(settings, **changes)), table) == [0, 0, 0, 0]
    table[cells.index(24)] = left + right  # by chance
    assert circles(problem, table) == [0, 0, 0, 0]


def test_a_circle_takes_the_patrollers_round(tmp_path: Path) -> None:
    # The player stands still; the patroller is back in its place after 4 moves, 8 steps.
    (tmp_path / "level.txt").write_text("#####\n#P$ #\n#####\n#>  #\n#####\n")
    problem = Problem(ProblemSettings(level=str(tmp_path / "level.txt"), observation="state"))
    table = np.tile(np.eye(4)[0], (problem.observation_space.n, 1))  # type: ignore[attr-defined]
    assert circles(problem, table) == [8, 0, 6, 1]


def test_no_circle_is_told_of_a_foreign_environment() -> None:
    problem = Problem(ProblemSettings(env="FrozenLake-v1"))
    table = np.zeros((16, 4))
    table[:, 3] = 1.0
    assert circles(problem, table) == [0, 0, 0, 0]
