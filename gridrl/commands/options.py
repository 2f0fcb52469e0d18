"""Options read from the command line: a dataclass's fields are a command's options (tyro)."""

import sys
from typing import Annotated, Any, TypeVar

import tyro

T = TypeVar("T")
# An argument without dashes, as the run folder of `gridrl map RUN`.
RunArgument = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]


def parse(options: type[T] | Any, command: str, argv: list[str], description: str) -> T:
    """Return `options` filled from `argv`; tyro answers a wrong option with the nearest right one and exits with 2."""
    return tyro.cli(
        options,
        prog=f"gridrl {command}",
        args=argv,
        description=description,
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
    )


def command_line() -> str:
    """Return the command as the user typed it, for the run folder and for "to go on" lines."""
    import shlex

    return shlex.join(["gridrl", *sys.argv[1:]])


def unchecked(settings: type) -> type:
    """Return a class of settings that leaves the checks to what is made of them, whose sentence then stands alone."""

    class AgentSettings(settings):
        def __post_init__(self) -> None:
            """Check nothing."""

    return AgentSettings
