"""The rules over arrays of states: pure functions made of table lookups.

`gridworld.py` has the same rules in plain Python for one state; read them there first. A test holds both equal.
Letters in shapes: `N` states, `I` items, `K` patrollers, `A` the four actions 0 up, 1 down, 2 left, 3 right.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridrl_envs.geometry import moves
from gridrl_envs.level import Level
from gridrl_envs.patrol import timetable

NUM_ACTIONS = 4
PERPENDICULAR = ((2, 3), (2, 3), (0, 1), (0, 1))  # by action: what a slip replaces it with
NOBODY = np.zeros(0, np.intp)  # rows [0]


class State(NamedTuple):
    """One state, hashable."""

    cell: int  # the player's, flat
    step: int  # steps since the episode began
    items: tuple[bool, ...]  # coins, then poisons, each in reading order; True while it lies there


class States(NamedTuple):
    """Many states."""

    cell: NDArray[np.intp]  # [N]
    step: NDArray[np.intp]  # [N]
    items: NDArray[np.bool_]  # [N, I]

    @staticmethod
    def of(states: "list[State] | tuple[State, ...]") -> "States":
        """Return a non-empty list of states (of one level) as arrays."""
        cell, step, items = zip(*states, strict=True)
        return States(
            np.array(cell, np.intp), np.array(step, np.intp), np.array(items, np.bool_).reshape(len(states), -1)
        )

    def one(self, i: int) -> State:
        """Return state number i."""
        return State(int(self.cell[i]), int(self.step[i]), tuple(self.items[i].tolist()))


class Outcome(NamedTuple):
    """What a step led to, and the events that led there."""

    states: States
    reward: NDArray[np.float64]  # [N]
    terminated: NDArray[np.bool_]  # [N]
    truncated: NDArray[np.bool_]  # [N]; the step limit, where the step did not terminate as well
    collected: NDArray[np.intp]  # [M] the states that collected an item ...
    item: NDArray[np.intp]  # [M] ... and which
    caught: NDArray[np.intp]  # [C] the states whose player was caught


class Dynamics:
    """The rules of one level over arrays of states.

    Attributes: `num_items` (I), `num_coins`, `item_cells` [I], `num_phases`, and `patroller_cells` and
    `patroller_headings` [num_phases, K], to be looked up at step % num_phases. A heading is the direction of the next
    move. `repeats` tells whether the patrollers are back in their places after the last phase; they are, unless their
    joint period is longer than an episode. Raises `LevelError` if the patrollers' table would be too large.
    """

    def __init__(self, level: Level) -> None:
        self.level = level
        self.num_coins = len(level.coins)
        self.item_cells = np.array(level.coins + level.poisons, np.intp)
        self.num_items = len(self.item_cells)
        self.patroller_cells, self.patroller_headings, self.repeats = timetable(level)
        self.num_phases = len(self.patroller_cells)
        self._following_cells = np.roll(self.patroller_cells, -1, axis=0)

        wall = np.array([glyph == "#" for row in level.map for glyph in row])
        cells = np.arange(wall.size)
        ahead = cells[:, None] + np.array(moves(level.columns))
        blocked = wall[ahead % wall.size] | wall[:, None]
        following = np.where(blocked, cells[:, None], ahead).astype(np.intp)
        self._next_cell = following.ravel()  # [cells * A]
        # Of the three that an action can become, a slip takes the first or the second one.
        becomes = np.column_stack([np.array(PERPENDICULAR), np.arange(NUM_ACTIONS)])  # [A, 3]
        self._next_cell_by_slip = following[:, becomes].ravel()  # [cells * A * 3]
        self._starts = np.array(level.starts, np.intp)
        self._patrolled = np.zeros(wall.size, np.bool_)
        self._patrolled[self.patroller_cells.ravel()] = True

        # What a step to a cell earns and whether it ends the episode, apart from items and patrollers.
        rewards = level.rewards
        self._ends_at = np.zeros(wall.size, np.bool_)
        self._ends_at[list(level.goals + level.pits)] = True
        self._reward_at = np.full(wall.size, rewards.step, np.float64)
        self._reward_at[list(level.goals)] += rewards.goal
        self._reward_at[list(level.pits)] += rewards.pit
        self._item_at = np.full(wall.size, -1, np.intp)
        self._item_at[self.item_cells] = np.arange(self.num_items)
        self._item_reward = np.repeat([rewards.coin, rewards.poison], [self.num_coins, len(level.poisons)])

    def reset(self, n: int, uniform: NDArray[np.float64] | None = None) -> States:
        """Return n states at the beginning of an episode.

        `uniform` [n] from 0 to 1 draws among several starts; without it all begin at the first.
        """
        return States(self.starts(n, uniform), np.zeros(n, np.intp), np.ones((n, self.num_items), np.bool_))

    def starts(self, n: int, uniform: NDArray[np.float64] | None = None) -> NDArray[np.intp]:
        """Return the cells [n] of n starts, drawn as in `reset`."""
        which = np.zeros(n, np.intp) if uniform is None else (uniform * self._starts.size).astype(np.intp)
        return self._starts[which]

    def step(
        self,
        states: States,
        action: NDArray[np.integer[Any]],
        slip_uniform: NDArray[np.float64] | None = None,
        noise: NDArray[np.float64] | None = None,
    ) -> tuple[States, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the next states, reward [N], terminated [N] and truncated [N] of an action [N] in each state.

        `slip_uniform` [N] from 0 to 1 decides the slips and `noise` [N], standard normal, the rewards' noise; without
        them nothing slips and rewards are exact. Nothing is checked: neither actions, nor that a state is not over.
        """
        return self.outcome(states, action, slip_uniform, noise)[:4]

    def outcome(
        self,
        states: States,
        action: NDArray[np.integer[Any]],
        slip_uniform: NDArray[np.float64] | None = None,
        noise: NDArray[np.float64] | None = None,
    ) -> Outcome:
        """Return what `step` returns and the events of the step. What a level does not have takes no time."""
        level = self.level
        move = states.cell * NUM_ACTIONS + action
        if slip_uniform is not None and level.slip > 0:
            cell = self._next_cell_by_slip[move * 3 + (slip_uniform >= level.slip / 2) + (slip_uniform >= level.slip)]
        else:
            cell = self._next_cell[move]
        step = states.step + 1
        reward, terminated = self._reward_at[cell], self._ends_at[cell]
        items, collected, item, caught = states.items, NOBODY, NOBODY, NOBODY
        if self.num_items:
            items, collected, item = self._collect(states.items, cell, reward, terminated)
        if level.patrollers:
            caught = self._catch(states, cell, reward, terminated)
        if noise is not None and level.reward_noise > 0:
            reward += level.reward_noise * noise
        truncated = (step >= level.max_steps) > terminated
        return Outcome(States(cell, step, items), reward, terminated, truncated, collected, item, caught)

    def _collect(
        self,
        items: NDArray[np.bool_],
        cell: NDArray[np.intp],
        reward: NDArray[np.float64],
        terminated: NDArray[np.bool_],
    ) -> tuple[NDArray[np.bool_], NDArray[np.intp], NDArray[np.intp]]:
        """Collect what lies on the cells: return the items left, who collected, and which item; write the rest.

        Few do collect, so only their rows are touched.
        """
        items = items.copy()
        item = self._item_at[cell]
        (collected,) = (item >= 0).nonzero()
        if not collected.size:
            return items, NOBODY, NOBODY
        item = item[collected]
        lying, place = items.reshape(-1), collected * self.num_items + item
        still_there = lying[place]
        collected, item = collected[still_there], item[still_there]
        lying[place] = False
        reward[collected] += self._item_reward[item]
        with_coin = collected[item < self.num_coins]
        coins = items.take(with_coin, axis=0)[:, : self.num_coins]
        terminated[with_coin] |= ~coins.any(axis=1)
        return items, collected, item

    def _catch(
        self,
        states: States,
        cell: NDArray[np.intp],
        reward: NDArray[np.float64],
        terminated: NDArray[np.bool_],
    ) -> NDArray[np.intp]:
        """Catch who shares a cell with a patroller, or swaps cells with one, on its step; return who, write the rest.

        Only on cells where a patroller ever walks can that be.
        """
        (near,) = self._patrolled[cell].nonzero()
        if not near.size:
            return NOBODY
        phase = states.step[near] % self.num_phases
        before, after = self.patroller_cells.take(phase, axis=0), self._following_cells.take(phase, axis=0)
        old, new = states.cell[near, None], cell[near, None]
        caught = near[((new == after) | ((new == before) & (old == after))).any(axis=1)]
        terminated[caught] = True
        reward[caught] += self.level.rewards.caught
        return caught

    def is_over(self, states: States) -> NDArray[np.bool_]:
        """Return [N] whether a state by itself tells that its episode has terminated; the step limit does not count.

        So it is without a coin where the level has coins, on a goal or pit, and on a patroller's cell. (That the player
        and a patroller have just swapped cells cannot be seen in the state.)
        """
        over = self._ends_at[states.cell]
        if self.num_coins:
            over |= ~states.items[:, : self.num_coins].any(axis=1)
        patrollers = self.patroller_cells[states.step % self.num_phases]
        return over | (patrollers == states.cell[:, None]).any(axis=1)
