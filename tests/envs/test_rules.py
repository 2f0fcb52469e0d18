"""Each tile and setting by a case worked out by hand. Cells are flat: row * columns + column."""

from typing import Any

import numpy as np
import pytest

from gridrl_envs.dynamics import Dynamics, State, States
from gridrl_envs.gridworld import GridworldEnv
from gridrl_envs.level import Level, LevelError, Rewards

UP, DOWN, LEFT, RIGHT = range(4)
REWARDS = Rewards(coin=5.0, poison=-3.0, goal=20.0, pit=-40.0, step=-1.0, caught=-7.0)


def play(drawing: str, actions: list[int], **settings: Any) -> list[tuple[int, float, bool, bool, bool]]:
    """Return (cell, reward, terminated, truncated, caught) of each step."""
    env = GridworldEnv(Level.from_string(drawing, **{"rewards": REWARDS} | settings))
    env.reset(seed=0)
    steps = []
    for action in actions:
        _, reward, terminated, truncated, info = env.step(action)
        steps.append((env.get_state().cell, reward, terminated, truncated, info["caught"]))
    return steps


def test_walls_stop_and_each_step_costs() -> None:
    # Columns 4: the start is 1 * 4 + 1 = 5.
    steps = play("####\n#P #\n# $#\n####", [UP, LEFT, DOWN, DOWN, UP, RIGHT])
    assert [step[0] for step in steps] == [5, 5, 9, 9, 5, 6]
    assert all(step[1:] == (-1.0, False, False, False) for step in steps)


def test_coins_and_poison_are_collected_once_and_the_last_coin_ends() -> None:
    steps = play("######\n#P$@$#\n######", [RIGHT, LEFT, RIGHT, RIGHT, LEFT, RIGHT, RIGHT])
    assert [step[1] for step in steps] == [4.0, -1.0, -1.0, -4.0, -1.0, -1.0, 4.0]
    assert [step[2] for step in steps] == [False] * 6 + [True]


def test_poison_left_over_does_not_matter() -> None:
    assert play("#####\n#@P$#\n#####", [RIGHT]) == [(8, 4.0, True, False, False)]


@pytest.mark.parametrize(("glyph", "reward"), [("G", 19.0), ("X", -41.0)])
def test_goal_and_pit_end(glyph: str, reward: float) -> None:
    assert play(f"#####\n#{glyph}P$#\n#####", [LEFT]) == [(6, reward, True, False, False)]


def test_a_goal_ends_though_coins_are_left_and_the_last_coin_ends_though_a_goal_is_there() -> None:
    assert play("#####\n#GP$#\n#####", [LEFT])[0][2]
    assert play("#####\n#GP$#\n#####", [RIGHT])[0][1:3] == (4.0, True)


def test_the_step_limit_truncates_and_never_terminates() -> None:
    steps = play("#####\n#P $#\n#####", [LEFT, LEFT, LEFT], max_steps=3)
    assert [step[2:4] for step in steps] == [(False, False), (False, False), (False, True)]
    assert play("#####\n#P $#\n#####", [LEFT, RIGHT, RIGHT], max_steps=3)[-1][2:4] == (True, False)


def cells_over_time(drawing: str, steps: int, **settings: Any) -> list[int]:
    dynamics = Dynamics(Level.from_string(drawing, **settings))
    return [int(dynamics.patroller_cells[step % dynamics.num_phases, 0]) for step in range(steps)]


def test_a_patroller_walks_turns_at_walls_and_moves_on_every_second_step() -> None:
    # Columns 6, its row begins with cell 12; it sets out at column 3 to the right.
    drawing = "######\n#P  $#\n#  > #\n######"
    columns = [cell - 12 for cell in cells_over_time(drawing, 14)]
    assert columns == [3, 3, 4, 4, 3, 3, 2, 2, 1, 1, 2, 2, 3, 3]
    dynamics = Dynamics(Level.from_string(drawing))
    assert dynamics.num_phases == 12  # six moves there and back, two steps each
    # It has turned as soon as a wall is ahead: at column 4 it heads left, at column 1 right.
    headings = dynamics.patroller_headings[:, 0].tolist()
    assert headings == [RIGHT, RIGHT, LEFT, LEFT, LEFT, LEFT, LEFT, LEFT, RIGHT, RIGHT, RIGHT, RIGHT]


