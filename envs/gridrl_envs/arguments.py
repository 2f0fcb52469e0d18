"""The arguments of a vector environment's methods, checked at the border."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import error
from numpy.typing import NDArray

from gridrl_envs.dynamics import NUM_ACTIONS


def check_actions(actions: Any, num_envs: int) -> NDArray[np.intp]:
    """Return actions as intp [N]; raises `gymnasium.error.InvalidAction`."""
    given = np.asarray(actions)
    if given.shape == (num_envs,) and given.dtype.kind in "iu":
        moves = given.astype(np.uintp)  # where a negative number is a very large one
        if not np.count_nonzero(moves >= NUM_ACTIONS):
            return moves.view(np.intp)
    raise error.InvalidAction(
        f"expected {num_envs} whole numbers from 0 to {NUM_ACTIONS - 1} as actions, got {actions!r}; correct them"
    )


def check_seeds(seed: int | Sequence[int | None] | None, num_envs: int) -> list[int | None]:
    """Return a seed, or None, for each environment: seed + i, or seed[i]; raises `gymnasium.error.Error`."""
    if seed is None:
        return [None] * num_envs
    is_one = isinstance(seed, int | np.integer)
    seeds = list(range(seed, seed + num_envs)) if is_one else list(seed)  # type: ignore[arg-type, operator]
    if len(seeds) != num_envs or not all(
        one is None or (isinstance(one, int | np.integer) and one >= 0) for one in seeds
    ):
        raise error.Error(
            f"expected a whole number of 0 or more as seed, or a list of {num_envs} of them, got {seed!r}; correct it"
        )
    return [None if one is None else int(one) for one in seeds]


def check_reset_options(options: dict[str, Any] | None, num_envs: int) -> NDArray[np.bool_]:
    """Return the reset_mask [N], all True where none is given; raises `gymnasium.error.Error`."""
    if not options:
        return np.ones(num_envs, np.bool_)
    for unknown in options.keys() - {"reset_mask"}:
        raise error.Error(f"unknown reset option {unknown!r}; the one option is 'reset_mask'")
    mask = options["reset_mask"]
    is_mask = isinstance(mask, np.ndarray) and mask.dtype == np.bool_ and mask.shape == (num_envs,)
    if not (is_mask and np.count_nonzero(mask)):
        raise error.Error(f"expected a reset_mask bool [{num_envs}] with a True in it, got {mask!r}; correct it")
    return mask
