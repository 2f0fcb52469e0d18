"""One environment: the rules in plain Python, to be read first.

`dynamics.py` has the same rules over arrays of states. A test holds both equal.
"""

import operator
import os
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium import error, logger, spaces
from numpy.random import PCG64, Generator

from gridrl_envs.ansi import ansi
from gridrl_envs.dynamics import NUM_ACTIONS, PERPENDICULAR, Dynamics, State, States
from gridrl_envs.geometry import moves
from gridrl_envs.kinds import make_kind
from gridrl_envs.level import Level
from gridrl_envs.options import configure
from gridrl_envs.state_checks import check_state
from gridrl_envs.streams import children
from gridrl_envs.view import Observation

if TYPE_CHECKING:
    from gridrl_envs.window import Window


TILE = 40  # pixels of a cell's side in a picture, fewer where the picture would be larger than this:
LARGEST_PICTURE = (1600, 1200)


class GridworldEnv(gymnasium.Env[Observation, int]):
    """A level as a Gymnasium environment: `gymnasium.make("dense-v0", level="my.toml", coins=4)`.

    Actions: 0 up, 1 down, 2 left, 3 right. Observations: "planes", uint8 [rows, columns, P]; "state", the number of the
    state; "window", the planes of the square of `window_radius` cells (2) around the player; "pixels", the picture with
    cells of `tile_size` pixels (6), uint8 [H, W, 3]. Every info is {"coins_left": int, "caught": bool}. The step limit
    is `truncated`, and only where the step did not terminate as well.

    Attributes: `level`, `dynamics`, and `observation_support`, the entries of the planes or the window that can ever be
    other than zero, bool in their shape (None for the other kinds). Keywords that are not None replace the level's
    settings, and `coins=k` keeps the k coins and at most k poisons nearest to the start. Raises `LevelError` if the
    level or a setting is wrong, or the level has too many states for "state".
    """

    metadata: dict[str, Any] = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 8}  # noqa: RUF012

    def __init__(
        self,
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
        render_mode: str | None = None,
    ) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            modes = ", ".join(self.metadata["render_modes"])
            raise error.UnsupportedMode(f"unknown render_mode {render_mode!r}; give one of {modes}, or None")
        settings = {"slip": slip, "reward_noise": reward_noise, "max_steps": max_steps, "patrol_period": patrol_period}
        self.level = level = configure(level, coins, **settings)
        self.dynamics = Dynamics(level)
        kind = make_kind(self.dynamics, observation, window_radius, tile_size)
        self.observation_space = kind.space  # type: ignore[assignment]
        self.observation_support = kind.support
        self.action_space = spaces.Discrete(NUM_ACTIONS)  # type: ignore[assignment]
        self.render_mode = render_mode
        self._view = kind.view()
        self._window: Window | None = None
        self._streams: tuple[Generator, ...] = ()  # of starts, slips and noise; made when first drawn from
        self._has_state = False  # after the first reset
        self._is_over = True  # from the end of an episode to the next reset

        # The state: see `State`.
        self._cell = self._step = self._coins_left = 0
        self._items: list[bool] = []

        # What each step looks up.
        self._moves = moves(level.columns)
        self._is_wall = [glyph == "#" for row in level.map for glyph in row]
        self._item_at = {cell: item for item, cell in enumerate(level.coins + level.poisons)}
        self._num_coins = len(level.coins)
        ends = dict.fromkeys(level.goals, level.rewards.goal) | dict.fromkeys(level.pits, level.rewards.pit)
        self._end_reward = ends
        self._patrollers = [tuple(cells) for cells in self.dynamics.patroller_cells.tolist()]  # by phase

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode; a seed begins the random streams anew. There are no options."""
        super().reset(seed=seed)
        if options:
            raise error.Error(f"unknown reset option {next(iter(options))!r}; a gridworld has none, so leave it out")
        if seed is not None:
            self._streams = ()
        self.np_random  # noqa: B018  # Gymnasium makes it at the first look, and its checks expect it after a reset
        starts = self.level.starts
        start = starts[int(self._stream(0).random() * len(starts))] if len(starts) > 1 else starts[0]
        self._put(State(start, 0, (True,) * len(self._item_at)))
        self._is_over = False
        if self.render_mode == "human":
            self.render()
        return self.observe(), {"coins_left": self._coins_left, "caught": False}

    def step(self, action: int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Play one step.

        Raises `gymnasium.error.InvalidAction`, and `gymnasium.error.ResetNeeded` before the first reset and after the
        end of an episode.
        """
        move = self._checked(action)
        level, rewards = self.level, self.level.rewards

        # The player moves; into a wall it stays.
        if level.slip:
            chance = self._stream(1).random()
            if chance < level.slip:
                move = PERPENDICULAR[move][0 if chance < level.slip / 2 else 1]
        old = self._cell
        cell = old + self._moves[move]
        if self._is_wall[cell]:
            cell = old
        reward = rewards.step
        terminated = caught = False

        # What lies on its cell is collected and gone. The last coin ends the episode, as do a goal and a pit.
        item = self._item_at.get(cell)
        if item is not None and self._items[item]:
            self._items[item] = False
            self._view.take(item)
            if item < self._num_coins:
                reward += rewards.coin
                self._coins_left -= 1
                terminated = self._coins_left == 0
            else:
                reward += rewards.poison
        if cell in self._end_reward:
            reward += self._end_reward[cell]
            terminated = True

        # The patrollers move, if it is their step. Sharing a cell or swapping cells with one ends the episode.
        before = self._patrollers[self._step % len(self._patrollers)]
        self._step += 1
        after = self._patrollers[self._step % len(self._patrollers)]
        for came_from, stands in zip(before, after, strict=True):
            if cell == stands or (cell == came_from and old == stands):
                caught = True
        if caught:
            reward += rewards.caught
            terminated = True

        if level.reward_noise:
            reward += level.reward_noise * self._stream(2).standard_normal()
        self._cell = cell
        truncated = self._step >= level.max_steps and not terminated
        self._is_over = terminated or truncated
        if self.render_mode == "human":
            self.render()
        return self.observe(), reward, terminated, truncated, {"coins_left": self._coins_left, "caught": caught}

    def observe(self) -> Observation:
        """Return the observation of the present state."""
        self._need_state("observe")
        return self._view.observe(self._cell, self._step % len(self._patrollers))

    def get_state(self) -> State:
        """Return the present state; random streams are no part of it."""
        self._need_state("get_state")
        return State(self._cell, self._step, tuple(self._items))

    def set_state(self, state: State) -> None:
        """Go on from a state of this level; where it tells that its episode is over, `step` asks for a reset.

        Raises `LevelError` for a state that does not belong to the level.
        """
        check_state(self.dynamics, state)
        state = State(operator.index(state[0]), operator.index(state[1]), tuple(map(bool, state[2])))
        self._put(state)
        self._is_over = state.step >= self.level.max_steps or bool(self.dynamics.is_over(States.of([state]))[0])

    def render(self) -> Any:
        """Return the picture uint8 [H, W, 3] ("rgb_array"), the text ("ansi"), or show the window ("human")."""
        self._need_state("render")
        if self.render_mode is None:
            logger.warn("render() does nothing without a render_mode; give one to gymnasium.make")
            return None
        if self.render_mode == "ansi":
            return ansi(self.level, self.get_state())
        from gridrl_envs import rendering, window

        if self._window is not None and self._window.closed:
            return None  # its user has closed it, and the environment goes on without
        tile = min(TILE, rendering.frame_tile(self.level, *LARGEST_PICTURE))
        picture = rendering.draw(self.level, self.get_state(), tile=tile)
        if self.render_mode == "rgb_array":
            return picture
        if self._window is None:
            self._window = window.Window(f"gridrl: {self.level.name}", fps=self.metadata["render_fps"])
        self._window.show(picture)
        return None

    def close(self) -> None:
        """Close the window, if there is one. Closing again does nothing."""
        if self._window is not None:
            self._window.close()

    def _put(self, state: State) -> None:
        self._cell, self._step, self._items = state.cell, state.step, list(state.items)
        self._coins_left = sum(self._items[: self._num_coins])
        self._view.begin(state)
        self._has_state = True

    def _stream(self, which: int) -> Generator:
        if not self._streams:
            seed_sequence = self.np_random.bit_generator.seed_seq
            assert isinstance(seed_sequence, np.random.SeedSequence)
            self._streams = tuple(Generator(PCG64(seed)) for seed in children(seed_sequence))
        return self._streams[which]

    def _checked(self, action: int) -> int:
        """Return the action as an int, if it is one and may be taken now."""
        if self._is_over:
            self._need_state("step")
            raise error.ResetNeeded("expected reset() after the end of the episode, got step(); call reset() first")
        try:
            move = operator.index(action)
        except TypeError:
            move = -1
        if not 0 <= move < NUM_ACTIONS:
            raise error.InvalidAction(
                f"expected an action from 0 to {NUM_ACTIONS - 1} (up, down, left, right), got {action!r}; give one"
            )
        return move

    def _need_state(self, method: str) -> None:
        if not self._has_state:
            raise error.ResetNeeded(f"expected reset() before anything else, got {method}(); call reset() first")
