"""`gridrl live AGENT`: watch it learn, touch the world, compare two minds, in a window or as a film."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridrl.commands.options import command_line, parse, unchecked
from gridrl.errors import UserError
from gridrl.problem import Problem, ProblemSettings
from gridrl_agents.registry import agent_names, describe, prefers_state, remembers, settings_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridrl_envs.level import Level

USAGE = """usage: gridrl live AGENT [--vs AGENT2] [OPTIONS]        gridrl live AGENT --help tells the agent's options

agents:
{agents}"""


@dataclass(frozen=True)
class LiveSettings:
    """What is seen, and how fast."""

    vs: str | None = None
    """Another agent, on the same level with the same seeds, side by side; settings that both know go to both."""
    seeds: int = 1
    """How many runs learn side by side; the first one is shown, and the others tell how sure it can be."""
    eval_period: int = 1_000
    """Steps between evaluations, each a point of the curves."""
    speed: float | None = None
    """Steps of each second; 50 in the window (keys + and -), 1000 in a film, if not given."""
    out: Path | None = None
    """Run folder to write at the end; otherwise what was learned is kept with the key k alone."""
    video: Path | None = None
    """Write a film (.gif or .mp4) and open no window."""
    seconds: float = 20.0
    """Length of the film."""
    fps: float = 20.0
    """Frames of the film a second."""
    size: tuple[int, int] | None = None
    """Width and height of the window or the film, in pixels; 1280 800 if not given."""
    zoom: float | None = None
    """How large everything is drawn: 2 for a display with small pixels; the display's own scale if not given."""

    def __post_init__(self) -> None:
        for name in ("seeds", "eval_period"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name.replace('_', '-')} must be 1 or more, got {getattr(self, name)}.")
        for name in ("speed", "seconds", "fps"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= 1e6:
                raise UserError(f"--{name} must be above 0 and at most 1000000, got {value:g}.")
        if self.zoom is not None and not 0.5 <= self.zoom <= 4:
            raise UserError(f"--zoom must be from 0.5 to 4, got {self.zoom:g}.")
        if self.size is not None and not (320 <= self.size[0] <= 7680 and 240 <= self.size[1] <= 4320):
            raise UserError(f"--size must be from 320 240 to 7680 4320 pixels, got {self.size[0]} {self.size[1]}.")


def main(argv: list[str]) -> int:
    """Show the agent named first in `argv` as it learns."""
    if not argv or argv[0].startswith("-"):
        print(USAGE.format(agents="\n".join(f"  {name:12} {describe(name)}" for name in agent_names())))
        return 0 if argv and argv[0] in ("-h", "--help") else 2
    name, *rest = argv
    other = _other(rest)
    AgentSettings: Any = unchecked(settings_class(name)) if other is None else _shared(name, other)

    @dataclass
    class Options:
        live: LiveSettings
        problem: ProblemSettings
        agent: AgentSettings
        """What the agent does with what it sees."""

    options: Any = parse(Options, f"live {name}", rest, f"Watch {name} learn: {describe(name)}")
    live: LiveSettings = options.live
    agents = [(agent, _own(agent, options.agent)) for agent in (name, live.vs) if agent is not None]
    levels = _check(live, options.problem, agents)

    from gridrl.studio.live.start import film, window

    if live.video is not None:
        return film(agents, options.problem, live, command_line())
    return window(agents, options.problem, live, command_line(), levels)


def _other(argv: "Sequence[str]") -> str | None:
    """Return the agent after --vs, whose settings are options, too."""
    for number, word in enumerate(argv):
        if word == "--vs" and number + 1 < len(argv):
            return argv[number + 1]
        if word.startswith("--vs="):
            return word.removeprefix("--vs=")
    return None


def _shared(name: str, other: str) -> type:
    """Return a class with the settings of both agents, all None: each keeps its own where nothing is given."""
    found: dict[str, Any] = {}
    for agent in (name, other):
        for setting in dataclasses.fields(settings_class(agent)):
            kind: Any = setting.type
            found.setdefault(setting.name, (setting.name, kind | None, field(default=None)))
    return dataclasses.make_dataclass("AgentSettings", found.values())


def _own(agent: str, given: Any) -> dict[str, Any]:
    """Return those of the given settings that an agent knows."""
    names = {setting.name for setting in dataclasses.fields(settings_class(agent))}
    return {name: value for name, value in dataclasses.asdict(given).items() if name in names and value is not None}


def _check(
    live: LiveSettings, problem: ProblemSettings, agents: "Sequence[tuple[str, dict[str, Any]]]"
) -> "list[Level]":
    """Raise for what can be seen to be wrong before anything is opened; return the level of each agent."""
    levels = []
    for agent, settings in agents:
        settings_class(agent)(**settings)
        world = Problem(problem, prefer_state=prefers_state(agent), prefer_window=remembers(agent)).gridworld
        levels.append(world.level)
    if live.video is not None and live.video.suffix.lower() not in (".gif", ".mp4"):
        raise UserError(f"a film is written as .gif or .mp4, got '{live.video.name}': choose one of these endings")
    if live.video is not None and not live.video.parent.is_dir():
        raise UserError(f"cannot write '{live.video}': there is no folder '{live.video.parent}'; make it first")
    if live.out is not None and live.out.exists() and (not live.out.is_dir() or any(live.out.iterdir())):
        raise UserError(f"{live.out} exists and is not empty; choose another folder with --out.")
    return levels
