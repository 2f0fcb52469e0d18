"""A moment of a level: which items are left and where the patrollers are. A map puts the player on every cell of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridrl.errors import UserError

if TYPE_CHECKING:
    from gridrl.run import Run
    from gridrl_envs.dynamics import States
    from gridrl_envs.vector import GridworldVectorEnv


class Situation(NamedTuple):
    """All that changes in a level but the player's place."""

    items: tuple[bool, ...]  # coins, then poisons, each in reading order; True while it lies there
    step: int = 0  # of the episode: it tells where the patrollers are
    player: int | None = None  # cell on which an episode that came here has the player

    @property
    def words(self) -> str:
        """What is not as an episode begins: "items 3, 7 collected, step 12"; empty at the beginning."""
        gone = [str(number) for number, left in enumerate(self.items, start=1) if not left]
        named = f"item{'s' * (len(gone) > 1)} {', '.join(gone)}"
        if len(gone) > 6:
            named = f"{len(gone)} of {len(self.items)} items"
        return ", ".join([f"{named} collected"] * bool(gone) + [f"step {self.step}"] * bool(self.step))


def beginning(world: "GridworldVectorEnv") -> Situation:
    """Return the situation in which an episode begins."""
    return Situation((True,) * world.dynamics.num_items)


def situation_of(world: "GridworldVectorEnv", collected: Sequence[int] = (), step: int = 0) -> Situation:
    """Return the situation at `step` without the items whose numbers were `collected`.

    Items are numbered from 1: coins in reading order, then poisons. Raises `UserError` for a number or a step that the
    level does not have, and where no coin is left, which ends an episode.
    """
    level, num_items = world.level, world.dynamics.num_items
    if collected and not num_items:
        raise UserError(f"level '{level.name}' has no items that could have been collected; leave them out.")
    for number in collected:
        if not 1 <= number <= num_items:
            raise UserError(f"level '{level.name}' has items {_ranges(world)}, got item {number}; give one of these.")
    if not 0 <= step < level.max_steps:
        raise UserError(f"an episode of '{level.name}' has steps 0 to {level.max_steps - 1}, got step {step}.")
    situation = Situation(tuple(number not in collected for number in range(1, num_items + 1)), step)
    if level.coins and not any(situation.items[: len(level.coins)]):
        raise UserError(
            f"with the last coin the episode is over; leave at least one of the coins 1 to {len(level.coins)}."
        )
    return situation


def situation_after(run: "Run", index: int, num_steps: int) -> Situation:
    """Return what the greedy episode of run number `index` came to after some steps; `gridrl watch` shows the same one.

    Raises `UserError` where the episode is over by then.
    """
    agent, env = run.agent, run.problem.make_vector(1)
    policy = agent.policy(0.0)
    obs, _ = env.reset(seed=0)
    for step in range(num_steps):
        action = policy.act(np.broadcast_to(obs, (agent.num_runs, *obs.shape)))[index]
        obs, _, terminated, truncated, _ = env.step(action)
        if terminated[0] or truncated[0]:
            raise UserError(
                f"the greedy episode of {run.config.agent}, seed {run.config.seeds[index]}, is over after {step + 1} "
                f"steps, so that it can be looked at after 0 to {step}, got {num_steps}."
            )
    gridworld: GridworldVectorEnv = env.unwrapped  # type: ignore[assignment]
    cell, step, items = gridworld.get_states().one(0)
    return Situation(items, step, cell)


def on_every_cell(world: "GridworldVectorEnv", situation: Situation) -> "States":
    """Return the states with the player put on each floor cell, in the order of `level.floor`.

    What lies on the player's own cell counts as collected: standing there, it has just been picked up.
    """
    from gridrl_envs.dynamics import States

    floor = np.array(world.level.floor, dtype=np.intp)
    items = np.array(situation.items, dtype=bool) & (world.dynamics.item_cells[None, :] != floor[:, None])
    return States(floor, np.full(floor.size, situation.step, dtype=np.intp), items)


def patrollers(world: "GridworldVectorEnv", situation: Situation) -> list[int]:
    """Return the patrollers' cells."""
    return world.dynamics.patroller_cells[situation.step % world.dynamics.num_phases].tolist()


def _ranges(world: "GridworldVectorEnv") -> str:
    """Return the items' numbers in words: "1 to 6 (coins) and 7 (poison)"."""
    num_coins, num_items = world.dynamics.num_coins, world.dynamics.num_items
    parts = []
    for first, last, kind in ((1, num_coins, "coin"), (num_coins + 1, num_items, "poison")):
        if first < last:
            parts.append(f"{first} to {last} ({kind}s)")
        elif first == last:
            parts.append(f"{first} ({kind})")
    return " and ".join(parts)
