"""A level that is played by hand, with every step kept so that it can be taken back."""

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from gridrl.problem import Problem
    from gridrl_envs.dynamics import State
    from gridrl_envs.level import Level


class Game:
    """Episodes on one level, played by hand.

    `ended` says why the episode is over, "" while it goes on; `best` is the highest return of an episode that was
    played to its end. What a level leaves to chance (several starts, slips, noise) is fixed by `seed`; a step that was
    taken back and is taken again draws anew.
    """

    def __init__(self, problem: "Problem", seed: int = 0) -> None:
        self._env = problem.make_single()
        self._world = cast(Any, self._env.unwrapped)
        self.level: Level = self._world.level
        self.ended = ""
        self.best: float | None = None
        self._env.reset(seed=seed)
        self._past = [(self.state, 0.0)]

    @property
    def state(self) -> "State":
        """The episode as it is now."""
        state: State = self._world.get_state()
        return state

    @property
    def start(self) -> "State":
        """The episode as it began."""
        return self._past[0][0]

    @property
    def earned(self) -> float:
        """The undiscounted return so far."""
        return self._past[-1][1]

    @property
    def step(self) -> int:
        """How many steps were taken."""
        return len(self._past) - 1

    @property
    def trail(self) -> tuple[int, ...]:
        """The cells that the player came by, oldest first."""
        return tuple(state.cell for state, _ in self._past)

    def move(self, action: int) -> None:
        """Take a step; does nothing once the episode is over."""
        if self.ended:
            return
        _, reward, terminated, truncated, info = self._env.step(action)
        self._past.append((self.state, self.earned + float(reward)))
        if terminated or truncated:
            self.ended = "time is up" if truncated else "caught" if info["caught"] else "the end"
            self.best = self.earned if self.best is None else max(self.best, self.earned)

    def move_to(self, cell: int) -> bool:
        """Step to a cell beside the player, also into a wall; False where the cell is not beside it."""
        from gridrl_envs.geometry import moves

        away = cell - self.state.cell
        beside = moves(self.level.columns)
        if away not in beside:
            return False
        self.move(beside.index(away))
        return True

    def take_back(self) -> bool:
        """Take the last step back; False at the beginning."""
        if len(self._past) == 1:
            return False
        self._past.pop()
        self._world.set_state(self._past[-1][0])
        self.ended = ""
        return True

    def begin_anew(self) -> None:
        """Begin another episode."""
        self._env.reset()
        self.ended = ""
        self._past = [(self.state, 0.0)]

    def close(self) -> None:
        """Let the environment go."""
        self._env.close()
