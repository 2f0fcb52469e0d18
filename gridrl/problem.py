"""A problem: an environment's id and settings, and the environments made from them."""

import dataclasses
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gridrl.errors import UserError, unknown

if TYPE_CHECKING:
    import gymnasium
    import numpy as np
    from gymnasium.vector import SyncVectorEnv

    from gridrl_envs.vector import GridworldVectorEnv

    AnyVectorEnv = SyncVectorEnv | GridworldVectorEnv

    from gridrl_envs.level import Level


LEVEL_COPY = "level.toml"  # a run folder's own copy of the level it was trained on


@dataclass(frozen=True)
class ProblemSettings:
    """What is to be learned; the fields from `level` to `max_steps` are for our gridworlds alone."""

    env: str = "dense-v0"
    """Gymnasium id: one of ours, or any with discrete actions (`module:Name-v0` imports the module first)."""
    level: str | None = None
    """A level file (TOML or plain map) or a built-in level's name, in place of the id's own."""
    observation: Literal["auto", "planes", "state", "window", "pixels"] = "auto"
    """What the agent sees; auto: state for a table where it can be had, window for a memory, planes for all others."""
    window_radius: int | None = None
    """How far the window reaches; 2 cells if not given."""
    tile_size: int | None = None
    """Pixels of a cell's side in the observation `pixels`; 6 if not given."""
    coins: int | None = None
    """Keep only this many coins, and at most as many poisons: those nearest to the start."""
    slip: float | None = None
    """Probability that a perpendicular action is taken instead; the level's own if not given."""
    reward_noise: float | None = None
    """Standard deviation of noise added to each reward; the level's own if not given."""
    max_steps: int | None = None
    """Steps after which an episode is cut; the level's own if not given."""
    preprocess: Literal["none", "atari"] = "none"
    """atari, where pictures are seen: several at once, grey, 84 x 84; actions repeated; learns from rewards' signs."""
    action_repeat: int | None = None
    """Times that --preprocess atari takes each action; 4 if not given."""
    frame_stack: int | None = None
    """Pictures that --preprocess atari shows at once; 4 if not given."""

    def __post_init__(self) -> None:
        if self.preprocess not in ("none", "atari"):
            raise unknown("preprocess", self.preprocess, ("none", "atari"))
        for name in ("action_repeat", "frame_stack"):
            value, option = getattr(self, name), name.replace("_", "-")
            if value is not None and self.preprocess == "none":
                raise UserError(f"--{option} is for --preprocess atari; give that too, or leave it out.")
            if value is not None and value < 1:
                raise UserError(f"--{option} must be 1 or more, got {value}; give a larger one.")


