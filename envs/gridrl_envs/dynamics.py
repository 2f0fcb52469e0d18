"""The rules over arrays of states: pure functions made of table lookups.

`gridworld.py` has the same rules in plain Python for one state; read them there first. A test holds both equal.
Letters in shapes: `N` states, `I` items, `K` patrollers, `A` the four actions 0 up, 1 down, 2 left, 3 right.
"""

import operator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridrl_envs.geometry import moves, place
from gridrl_envs.level import Level, LevelError
from gridrl_envs.patrol import timetable

NUM_ACTIONS = 4
PERPENDICULAR = ((2, 3), (2, 3), (0, 1), (0, 1))  # by action: what a slip replaces it with


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
        self._next_cell = np.where(blocked, cells[:, None], ahead).astype(np.intp).ravel()  # [cells * A]
        self._item_at = np.full(wall.size, -1, np.intp)
        self._item_at[self.item_cells] = np.arange(self.num_items)
        self._ends_at = np.zeros(wall.size, np.bool_)
        self._ends_at[list(level.goals + level.pits)] = True
        self._patrolled = np.zeros(wall.size, np.bool_)
        self._patrolled[self.patroller_cells.ravel()] = True

        rewards = level.rewards
        self._item_reward = np.repeat([rewards.coin, rewards.poison], [self.num_coins, len(level.poisons)])
        self._end_reward = np.zeros(wall.size)
        self._end_reward[list(level.goals)] = rewards.goal
        self._end_reward[list(level.pits)] = rewards.pit
        self._perpendicular = np.array(PERPENDICULAR, np.intp)

    def reset(self, n: int, uniform: NDArray[np.float64] | None = None) -> States:
        """Return n states at the beginning of an episode.

        `uniform` [n] from 0 to 1 draws among several starts; without it all begin at the first.
        """
        starts = np.array(self.level.starts, np.intp)
        which = np.zeros(n, np.intp) if uniform is None else (uniform * starts.size).astype(np.intp)
        return States(starts[which], np.zeros(n, np.intp), np.ones((n, self.num_items), np.bool_))

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
        """Return what `step` returns and the events of the step."""
        level, rewards = self.level, self.level.rewards
        if slip_uniform is not None and level.slip > 0:
            slipped = np.flatnonzero(slip_uniform < level.slip)
            side = (slip_uniform[slipped] >= level.slip / 2).astype(np.intp)
            action = action.copy()
            action[slipped] = self._perpendicular[action[slipped], side]

        cell = self._next_cell.take(states.cell * NUM_ACTIONS + action)
        step = states.step + 1
        reward = np.full(cell.size, rewards.step)
        terminated = self._ends_at.take(cell)

        # Collect what lies there. Few states do, so only their rows are touched.
        item = self._item_at.take(cell)
        collected = np.flatnonzero(item >= 0)
        item = item[collected]
        still_there = states.items[collected, item]
        collected, item = collected[still_there], item[still_there]
        items = states.items.copy()
        items[collected, item] = False
        reward[collected] += self._item_reward[item]
        with_coin = collected[item < self.num_coins]
        terminated[with_coin] |= ~items[with_coin, : self.num_coins].any(axis=1)
        if level.goals or level.pits:
            reward += self._end_reward.take(cell)

        # Only on cells where a patroller ever walks can the player be caught, also when they swap cells.
        near = np.flatnonzero(self._patrolled.take(cell))
        phase = states.step[near] % self.num_phases
        before, after = self.patroller_cells[phase], self._following_cells[phase]
        old, new = states.cell[near, None], cell[near, None]
        caught = near[((new == after) | ((new == before) & (old == after))).any(axis=1)]
        terminated[caught] = True
        reward[caught] += rewards.caught

        if noise is not None and level.reward_noise > 0:
            reward += level.reward_noise * noise
        truncated = (step >= level.max_steps) & ~terminated
        return Outcome(States(cell, step, items), reward, terminated, truncated, collected, item, caught)

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

    def check_state(self, state: State) -> None:
        """Raise `LevelError` if a state does not belong to the level: its cell, its step or its number of items."""
        level = self.level
        where = f"level '{level.name}'"
        try:
            cell, step, items = state
            cell, step, num_items = operator.index(cell), operator.index(step), len(items)
        except (TypeError, ValueError):
            raise LevelError(
                f"expected a State(cell, step, items), got {state!r}; take it from get_state()", where
            ) from None
        if not 0 <= cell < level.rows * level.columns:
            raise LevelError(
                f"expected a state's cell from 0 to {level.rows * level.columns - 1}, got {cell}; give a floor cell",
                where,
            )
        if level.map[cell // level.columns][cell % level.columns] == "#":
            raise LevelError(
                f"a state's cell cannot be the wall at {place(cell, level.columns)}; give a floor cell", where
            )
        if not 0 <= step <= level.max_steps:
            raise LevelError(f"expected a state's step from 0 to {level.max_steps}, got {step}; correct it", where)
        if num_items != self.num_items or not all(item in (True, False) for item in items):
            raise LevelError(
                f"expected a state with {self.num_items} items, True or False, got {items!r}; take it from this level",
                where,
            )

    def check_states(self, states: States) -> None:
        """Raise `LevelError` at the first state that does not belong to the level."""
        level = self.level
        if states.items.dtype != np.bool_ or states.items.shape != (states.cell.size, self.num_items):
            raise LevelError(
                f"expected items as bool [{states.cell.size}, {self.num_items}], got {states.items.dtype} "
                f"{list(states.items.shape)}; take the states from this level",
                f"level '{level.name}'",
            )
        right = np.isin(states.cell, level.floor) & (states.step >= 0) & (states.step <= level.max_steps)
        for wrong in np.flatnonzero(~right)[:1]:
            self.check_state(states.one(wrong))
