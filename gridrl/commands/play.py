"""`gridrl play`: the player is you."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gridrl.commands.options import parse
from gridrl.errors import UserError
from gridrl.problem import Problem, ProblemSettings

if TYPE_CHECKING:
    from gridrl.run_folder import RunFolder
    from gridrl.studio.rooms.playing import Trained

HELP = "arrow keys move (or click), u takes a step back, r begins anew, Esc leaves"


@dataclass
class Options:
    """Play a level, beside the best that is possible or an agent."""

    env: str | None = None
    """Gymnasium id of one of our gridworlds; dense-v0 if not given, or the agent's own."""
    level: str | None = None
    """A level file (TOML or plain map) or a built-in level's name, in place of the id's own."""
    coins: int | None = None
    """Keep only this many coins, and at most as many poisons: those nearest to the start."""
    seed: int = 0
    """Fixes what is random in the level."""
    agent: str | None = None
    """A run's folder: its best agent's return stands beside yours, and v lays what it expects under your feet."""
    show_values: bool = False
    """Begin with that map; needs --agent."""

    def __post_init__(self) -> None:
        if self.show_values and self.agent is None:
            raise UserError("--show-values lays an agent's map under your feet; name a run too: --agent RUN.")


def main(argv: list[str]) -> int:
    """Open the level named in `argv` in a window."""
    options: Any = parse(Options, "play", argv, f"Play a level yourself: {HELP}.")
    problem, folder = _problem(options)

    from gridrl.studio.rooms.game import Game
    from gridrl.studio.rooms.later import Later
    from gridrl.studio.rooms.loop import show
    from gridrl.studio.rooms.playing import Playing
    from gridrl.studio.truth import Truth

    game, truth = Game(problem, options.seed), Truth()
    try:
        trained = None if folder is None else Later(lambda: _trained(folder))
        show(
            Playing(game, truth, trained, show_values=options.show_values),
            "see an agent play instead: gridrl watch RUN --video out.gif",
        )
    finally:
        truth.close()
        game.close()
    print(f"your best return: {game.best:.0f}" if game.best is not None else "no episode was played to its end")
    return 0


def _problem(options: Options) -> "tuple[Problem, RunFolder | None]":
    """Return what is played, and the folder of the run beside whom."""
    given = ProblemSettings(env=options.env or "dense-v0", level=options.level, coins=options.coins)
    if options.agent is None:
        return _gridworld(given), None

    from gridrl.run_folder import RunFolder

    folder = RunFolder.open(options.agent)
    # Its level and nothing else: how the agent sees it, and that it repeats its actions, is not for a player.
    names = ("env", "level", "coins", "slip", "reward_noise", "max_steps")
    trained_on = folder.config.problem
    own = _gridworld(ProblemSettings(**{name: getattr(trained_on, name) for name in names}))
    if options.env is None and options.level is None and options.coins is None:
        return own, folder
    problem = _gridworld(given)
    if problem.level != own.level:
        raise UserError(
            f"{options.agent} was trained on another level ('{own.level.name}') than the one named; leave out --env, "
            "--level and --coins to play its own."
        )
    return problem, folder


def _gridworld(settings: ProblemSettings) -> Problem:
    problem = Problem(settings)
    if not problem.is_gridworld:
        raise UserError(
            f"{settings.env} is no gridworld; play dense-v0, dense-small-v0 or a level of your own (--level)."
        )
    return problem


def _trained(folder: "RunFolder") -> "Trained":
    from gridrl.run import Run
    from gridrl.studio.rooms.beliefs import Beliefs
    from gridrl.studio.rooms.playing import Trained

    run = Run.load(folder.path)
    index = run.best
    name = f"{run.config.agent}, seed {run.config.seeds[index]}"
    return Trained(Beliefs(run, index), name, float(run.final("greedy_return")[index]))
