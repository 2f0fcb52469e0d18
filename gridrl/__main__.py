"""The command line: `gridrl COMMAND ...`. A command's file is imported only when it is asked for."""

import difflib
import importlib
import os
import sys

COMMANDS = {
    "demo": "A table and a network learn the same grid: curves, value maps, a film; under two minutes.",
    "train": "Train an agent: gridrl train dqn --env dense-v0 --seeds 4",
    "resume": "Go on with a run that was stopped or killed.",
    "evaluate": "Play episodes with a trained agent and say what it earns.",
    "watch": "See trained agents play, in a window or as a film: gridrl watch RUN... (--video out.gif)",
    "live": "Watch an agent learn, look into it, touch its world; compare two (--vs).",
    "play": "Play a level yourself, beside the best that is possible or an agent (--agent RUN).",
    "edit": "Paint a level, and see at once what is wrong with it: gridrl edit my.toml",
    "map": "Draw what runs believe on the grid: values, actions, errors, visits, distributions, a film.",
    "solve": "Exact optimal values of a level: V*, Q*, the best policy and what it earns.",
    "bias": "Measure overestimation: what runs believe beside what their policies earn and what is possible.",
    "compare": "Train agents side by side, or take runs: one table and one figure, with intervals over seeds.",
    "explain": "One real update of an agent, step by step, with every number.",
    "study": "Experiments with a question and a verdict: gridrl study list",
    "sweep": "Every setting of a grid, with many seeds, on many cores or machines: gridrl sweep FILE.toml",
    "tune": "Search for an agent's settings, and judge them with seeds that the search did not see: gridrl tune dqn",
    "agents": "List the agents, with their papers; gridrl agents NAME tells one's settings.",
    "doctor": "Check this machine: packages, display, films, disk, speed.",
}
USAGE = """\
gridrl: see, understand and measure value-based reinforcement learning on grids.

usage: gridrl COMMAND [OPTIONS]        gridrl COMMAND --help tells a command's options

{commands}

New here? Run: gridrl demo"""


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 a mistake in what was asked, 130 interrupted."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        width = max(map(len, COMMANDS))
        print(USAGE.format(commands="\n".join(f"  {name:{width}}  {text}" for name, text in COMMANDS.items())))
        return 0
    if arguments[0] == "--version":
        from importlib.metadata import version

        print(f"gridrl {version('gridrl')}")
        return 0
    name, *rest = arguments
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "see: gridrl --help"
        print(f"gridrl: unknown command {name!r}; {hint}", file=sys.stderr)
        return 2
    sys.path.append(os.getcwd())  # so that `module:Class` in this folder is found; last, so that it hides nothing
    try:
        return importlib.import_module(f"gridrl.commands.{name}").main(rest)
    except KeyboardInterrupt:
        print("\ngridrl: interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `gridrl ... | head`
        sys.stderr.close()
        return 1
    except Exception as error:
        from gridrl.errors import user_errors

        if not isinstance(error, user_errors()):
            raise
        print(f"gridrl: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