class Problem:
    """An environment's id with its settings, checked; makes environments and knows how they look to an agent.

    Raises `UserError` for an unknown id, for gridworld settings given to another environment and for actions that are
    not discrete; `LevelError` for a level or an observation that cannot be had.
    """

    def __init__(
        self,
        settings: ProblemSettings,
        *,
        prefer_state: bool = False,
        prefer_window: bool = False,
        level: "Level | None" = None,
    ) -> None:
        """`level` stands in place of the one that the settings name."""
        self.settings = settings
        self._level = level
        self._is_wrapped = settings.preprocess != "none"
        self.spec = _find_spec(settings.env)
        self.is_gridworld = self.spec.vector_entry_point == "gridrl_envs.vector:GridworldVectorEnv"
        self._kwargs = (
            self._gridworld_kwargs(prefer_state, prefer_window) if self.is_gridworld else self._foreign_kwargs()
        )
        space = self._probe.single_action_space
        if type(space).__name__ != "Discrete":
            raise UserError(f"{settings.env} has actions {space}; agents here choose among Discrete actions only.")

    def make_vector(self, num_envs: int, *, learning: bool = False) -> "AnyVectorEnv":
        """Return `num_envs` environments stepped together, autoreset disabled: their owner resets what has ended.

        Those for `learning` give clipped rewards where the preprocessing says so.
        """
        import gymnasium
        from gymnasium.vector import AutoresetMode

        env: Any
        options: dict[str, Any] = {"autoreset_mode": AutoresetMode.DISABLED}
        if self.is_gridworld and not self._is_wrapped:
            env = gymnasium.make_vec(self.spec, num_envs, **options, **self._kwargs)
        else:
            options = {"vector_kwargs": options, "wrappers": [partial(self._wrap, learning=learning)]}
            env = gymnasium.make_vec(self.spec, num_envs, vectorization_mode="sync", **options, **self._kwargs)
        return env

    def make_single(self, render_mode: str | None = None) -> "gymnasium.Env":
        """Return one environment, to be looked at; raises `UserError` where it takes no `render_mode`."""
        import gymnasium

        try:
            env: gymnasium.Env = gymnasium.make(self.spec, render_mode=render_mode, **self._kwargs)
        except TypeError as error:
            raise UserError(f"{self.settings.env} cannot be made to be looked at: {error}.") from None
        return self._wrap(env, learning=False)

    def _wrap(self, env: "gymnasium.Env", learning: bool) -> "gymnasium.Env":
        if not self._is_wrapped:
            return env
        from gridrl.atari import AtariPictures, clip_rewards

        names = ("action_repeat", "frame_stack")
        env = AtariPictures(env, **{name: value for name in names if (value := getattr(self.settings, name))})
        return clip_rewards(env) if learning else env

    @cached_property
    def _probe(self) -> "AnyVectorEnv":
        return self.make_vector(1)

    @property
    def saves_state(self) -> bool:
        """True where stopping and resuming equals not stopping; a foreign environment begins a new episode."""
        return hasattr(self._probe.unwrapped, "state_dict")

    @property
    def observation_space(self) -> "gymnasium.Space":
        """The space of one observation."""
        return self._probe.single_observation_space

    @property
    def action_space(self) -> "gymnasium.spaces.Discrete":
        """The space of one action."""
        return self._probe.single_action_space  # type: ignore[return-value]

    @property
    def gridworld(self) -> "GridworldVectorEnv":
        """One of our gridworlds, to be asked what states look like.

        Raises `UserError` for another environment, and where an observation shows more than one state.
        """
        if self._is_wrapped:
            raise UserError(
                "with --preprocess atari an observation shows several steps at once, so that no state has a value of "
                "its own to be shown; train with --observation pixels alone."
            )
        return self._world

    @cached_property
    def _world(self) -> "GridworldVectorEnv":
        if not self.is_gridworld:
            raise UserError(
                f"{self.settings.env} is no gridworld; use dense-v0, dense-small-v0 or a level of your own."
            )
        if not self._is_wrapped:
            return self._probe.unwrapped  # type: ignore[return-value]
        from gridrl_envs.vector import GridworldVectorEnv

        return GridworldVectorEnv(1, **(self.spec.kwargs | self._kwargs))

    @property
    def level(self) -> "Level":
        """The level of a gridworld, all settings applied; raises `UserError` for another environment."""
        return self._world.level

    @property
    def observation_support(self) -> "np.ndarray | None":
        """Mask of the observation's entries that can ever be non-zero, where the environment knows it."""
        return getattr(self._probe.unwrapped, "observation_support", None)

    @property
    def has_own_level(self) -> bool:
        """Whether its level is one that was handed over, and none that the settings name."""
        return self._level is not None

    @property
    def observation(self) -> str:
        """The kind of a gridworld's observation, chosen where the settings left it open."""
        return str(self._kwargs["observation"])

    @property
    def is_deterministic(self) -> bool:
        """True where the same actions always earn the same return."""
        if not self.is_gridworld:
            return False
        return self.level.slip == 0 and self.level.reward_noise == 0 and len(self.level.starts) == 1

    def _gridworld_kwargs(self, prefer_state: bool, prefer_window: bool) -> dict[str, Any]:
        from gridrl_envs.level import LevelError
        from gridrl_envs.vector import GridworldVectorEnv

        given = dataclasses.asdict(self.settings)
        names = ("level", "coins", "slip", "reward_noise", "max_steps", "window_radius", "tile_size")
        kwargs = {name: given[name] for name in names if given[name] is not None}
        if self._level is not None:
            kwargs["level"] = self._level
        if self.settings.observation != "auto":
            return kwargs | {"observation": self.settings.observation}
        if self._is_wrapped:
            return kwargs | {"observation": "pixels"}
        if prefer_window:
            return kwargs | {"observation": "window"}
        if prefer_state:
            try:
                GridworldVectorEnv(1, **(self.spec.kwargs | kwargs), observation="state")
                return kwargs | {"observation": "state"}
            except LevelError:
                GridworldVectorEnv(1, **(self.spec.kwargs | kwargs))  # what is wrong with the level itself shows here
        return kwargs | {"observation": "planes"}

    def _foreign_kwargs(self) -> dict[str, Any]:
        default = ProblemSettings(env=self.settings.env)
        for field in dataclasses.fields(self.settings):
            if field.name in ("preprocess", "action_repeat", "frame_stack"):
                continue
            if getattr(self.settings, field.name) != getattr(default, field.name):
                option = field.name.replace("_", "-")
                raise UserError(f"--{option} is for gridworlds, and {self.settings.env} is none; leave it out.")
        # Atari environments repeat actions themselves; the recipe looks at the pictures in between.
        return {"frameskip": 1} if self._is_wrapped and "frameskip" in self.spec.kwargs else {}


def freeze_level(settings: ProblemSettings, folder: Path) -> ProblemSettings:
    """Return `settings` with a level of the user's replaced by "level.toml", a copy of it in `folder`."""
    from gridrl_envs.level import Level, builtin_levels

    if settings.level is None or settings.level in builtin_levels():
        return settings
    (folder / LEVEL_COPY).write_text(level_toml(Level.load(settings.level)), encoding="utf-8")
    return dataclasses.replace(settings, level=LEVEL_COPY)


def level_toml(level: "Level") -> str:
    """Return the text of a level file that is read back as `level`."""
    import tomli_w

    table = dataclasses.asdict(level)
    table["map"] = "\n".join(level.map) + "\n"
    return tomli_w.dumps(table, multiline_strings=True)


def _find_spec(env_id: str) -> "gymnasium.envs.registration.EnvSpec":
    import gymnasium
    import gymnasium.error

    import gridrl_envs

    gridrl_envs.register_envs()
    module, colon, name = env_id.rpartition(":")
    if colon:
        import importlib

        try:
            importlib.import_module(module)
        except ImportError as error:
            raise UserError(f"{env_id}: the module {module!r} cannot be imported ({error}); is it installed?") from None
    try:
        return gymnasium.spec(name)
    except gymnasium.error.Error:
        raise unknown("environment", name, gymnasium.registry) from None