@pytest.mark.parametrize(("period", "columns"), [(1, [2, 3, 2, 1, 2, 3, 2]), (3, [2, 2, 2, 3, 3, 3, 2])])
def test_patrol_period(period: int, columns: list[int]) -> None:
    drawing = "#####\n#P $#\n# > #\n#####"
    assert [cell - 10 for cell in cells_over_time(drawing, 7, patrol_period=period)] == columns


@pytest.mark.parametrize(("glyph", "heading"), [("^", UP), ("v", DOWN)])
def test_in_a_dead_end_of_one_cell_a_patroller_stays(glyph: str, heading: int) -> None:
    drawing = f"#####\n#P {glyph}#\n#$###\n#####"
    dynamics = Dynamics(Level.from_string(drawing))
    assert dynamics.num_phases == 1
    assert dynamics.patroller_cells.tolist() == [[8]]
    assert dynamics.patroller_headings.tolist() == [[heading]]


def test_a_patroller_that_sets_out_towards_a_wall_turns_at_once() -> None:
    # Columns 5, its row begins with cell 10.
    dynamics = Dynamics(Level.from_string("#####\n#P $#\n#  >#\n#####", patrol_period=1))
    assert dynamics.patroller_headings[0, 0] == LEFT
    assert (dynamics.patroller_cells[:, 0] - 10).tolist() == [3, 2, 1, 2]


