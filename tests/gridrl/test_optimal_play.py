"""The optimal policy played by the rules: it earns what V* promises, also replayed in the single environment."""

import gymnasium
import numpy as np
import pytest

from gridrl.truth import optimal_play
from gridrl.truth.optimal_play import Plays, play
from gridrl.truth.solution import Solution, optimal_path, solve
from gridrl_envs.level import Level

BEHIND_POISON = "#########\n#P $ @ $#\n#########"
ROOMS = """
########
#P $ @ #
# #$#  #
#  @  $#
########
"""


def from_starts(solution: Solution, num: int = 1, generator: np.random.Generator | None = None) -> Plays:
    starts = solution.state_index.start_states
    return play(solution, solution.state_index.decode(np.repeat(starts, num)), generator)


def replayed(level: Level, actions: np.ndarray) -> tuple[list[float], bool, bool]:
    """The rewards of `actions` in the single environment, and whether it terminated and was truncated."""
    env = gymnasium.make("dense-v0", level=level).unwrapped
    env.reset(seed=0)
    rewards, terminated, truncated = [], False, False
    for action in actions.tolist():
        assert not terminated
        assert not truncated
        _, reward, terminated, truncated, _ = env.step(action)
        rewards.append(float(reward))
    return rewards, terminated, truncated


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99, 1.0])
@pytest.mark.parametrize(
    "level",
    [
        Level.load("dense-small"),
        Level.load("dense").keep_coins(1),
        Level.load("sparse"),
        Level.load("four-rooms").replace(rewards=type(Level.load("dense").rewards)(step=-1.0)),
        Level.from_string(ROOMS, rewards={"step": -2.0}),
        Level.from_string(ROOMS, rewards={"poison": -40.0}),
    ],
    ids=["dense-small", "dense, one coin", "sparse", "four-rooms", "rooms, steps cost", "rooms, weak poison"],
)
def test_the_plan_earns_what_was_promised(level: Level, gamma: float) -> None:
    solution = solve(level, gamma)
    plays = from_starts(solution)
    rewards, terminated, truncated = replayed(level, plays.action)
    assert [terminated] == plays.terminated.tolist()
    assert [truncated] == plays.truncated.tolist()
    assert rewards == plays.reward.tolist()
    # Where the last coin is not worth its way, each step costs 2 to the limit and, in what was promised, beyond.
    tail = 2 * gamma**level.max_steps / (1 - gamma) if truncated else 0.0
    promised = pytest.approx(solution.start_value() + tail, abs=1e-8)
    assert sum(gamma**step * reward for step, reward in enumerate(rewards)) == promised
    assert plays.returns(gamma) == promised
    assert plays.returns(1.0) == pytest.approx(sum(rewards))


@pytest.mark.parametrize("gamma", [0.9, 1.0])
def test_what_is_not_worth_it_is_left_and_the_path_ends_there(gamma: float) -> None:
    # The second coin pays just for the poison before it at gamma 1, and not at .9.
    solution = solve(Level.from_string(BEHIND_POISON, rewards={"poison": -101.0}), gamma)
    plays = from_starts(solution)
    assert plays.reward[:2].tolist() == [0, 100]
    assert plays.returns(1.0) == 100
    assert not plays.terminated.any()
    assert not plays.truncated.any()
    assert plays.action.size < 10, "it stops where it begins to go round"
    assert optimal_path(solution).cell.tolist() == plays.states.cell.tolist()


def test_without_discount_a_return_is_not_put_off_for_ever() -> None:
    # At gamma 1 going back and forth is optimal, too; and so is a way over poison that the next coin outweighs.
    level = Level.from_string("##########\n#  P   @$#\n##########", rewards={"poison": -99.0})
    plays = from_starts(solve(level, 1.0))
    assert plays.action.tolist() == [3] * 5
    assert plays.returns(1.0) == 1.0
    assert plays.terminated.all()


def test_the_step_limit_cuts() -> None:
    level = Level.from_string("#######\n#P   $#\n#######", max_steps=3)
    solution = solve(level, 0.9)
    assert solution.start_value() == pytest.approx(100 * 0.9**3), "the step limit is not part of the values"
    plays = from_starts(solution)
    assert plays.truncated.tolist() == [True]
    assert plays.reward.tolist() == [0, 0, 0]


def test_a_step_that_costs_is_paid_to_the_limit() -> None:
    # Nothing is worth its price here, and each step costs 1 all the same: 20 of them, with no end in sight.
    level = Level.from_string(BEHIND_POISON.replace("P $", "P  "), max_steps=20, rewards={"step": -1.0})
    solution = solve(level, 0.5)
    plays = from_starts(solution)
    assert plays.truncated.all()
    assert plays.returns(1.0) == -20
    assert plays.returns(0.5) == pytest.approx(solution.start_value(), abs=2 * 0.5**20)


def test_a_far_limit_is_not_played_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimal_play, "MAX_STEPS", 30)
    level = Level.from_string(BEHIND_POISON.replace("P $", "P  "), max_steps=10**6, rewards={"step": -1.0})
    plays = from_starts(solve(level, 0.5))
    assert plays.truncated.all()
    assert plays.action.size == 30


def test_several_starts() -> None:
    level = Level.from_string("##########\n#P   $ P #\n##########")
    path = optimal_path(solve(level, 0.9))
    assert path.cell.tolist() == [11, 17, 12, 16, 13, 14], "two ways, side by side in time"
    assert path.step.tolist() == [0, 0, 1, 1, 2, 3]


def test_slips_are_drawn_and_earn_what_was_promised() -> None:
    level = Level.from_string(ROOMS.replace("@", " "), slip=0.3, max_steps=1000)
    solution = solve(level, 0.9)
    plays = from_starts(solution, num=2000, generator=np.random.default_rng(4))
    assert plays.terminated.all()
    returns = plays.returns(0.9)
    assert abs(returns.mean() - solution.start_value()) < 4 * returns.std(ddof=1) / len(returns) ** 0.5
    assert returns.std() > 1, "slips make episodes differ"
    again = from_starts(solution, num=2000, generator=np.random.default_rng(4))
    np.testing.assert_array_equal(plays.action, again.action)
    path = optimal_path(solution, np.random.default_rng(5), num_plays=3)
    assert (path.step == 0).sum() == 3
    with pytest.raises(ValueError, match=r"has slip 0\.3: give a generator"):
        optimal_path(solution)
