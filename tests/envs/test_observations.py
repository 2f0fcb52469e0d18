"""Planes by hand, their support, and the numbering of states."""

import numpy as np
import pytest

from gridrl_envs.ansi import ansi
from gridrl_envs.dynamics import Dynamics, State, States
from gridrl_envs.gridworld import GridworldEnv
from gridrl_envs.level import Level, LevelError
from gridrl_envs.observations import MAX_STATES, StateIndex, planes, planes_support
from gridrl_envs.vector import GridworldVectorEnv

DRAWING = "#######\n#P$@GX#\n#>  $<#\n#######"


def where(plane: np.ndarray) -> list[tuple[int, int]]:
    return [(int(row), int(column)) for row, column in zip(*np.nonzero(plane), strict=True)]


def test_planes_by_hand() -> None:
    dynamics = Dynamics(Level.from_string(DRAWING))
    obs = planes(dynamics, dynamics.reset(1))[0]
    assert obs.dtype == np.uint8
    assert obs.shape == (4, 7, 8)
    expected = [[(1, 1)], [(2, 1)], [(2, 5)], [(1, 2), (2, 4)], [(1, 3)], [(2, 2), (2, 3)], [(1, 4)], [(1, 5)]]
    assert [where(obs[:, :, plane]) for plane in range(8)] == expected
    # Step 2: the patrollers have moved, one onto the other coin; the player took the first coin and stands there.
    obs = planes(dynamics, States.of([State(9, 2, (False, True, True))]))[0]
    expected = [[(1, 2)], [(2, 2)], [(2, 4)], [(2, 4)], [(1, 3)], [(1, 1), (2, 1), (2, 3), (2, 5)], [(1, 4)], [(1, 5)]]
    assert [where(obs[:, :, plane]) for plane in range(8)] == expected


def test_there_are_planes_only_for_what_the_level_has() -> None:
    for drawing, num_planes in {"#P$ #": 6, "#P$G#": 7, "#P$X#": 7, "#PG #": 7}.items():
        dynamics = Dynamics(Level.from_string(f"#####\n{drawing}\n#####"))
        assert planes(dynamics, dynamics.reset(2)).shape == (2, 3, 5, num_planes)


def test_ansi() -> None:
    level = Level.from_string(DRAWING)
    assert ansi(level, State(8, 0, (True, True, True))) == DRAWING + "\n"
    assert ansi(level, State(9, 2, (False, True, True))) == "#######\n# P@GX#\n# > < #\n#######\n"
    # At the end of its way a patroller points back.
    assert ansi(level, State(9, 8, (False, True, True))).split("\n")[2] == "#>  $<#"


def test_the_support_of_dense_is_what_is_ever_seen() -> None:
    """Random play from random states of the level sees just the entries of the support: 317 of 1200."""
    level = Level.load("dense")
    env = GridworldVectorEnv(4096, level, copy=False)
    support = env.observation_support
    assert support is not None
    assert support.shape == (10, 20, 6)
    assert support.sum() == 317
    # Per plane: every floor cell, 5 + 6 cells of each heading in the two doorways, coins, poisons, every floor cell.
    assert support.sum(axis=(0, 1)).tolist() == [121, 11, 11, 41, 12, 121]
    seen = np.zeros_like(support)
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    items = rng.random((4096, env.dynamics.num_items)) < 0.5
    cell = rng.choice(level.floor, 4096)
    items &= env.dynamics.item_cells != cell[:, None]  # what the player stands on is collected
    env.set_states(States(cell, rng.integers(0, 150, 4096), items))
    for _ in range(40):
        obs, *_ = env.step(rng.integers(0, 4, 4096))
        seen |= obs.any(axis=0)
    assert (seen == support).all()


def test_the_support_leaves_out_what_cannot_be() -> None:
    # The only coin ends the episode, so that there is never floor on its cell; nor is there on a goal, nor below a
    # patroller between two walls. Behind the goal nobody comes, and the poison there stays.
    support = planes_support(Dynamics(Level.from_string("#######\n#P $G@#\n#######")))
    expected = [[(1, 1), (1, 2), (1, 3), (1, 4)], [], [], [(1, 3)], [(1, 5)], [(1, 1), (1, 2)], [(1, 4)]]
    assert [where(support[:, :, plane]) for plane in range(7)] == expected
    support = planes_support(Dynamics(Level.from_string("######\n#$P$##\n##>###\n######")))
    expected = [[(1, 1), (1, 2), (1, 3), (2, 2)], [(2, 2)], [], [(1, 1), (1, 3)], [], [(1, 1), (1, 2), (1, 3)]]
    assert [where(support[:, :, plane]) for plane in range(6)] == expected


def test_the_support_knows_the_step_limit() -> None:
    level = Level.from_string("########\n#P  $ $#\n########", max_steps=3)
    support = planes_support(Dynamics(level))
    assert where(support[:, :, 0]) == [(1, 1), (1, 2), (1, 3), (1, 4)]
    assert where(support[:, :, 5]) == [(1, 1), (1, 2), (1, 3), (1, 5)]  # the coin is reached, but not left again


def test_dense_small_has_20480_states() -> None:
    env = GridworldEnv("dense-small", observation="state")
    assert env.observation_space.n == 20_480  # type: ignore[attr-defined]
    assert env.observation_support is None


@pytest.mark.parametrize("name", ["dense-small", "four-rooms", "sparse"])
def test_numbers_and_states_are_one_to_one(name: str) -> None:
    level = Level.load(name)
    dynamics = Dynamics(level)
    index = StateIndex(dynamics)
    assert index.num_states == len(level.floor) * 2**dynamics.num_items * dynamics.num_phases
    numbers = np.arange(index.num_states)
    states = index.decode(numbers)
    assert (index.encode(states) == numbers).all()
    assert states.step.max() == dynamics.num_phases - 1  # the smallest step of each phase
    assert np.isin(states.cell, level.floor).all()
    assert index.start_states.tolist() == index.encode(dynamics.reset(1)).tolist()


def test_several_starts_have_their_numbers() -> None:
    level = Level.from_string("######\n#P$ P#\n######")
    index = StateIndex(Dynamics(level))
    assert index.decode(index.start_states).cell.tolist() == [7, 10]
    assert index.decode(index.start_states).items.all()


def test_too_many_states_are_refused_with_their_number() -> None:
    number = 121 * 2**53 * 120
    with pytest.raises(LevelError) as caught:
        GridworldEnv("dense", observation="state")
    assert str(caught.value) == (
        f"level 'dense': it has {number} states, more than the {MAX_STATES} that can be numbered and solved; "
        "keep fewer coins (coins=4 would fit), or learn from the observation 'planes'"
    )
    assert GridworldEnv("dense", observation="state", coins=4).observation_space.n == 121 * 2**8 * 120  # type: ignore[attr-defined]
    with pytest.raises(LevelError, match=r"has 14868480 states, .* \(coins=4 would fit\)"):
        GridworldVectorEnv(2, "dense", observation="state", coins=5)


def test_an_unknown_observation_is_refused() -> None:
    with pytest.raises(LevelError, match=r"^unknown observation 'plane'; did you mean 'planes'\?$"):
        GridworldEnv(observation="plane")
