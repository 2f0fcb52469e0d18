"""How many steps are due: told the times by hand."""

import math

import pytest

from gridrl.studio.clock import SPEEDS, Clock


def steps_at(clock: Clock, times: list[float]) -> list[int]:
    """Return the steps that are learned at each time when all that are due are."""
    learned = []
    for now in times:
        due = clock.due(now)
        clock.spent(int(due))
        learned.append(int(due))
    return learned


@pytest.mark.parametrize("speed", [1.0, 7.0, 20.0, 1000.0])
def test_a_speed_is_kept_however_time_is_cut(speed: float) -> None:
    fine = steps_at(Clock(speed), [k / 60 for k in range(601)])
    coarse = steps_at(Clock(speed), [k / 20 for k in range(201)])
    assert sum(fine) == sum(coarse) == 10 * speed
    assert max(fine) <= math.ceil(speed / 60)


def test_one_step_a_second_comes_once_a_second() -> None:
    learned = steps_at(Clock(1.0), [k / 60 for k in range(181)])
    assert [k for k, steps in enumerate(learned) if steps] == [60, 120, 180]


def test_a_pause_is_not_made_up_for() -> None:
    clock = Clock(100.0)
    steps_at(clock, [0.0, 1.0])
    clock.paused = True
    assert steps_at(clock, [1.0, 2.0, 9.0]) == [0, 0, 0]
    assert clock.next_due() == math.inf
    clock.paused = False
    assert steps_at(clock, [9.1]) == [10]


def test_a_machine_that_was_held_up_does_not_race_afterwards() -> None:
    clock = Clock(1000.0)
    clock.due(0.0)
    assert clock.due(60.0) <= 250


def test_what_was_not_learned_stays_due() -> None:
    clock = Clock(100.0)
    clock.due(0.0)
    assert clock.due(0.1) == 10
    clock.spent(4)
    assert clock.due(0.1) == 6
    assert clock.next_due() == 0
    clock.spent(6)
    assert clock.next_due() == pytest.approx(0.01)


def test_flat_out_and_goals_have_no_end() -> None:
    clock = Clock(math.inf)
    assert clock.due(0.0) == math.inf
    clock.paused, clock.goal = True, "an update"
    assert clock.due(0.1) == math.inf
    assert clock.words == "until an update"


def test_speeds_are_climbed_one_by_one_and_end() -> None:
    clock, climbed = Clock(SPEEDS[0]), []
    for _ in range(len(SPEEDS) + 1):
        climbed.append(clock.speed)
        clock.change(1)
    assert climbed == [*SPEEDS, SPEEDS[-1]]
    for _ in range(len(SPEEDS) + 1):
        clock.change(-1)
    assert clock.speed == SPEEDS[0] == 1
    assert clock.words == "1 step a second"


def test_a_speed_between_two_goes_to_its_neighbours() -> None:
    clock = Clock(30.0)
    clock.change(1)
    assert clock.speed == 50
    clock.speed = 30.0
    clock.change(-1)
    assert clock.speed == 20
