"""Situations: which items are left and where the patrollers are, worked out by hand."""

from pathlib import Path

import numpy as np
import pytest

from gridrl.errors import UserError
from gridrl.maps.situations import (
    Situation,
    beginning,
    on_every_cell,
    patrollers,
    situation_after,
    situation_of,
)
from gridrl.problem import ProblemSettings
from gridrl.training import Training, start
from gridrl.training_settings import TrainSettings
from gridrl_envs.level import Level
from gridrl_envs.vector import GridworldVectorEnv

UP, DOWN, LEFT, RIGHT = range(4)
# Cells, row * 6 + column; items: 1 the coin at 8, 2 the coin at 21, 3 the poison at 14. The patroller sets out at 19.
ROOM = Level.from_string("######\n#P$  #\n# @  #\n#> $ #\n######", name="room", max_steps=50)
GOAL = Level.from_string("####\n#PG#\n####", name="goal")
CORRIDOR = "######\n#P  $#\n######\n"  # floor: cells 7, 8, 9 and 10, the coin


def world(level: Level) -> GridworldVectorEnv:
    return GridworldVectorEnv(1, level)


def walker(folder: Path, seeds: int = 1) -> Training:
    """A table that walks to the right in a corridor of four cells, whatever its seed."""
    (folder / "corridor.txt").write_text(CORRIDOR)
    problem = ProblemSettings(level=str(folder / "corridor.txt"), observation="state")
    training = start("q-learning", problem, TrainSettings(seeds=seeds, steps=100), {}, out=folder / "run")
    training.agent.table[..., RIGHT] = 1.0  # type: ignore[attr-defined]
    return training


def test_the_player_is_put_on_every_floor_cell_and_collects_what_lies_there() -> None:
    states = on_every_cell(world(ROOM), beginning(world(ROOM)))
    assert states.cell.tolist() == list(ROOM.floor)
    assert not states.step.any()
    items = {cell: tuple(left) for cell, left in zip(states.cell.tolist(), states.items.tolist(), strict=True)}
    assert items[7] == (True, True, True)
    assert items[8] == (False, True, True)
    assert items[21] == (True, False, True)
    assert items[14] == (True, True, False)


def test_what_was_collected_is_gone_everywhere() -> None:
    situation = situation_of(world(ROOM), collected=[1, 3], step=7)
    assert situation == Situation((False, True, False), 7)
    states = on_every_cell(world(ROOM), situation)
    assert set(states.step.tolist()) == {7}
    for cell, left in zip(states.cell.tolist(), states.items.tolist(), strict=True):
        assert left == [False, cell != 21, False]


def test_patrollers_stand_where_the_step_says() -> None:
    # From cell 19 to the right on every second step, and back from the wall: it is met again at steps 6 and 8.
    places = [patrollers(world(ROOM), situation_of(world(ROOM), step=step))[0] for step in range(0, 15, 2)]
    assert places == [19, 20, 21, 22, 21, 20, 19, 20]
    assert patrollers(world(ROOM), situation_of(world(ROOM), step=3)) == [20]


def test_a_situation_is_put_in_words() -> None:
    assert beginning(world(ROOM)).words == ""
    assert situation_of(world(ROOM), [3]).words == "item 3 collected"
    assert situation_of(world(ROOM), [1, 3], 12).words == "items 1, 3 collected, step 12"
    dense = world(Level.load("dense"))
    assert situation_of(dense, range(1, 10)).words == "9 of 53 items collected"


@pytest.mark.parametrize(
    ("level", "collected", "step", "sentence"),
    [
        (ROOM, [4], 0, r"'room' has items 1 to 2 \(coins\) and 3 \(poison\), got item 4; give one of these"),
        (ROOM, [0], 0, "got item 0"),
        (ROOM, [1, 2], 0, "with the last coin the episode is over; leave at least one of the coins 1 to 2"),
        (ROOM, [], 50, "'room' has steps 0 to 49, got step 50"),
        (ROOM, [], -1, "got step -1"),
        (GOAL, [1], 0, "'goal' has no items that could have been collected"),
    ],
)
def test_what_is_out_of_range_gets_one_sentence(level: Level, collected: list[int], step: int, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        situation_of(world(level), collected, step)


def test_a_level_without_items_has_situations_too() -> None:
    assert situation_of(world(GOAL), step=3) == Situation((), 3)
    assert on_every_cell(world(GOAL), beginning(world(GOAL))).items.shape == (2, 0)


def test_the_agents_own_episode_leads_to_a_situation(tmp_path: Path) -> None:
    run = walker(tmp_path, seeds=2)
    run.agent.table[1, :, LEFT] = 2.0  # type: ignore[attr-defined]  # the second one stays at the wall
    assert situation_after(run, 0, 0) == Situation((True,), 0, 7)
    assert situation_after(run, 0, 2) == Situation((True,), 2, 9)
    assert situation_after(run, 1, 2) == Situation((True,), 2, 7)
    sentence = "of q-learning, seed 0, is over after 3 steps, so that it can be looked at after 0 to 2, got 5"
    with pytest.raises(UserError, match=sentence):
        situation_after(run, 0, 5)
    with pytest.raises(UserError, match="is over after 3 steps"):
        situation_after(run, 0, 3)


def test_the_agents_own_episode_is_the_one_that_watch_shows(tmp_path: Path) -> None:
    from gridrl.rollout import episode

    problem = ProblemSettings(env="dense-small-v0", slip=0.3)
    run = start("q-learning", problem, TrainSettings(seeds=1, steps=100), {}, out=tmp_path / "run")
    shown = list(episode(run, 0, 0.0, key=0))
    for number in (1, 5, 20):
        situation = situation_after(run, 0, number)
        rewards = np.repeat([100.0, -100.0], [7, 3])  # coins, then poisons
        gone = ~np.array(situation.items)
        assert rewards[gone].sum() == shown[number].earned
