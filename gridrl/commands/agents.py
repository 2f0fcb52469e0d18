"""`gridrl agents [NAME]`: the agents there are, and one agent's settings."""

import ast
import dataclasses
import inspect
import textwrap
from dataclasses import dataclass
from typing import Annotated, Any

import tyro

from gridrl.commands.options import parse
from gridrl_agents.registry import agent_names, describe, paper, settings_class


@dataclass
class Options:
    """List the agents, or tell one agent's settings."""

    name: Annotated[str | None, tyro.conf.Positional] = None
    """An agent, to see its settings."""


def main(argv: list[str]) -> int:
    """Print the agents, or the settings of the one named in `argv`."""
    options: Any = parse(Options, "agents", argv, "List the agents, or tell one agent's settings.")
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if options.name is None:
        table = Table("agent", "what it is", "paper", title="agents")
        for name in agent_names():
            table.add_row(name, describe(name), paper(name))
        console.print(table)
        print("Settings of one: gridrl agents NAME.  Train it: gridrl train NAME")
        return 0
    settings = settings_class(options.name)
    comments = field_comments(settings)
    table = Table("setting", "default", "what it is", title=f"{options.name}: {describe(options.name)}")
    for field in dataclasses.fields(settings):
        table.add_row(field.name.replace("_", "-"), str(field.default), comments.get(field.name, ""))
    console.print(table)
    print(f"{paper(options.name)}. Train it: gridrl train {options.name} --env dense-small-v0 --seeds 4")
    return 0


def field_comments(settings: type) -> dict[str, str]:
    """Return the docstring below each field of a dataclass, those of its bases included."""
    comments: dict[str, str] = {}
    for owner in reversed(settings.__mro__[:-1]):
        try:
            (body,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
        except OSError:  # a recipe: made of its base's fields with other defaults, it has no source
            continue
        assert isinstance(body, ast.ClassDef)
        for field, below in zip(body.body, body.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                text = ast.literal_eval(below.value) if isinstance(below, ast.Expr) else ""
                comments[field.target.id] = " ".join(str(text).split())
    return comments