def test_up_and_down() -> None:
    drawing = "####\n#P #\n# ^#\n#$ #\n####"  # columns 4; column 2 of rows 1 to 3
    assert [cell // 4 for cell in cells_over_time(drawing, 6, patrol_period=1)] == [2, 1, 2, 3, 2, 1]


def test_several_patrollers_repeat_with_the_least_common_multiple() -> None:
    level = Level.from_string("######\n#P $ #\n#>  ##\n# >  #\n######", patrol_period=1)
    dynamics = Dynamics(level)
    assert dynamics.num_phases == 12  # four moves and six
    assert dynamics.patroller_cells.shape == (12, 2)
    assert Dynamics(level.replace(patrol_period=3)).num_phases == 36


def test_patrollers_walk_over_items_goals_pits_and_starts_and_through_each_other() -> None:
    # Columns 7: two patrollers meet between columns 3 and 4 and go on.
    level = Level.from_string("#######\n#P$   #\n#> GX<#\n#######", patrol_period=1)
    cells = Dynamics(level).patroller_cells - 14
    assert cells[:6].tolist() == [[1, 5], [2, 4], [3, 3], [4, 2], [5, 1], [4, 2]]


def test_phases_are_never_more_than_an_episode_can_count() -> None:
    level = Level.from_string("######\n#P  $#\n#  > #\n######", max_steps=4)
    dynamics = Dynamics(level)
    assert dynamics.num_phases == 5
    assert not dynamics.repeats
    assert (dynamics.patroller_cells[:, 0] - 12).tolist() == [3, 3, 4, 4, 3]


def test_patrollers_with_too_long_a_joint_round_are_refused() -> None:
    level = Level.from_string("######\n#P  $#\n#  > #\n######", patrol_period=10**8)
    assert Dynamics(level).num_phases == 201
    with pytest.raises(LevelError) as caught:
        Dynamics(level.replace(max_steps=10**7))
    assert str(caught.value) == (
        "level 'level': 1 patrollers with a joint round of 600000000 steps need a table of 10000001 places, "
        "more than 8388608; set a smaller max_steps or give them corridors of equal length"
    )


def test_walking_into_a_patroller_is_being_caught() -> None:
    # Columns 6, row 1 begins at 6. The patroller at column 3 moves only on step 2: the player at 2 walks into it.
    drawing = "######\n#P > #\n#  $ #\n######"
    steps = play(drawing, [RIGHT, LEFT], patrol_period=5)
    assert [step[4] for step in steps] == [False, False]
    assert play(drawing, [RIGHT, RIGHT], patrol_period=5)[-1] == (9, -8.0, True, False, True)


def test_being_walked_into_is_being_caught() -> None:
    # The patroller at column 3 heads left and comes to column 2 on step 1, where the player goes too.
    assert play("######\n#P < #\n#  $ #\n######", [RIGHT], patrol_period=1) == [(8, -8.0, True, False, True)]


def test_swapping_cells_is_being_caught() -> None:
    assert play("######\n#P<  #\n#  $ #\n######", [RIGHT], patrol_period=1) == [(8, -8.0, True, False, True)]


def test_following_a_patroller_is_safe() -> None:
    # It moves on from column 2 to 3 while the player takes its place.
    assert play("######\n#P>  #\n#  $ #\n######", [RIGHT], patrol_period=1) == [(8, -1.0, False, False, False)]


def test_a_coin_is_earned_though_the_player_is_caught_on_it() -> None:
    # One of two coins: +5 -1 -7.
    assert play("######\n#P$<$#\n######", [RIGHT], patrol_period=1) == [(8, -3.0, True, False, True)]


def test_defaults_are_the_designs() -> None:
    assert Rewards() == Rewards(coin=100, poison=-100, goal=100, pit=-100, step=0, caught=0)
    level = Level.from_string("####\n#P$#\n####")
    assert (level.max_steps, level.patrol_period, level.slip, level.reward_noise) == (200, 2, 0.0, 0.0)


def test_reward_noise_is_added_with_its_deviation() -> None:
    level = Level.from_string("#####\n#P $#\n#####", reward_noise=3.0, rewards=REWARDS)
    dynamics = Dynamics(level)
    noise = np.array([0.0, 1.0, -2.0])
    _, reward, _, _ = dynamics.step(dynamics.reset(3), np.array([LEFT, RIGHT, LEFT]), noise=noise)
    assert reward.tolist() == [-1.0, 2.0, -7.0]
    env = GridworldEnv(level.replace(max_steps=10_000))
    env.reset(seed=3)
    rewards = [env.step(LEFT)[1] for _ in range(4000)]
    assert np.mean(rewards) == pytest.approx(-1.0, abs=4 * 3 / 4000**0.5)
    assert np.std(rewards) == pytest.approx(3.0, rel=0.05)


def test_several_starts_are_drawn_evenly() -> None:
    level = Level.from_string("######\n#P$P##\n##P#P#\n# $  #\n######")
    dynamics = Dynamics(level)
    assert level.starts == (7, 9, 14, 16)
    cells = dynamics.reset(8, (np.arange(8) + 0.5) / 8).cell
    assert cells.tolist() == [7, 7, 9, 9, 14, 14, 16, 16]
    env = GridworldEnv(level)
    env.reset(seed=0)
    seen = [env.reset()[0] is not None and env.get_state().cell for _ in range(2000)]
    assert all(400 < seen.count(cell) < 600 for cell in level.starts)


def test_what_a_state_tells_about_its_end() -> None:
    level = Level.from_string("######\n#P$ G#\n#>  @#\n######")  # columns 6; the patroller is at 13, heading right
    dynamics = Dynamics(level)
    there, gone = (True, True), (False, True)
    env = GridworldEnv(level)
    for state, over in {
        State(7, 0, there): False,
        State(10, 0, there): True,
        State(7, 0, gone): True,
        State(13, 0, there): True,
        State(13, 2, there): False,
        State(14, 2, there): True,
        State(7, 200, there): False,
    }.items():
        assert dynamics.is_over(States.of([state]))[0] == over, state
        env.set_state(state)
        assert env.get_state() == state
