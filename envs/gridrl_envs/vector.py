"""Many environments at once, natively: `gymnasium.make_vec("dense-v0", num_envs=1024)`."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import error, logger, spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.random import SeedSequence
from numpy.typing import NDArray

from gridrl_envs.ansi import ansi
from gridrl_envs.arguments import check_actions, check_reset_options, check_seeds
from gridrl_envs.dynamics import NOBODY, NUM_ACTIONS, Dynamics, States
from gridrl_envs.kinds import make_kind
from gridrl_envs.level import Level, LevelError
from gridrl_envs.options import configure
from gridrl_envs.settings import check_whole
from gridrl_envs.state_checks import check_states
from gridrl_envs.streams import Streams, children

MAX_ENVS = 2**20
STREAMS = ("start", "slip", "noise")  # in the order of `streams.children`
Observations = NDArray[Any]  # uint8 [N, ...], or int64 [N] for "state"


class GridworldVectorEnv(VectorEnv[Observations, NDArray[Any], NDArray[Any]]):
    """`N` environments over one level, stepped together.

    With the same seeds it gives the very same bytes as Gymnasium's `SyncVectorEnv` over `GridworldEnv`, infos
    included, in every autoreset mode; keywords, attributes and errors are those of `GridworldEnv`. With `copy=False`
    `reset` and `step` return the one array of observations that later steps overwrite. No human rendering.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array", "ansi"]}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int,
        level: "Level | str | os.PathLike[str]" = "dense",
        *,
        observation: str = "planes",
        coins: int | None = None,
        slip: float | None = None,
        reward_noise: float | None = None,
        max_steps: int | None = None,
        patrol_period: int | None = None,
        window_radius: int | None = None,
        tile_size: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        copy: bool = True,
    ) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            modes = ", ".join(self.metadata["render_modes"])
            raise error.UnsupportedMode(f"unknown render_mode {render_mode!r} for many at once; give one of {modes}")
        self.num_envs = check_whole("num_envs", num_envs, 1, MAX_ENVS)
        settings = {"slip": slip, "reward_noise": reward_noise, "max_steps": max_steps, "patrol_period": patrol_period}
        self.level = configure(level, coins, **settings)
        self.dynamics = Dynamics(self.level)
        self._kind = make_kind(self.dynamics, observation, window_radius, tile_size)
        self.observation_support = self._kind.support
        self.single_observation_space = self._kind.space
        self.single_action_space = spaces.Discrete(NUM_ACTIONS)
        self.observation_space = batch_space(self._kind.space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = self.metadata | {"autoreset_mode": self.autoreset_mode}
        self.render_mode = render_mode
        self.copy = copy
        self._views = self._kind.views(self.num_envs)
        self._states = self.dynamics.reset(self.num_envs)
        self._coins_left = np.zeros(self.num_envs, np.int64)
        self._ended = np.ones(self.num_envs, np.bool_)
        self._all = np.ones(self.num_envs, np.bool_)  # the mask of infos that all have
        self._has_states = False  # after the first reset

        # Only those streams that this level draws from.
        is_used = (len(self.level.starts) > 1, self.level.slip > 0, self.level.reward_noise > 0)
        seeds = [children(SeedSequence()) for _ in range(self.num_envs)] if any(is_used) else []
        self._streams = {
            name: Streams([seed[child] for seed in seeds], normal=name == "noise")
            for child, name in enumerate(STREAMS)
            if is_used[child]
        }

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin episodes in all environments, or in those where options={"reset_mask": bool [N]} is True.

        Environment i gets the seed seed + i, or seed[i]; without one its random streams go on.
        """
        mask = check_reset_options(options, self.num_envs)
        if not (self._has_states or mask.all()):
            raise error.ResetNeeded("expected a reset() of all environments first, got a reset_mask; leave it out once")
        (rows,) = mask.nonzero()
        if seed is not None:
            self._seed(rows, check_seeds(seed, self.num_envs))
        self._begin(rows)
        self._has_states = True
        return self._observations(), _infos(self._coins_left * mask, np.zeros(self.num_envs, np.bool_), mask)

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Observations, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Play one step in each environment; those that have ended begin anew as the autoreset mode says.

        Raises `gymnasium.error.InvalidAction`, and `gymnasium.error.ResetNeeded` before the first reset and, where
        nothing resets by itself, after the end of an episode.
        """
        self._need_playing()
        actions = check_actions(actions, self.num_envs)
        # Some only in mode NEXT_STEP: they take no action, and draw nothing.
        resetting = self._ended.nonzero()[0] if self.autoreset_mode == AutoresetMode.NEXT_STEP else NOBODY
        slip, noise = self._draw("slip", resetting), self._draw("noise", resetting)
        outcome = self.dynamics.outcome(self._states, actions, slip, noise)
        self._views.step(self._states, outcome)
        self._states, reward, terminated, truncated, collected, item, caught_rows = outcome
        if collected.size:
            self._coins_left[collected[item < self.dynamics.num_coins]] -= 1
        caught = np.zeros(self.num_envs, np.bool_)
        if caught_rows.size:
            caught[caught_rows] = True
        if resetting.size:
            self._begin(resetting)
            reward[resetting] = 0.0
            terminated[resetting] = truncated[resetting] = caught[resetting] = False

        infos: dict[str, Any] = {}
        self._ended = terminated | truncated
        if self.autoreset_mode == AutoresetMode.SAME_STEP and np.count_nonzero(self._ended):
            infos = self._final_infos(caught)
            (rows,) = self._ended.nonzero()
            self._begin(rows)
            caught[rows] = False
        infos |= _infos(self._coins_left.copy(), caught, self._all)
        return self._observations(), reward, terminated, truncated, infos

    def observe(self, states: States) -> Observations:
        """Return the observations of any states of this level; changes nothing, and checks nothing."""
        return self._kind.of(states)

    def get_states(self) -> States:
        """Return the present states."""
        self._need_states("get_states")
        cell, step, items = self._states
        return States(cell.copy(), step.copy(), items.copy())

    def set_states(self, states: States) -> None:
        """Go on from these states; where one tells that its episode is over, that is so.

        Raises `LevelError` if there are not N of them, or one does not belong to the level.
        """
        if not len(states.cell) == len(states.step) == len(states.items) == self.num_envs:
            raise LevelError(f"expected {self.num_envs} states, one each, got {len(states.cell)}; give all")
        check_states(self.dynamics, states)
        self._put(States(states.cell.astype(np.intp), states.step.astype(np.intp), states.items.copy()))
        self._ended = self.dynamics.is_over(self._states) | (self._states.step >= self.level.max_steps)
        self._has_states = True

    def state_dict(self) -> dict[str, Any]:
        """Return all that decides what comes next: arrays and, for "has_states", a bool."""
        return {
            **{name: array.copy() for name, array in self._states._asdict().items()},
            "ended": self._ended.copy(),
            "has_states": self._has_states,
            **{f"{name}_stream": stream.state() for name, stream in self._streams.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken; raises `LevelError` if that was another level or number of envs."""
        mine = self.state_dict()
        if mine.keys() != state.keys() or any(np.shape(state[key]) != np.shape(mine[key]) for key in mine):
            raise LevelError(
                f"expected the saved state of {self.num_envs} environments over level '{self.level.name}', "
                "got another's; make the environment with the settings it was saved with"
            )
        states = States(
            np.array(state["cell"], np.intp), np.array(state["step"], np.intp), np.array(state["items"], np.bool_)
        )
        check_states(self.dynamics, states)
        self._put(states)
        self._ended = np.array(state["ended"], np.bool_)
        self._has_states = bool(state["has_states"])
        for name, stream in self._streams.items():
            stream.set_state(state[f"{name}_stream"])

    def render(self) -> tuple[Any, ...] | None:
        """Return the picture or text of each environment; nothing, with a warning, without a render_mode."""
        self._need_states("render")
        if self.render_mode is None:
            logger.warn("render() does nothing without a render_mode; give one to gymnasium.make_vec")
            return None
        if self.render_mode == "ansi":
            return tuple(ansi(self.level, self._states.one(i)) for i in range(self.num_envs))
        from gridrl_envs import rendering

        return tuple(rendering.draw(self.level, self._states.one(i)) for i in range(self.num_envs))

    def _put(self, states: States) -> None:
        self._states = states
        self._coins_left = states.items[:, : self.dynamics.num_coins].sum(axis=1)
        self._views.put(states)

    def _begin(self, rows: NDArray[np.intp]) -> None:
        uniform = self._streams["start"].next(rows) if "start" in self._streams else None
        starts = self.dynamics.starts(rows.size, uniform)
        cell, step, items = self._states
        cell[rows], step[rows] = starts, 0
        if self.dynamics.num_items:
            items[rows] = True
            self._coins_left[rows] = self.dynamics.num_coins
        self._ended[rows] = False
        self._views.begin(rows, starts)

    def _draw(self, name: str, resetting: NDArray[np.intp]) -> NDArray[np.float64] | None:
        """Return the next number [N] of each stream of this name, 0 without drawing for those resetting."""
        if name not in self._streams:
            return None
        if not resetting.size:
            return self._streams[name].next()
        playing = np.flatnonzero(~self._ended)
        numbers = np.zeros(self.num_envs)
        numbers[playing] = self._streams[name].next(playing)
        return numbers

    def _observations(self) -> Observations:
        return self._views.obs.copy() if self.copy else self._views.obs

    def _final_infos(self, caught: NDArray[np.bool_]) -> dict[str, Any]:
        """Return the last observations and infos of the episodes that have just ended, as Gymnasium gives them."""
        ended = self._ended
        final_obs = np.full(self.num_envs, None, dtype=object)
        for row in np.flatnonzero(ended):
            final_obs[row] = self._one(row)
        return {
            "final_obs": final_obs,
            "_final_obs": ended.copy(),
            "final_info": _infos(np.where(ended, self._coins_left, 0), caught & ended, ended),
            "_final_info": ended.copy(),
        }

    def _one(self, row: np.intp) -> Any:
        """Return the observation of one environment, as the environment alone gives it."""
        obs = self._views.obs[row]
        return int(obs) if isinstance(self._kind.space, spaces.Discrete) else obs.copy()

    def _seed(self, rows: NDArray[np.intp], seeds: list[int | None]) -> None:
        for row in rows.tolist() if self._streams else ():
            if (seed := seeds[row]) is not None:
                by_name = dict(zip(STREAMS, children(SeedSequence(seed)), strict=True))
                for name, stream in self._streams.items():
                    stream.seed(row, by_name[name])

    def _need_playing(self) -> None:
        self._need_states("step")
        if self.autoreset_mode != AutoresetMode.NEXT_STEP and np.count_nonzero(self._ended):
            raise error.ResetNeeded(
                f"expected a reset of environments {np.flatnonzero(self._ended).tolist()}, whose episodes are over, "
                "got step(); call reset() with a reset_mask"
            )

    def _need_states(self, method: str) -> None:
        if not self._has_states:
            raise error.ResetNeeded(f"expected reset() before anything else, got {method}(); call reset() first")


def _infos(coins_left: NDArray[np.int64], caught: NDArray[np.bool_], mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the infos of those environments where the mask is True, as Gymnasium gives them."""
    return {"coins_left": coins_left, "_coins_left": mask.copy(), "caught": caught, "_caught": mask.copy()}
