"""`gridrl play`: the player is you."""

from dataclasses import dataclass
from typing import Any

from gridrl.commands.options import parse
from gridrl.errors import UserError
from gridrl.problem import Problem, ProblemSettings

ACTIONS = {"up": 0, "down": 1, "left": 2, "right": 3, "w": 0, "s": 1, "a": 2, "d": 3}
HELP = "arrow keys move, r begins anew, Esc leaves"


@dataclass
class Options:
    """Play a level with the arrow keys."""

    env: str = "dense-v0"
    """Gymnasium id of one of our gridworlds."""
    level: str | None = None
    """A level file (TOML or plain map) or a built-in level's name, in place of the id's own."""
    coins: int | None = None
    """Keep only this many coins, and at most as many poisons: those nearest to the start."""
    seed: int = 0
    """Fixes what is random in the level."""


def main(argv: list[str]) -> int:
    """Open the level named in `argv` in a window."""
    options: Any = parse(Options, "play", argv, f"Play a level yourself: {HELP}.")
    problem = Problem(ProblemSettings(env=options.env, level=options.level, coins=options.coins))
    if not problem.is_gridworld:
        raise UserError(
            f"{options.env} is no gridworld; play dense-v0, dense-small-v0 or a level of your own (--level)."
        )

    from gridrl.commands.window import open_window

    window = open_window(f"gridrl play: {problem.level.name}", fps=None)
    env: Any = problem.make_single(render_mode="rgb_array")
    env.reset(seed=options.seed)
    earned, step, ended, best = 0.0, 0, "", None
    try:
        while not window.closed:
            window.show(env.render(), f"step {step}   return {earned:.0f}   {ended or HELP}")
            window.wait(until_key=True)
            for key in window.poll():
                if key == "r":
                    env.reset()
                    earned, step, ended = 0.0, 0, ""
                elif key in ACTIONS and not ended:
                    _, reward, terminated, truncated, info = env.step(ACTIONS[key])
                    earned, step = earned + float(reward), step + 1
                    if terminated or truncated:
                        best = earned if best is None else max(best, earned)
                        reason = "time is up" if truncated else "caught" if info.get("caught") else "the end"
                        ended = f"{reason}: r begins anew"
    finally:
        window.close()
        env.close()
    print(f"your best return: {best:.0f}" if best is not None else "no episode was played to its end")
    return 0
