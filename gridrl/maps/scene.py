"""What all maps of a figure share: the runs shown, their level, the situation; and how they are named on the page."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gridrl.errors import UserError, user_errors
from gridrl.maps.situations import Situation, beginning, patrollers
from gridrl.plots import marks
from gridrl.plots.value_map import MapPanel, value_map_figure
from gridrl.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gridrl_envs.vector import GridworldVectorEnv

MEMORY_NOTE = "What has a memory ({}) is asked with an empty one in every cell."


class Shown(NamedTuple):
    """One of a figure's panels: a run folder, and which of its runs."""

    run: Run
    which: int


@dataclass(frozen=True)
class Scene:
    """Runs on one level, in one situation; `cell` is the one whose return distributions are asked for."""

    shown: tuple[Shown, ...]
    situation: Situation
    cell: int

    @classmethod
    def of(cls, shown: Sequence[Shown], situation: Situation | None = None, cell: int | None = None) -> "Scene":
        """Return a scene; by default the beginning of an episode, and the cell where its player stands.

        Raises `UserError` for a wall.
        """
        world = shown[0].run.problem.gridworld
        situation = situation or beginning(world)
        if cell is None:
            cell = world.level.starts[0] if situation.player is None else situation.player
        if cell not in world.level.floor:
            row, column = divmod(cell, world.level.columns)
            raise UserError(
                f"row {row + 1}, column {column + 1} of level '{world.level.name}' is no floor; give another cell."
            )
        return cls(tuple(shown), situation, cell)

    @property
    def world(self) -> "GridworldVectorEnv":
        """The level's rules; what is observed of it differs from run to run."""
        return self.shown[0].run.problem.gridworld

    @property
    def runs(self) -> list[Run]:
        """The run folders, each once."""
        return list({id(run): run for run, _ in self.shown}.values())

    def each(self, of_run: Callable[[Run], Any]) -> list[Any]:
        """Return for each panel its entry of what `of_run` returns, one for each run; asked once for each folder."""
        found = {id(run): of_run(run) for run in self.runs}
        return [found[id(run)][which] for run, which in self.shown]

    @property
    def names(self) -> list[str]:
        """A name for each panel's run folder: its agent, or the folder's own where an agent comes twice."""
        agents = [run.config.agent for run in self.runs]
        by_folder = len(set(agents)) < len(agents)
        return [run.folder.path.name if by_folder else run.config.agent for run, _ in self.shown]

    @property
    def titles(self) -> list[str]:
        """A title for each panel: all that tells it from the others."""
        num_steps, num_gammas = len({run.step for run in self.runs}), len({run.agent.gamma for run in self.runs})
        titles = []
        for name, (run, which) in zip(self.names, self.shown, strict=True):
            parts = [name, f"seed {run.config.seeds[which]}"]
            parts += [f"{run.step} steps"] * (num_steps > 1) + [f"gamma {run.agent.gamma:g}"] * (num_gammas > 1)
            titles.append(", ".join(parts))
        return titles

    @property
    def agents(self) -> list[str]:
        """The agents' names, each once."""
        return list(dict.fromkeys(run.config.agent for run in self.runs))

    @property
    def who(self) -> str:
        """The agents in words."""
        return " and ".join(self.agents) if len(self.agents) < 3 else f"{len(self.agents)} agents"

    @property
    def where(self) -> str:
        """The level, and what is not as an episode begins."""
        return f"on {self.world.level.name}" + (f" ({self.situation.words})" if self.situation.words else "")

    @property
    def when(self) -> str:
        """The level as in `where`, and the step of training."""
        steps = {run.step for run in self.runs}
        return self.where + (f" after {steps.pop()} steps" if len(steps) == 1 else "")

    @property
    def unit(self) -> str:
        """The unit of values."""
        gammas = {run.agent.gamma for run in self.runs}
        return f"discounted return, gamma {gammas.pop():g}" if len(gammas) == 1 else "discounted return"

    @property
    def things(self) -> marks.Things:
        """What stands in the level."""
        situation = self.situation
        return marks.things(
            self.world.level, situation.items, patrollers(self.world, situation), player=situation.player
        )

    def figure(self, panels: Sequence[MapPanel | None], title: str, note: str, **options: Any) -> "Figure":
        """Draw maps of this scene."""
        remembering = [run.config.agent for run in self.runs if run.agent.policy(0.0).remembers]
        if remembering:
            note = f"{note} {MEMORY_NOTE.format(', '.join(dict.fromkeys(remembering)))}"
        options = {"unit": self.unit, "things": self.things} | options
        return value_map_figure(panels, self.world.level, title=title, note=note, **options)


def gather(
    folders: Sequence[str | Path], seed: int | None = None, snapshot: int | None = None
) -> tuple[list[Shown], list[Exception]]:
    """Return what is shown of the runs in `folders`, and why each of the others is not.

    Of one folder the run with `seed`, or up to four where it is None; of several the run with `seed` or the best one of
    each, all of the first one's level. `snapshot` is the step of training (None: the newest).
    """
    shown: list[Shown] = []
    faults: list[Exception] = []
    folders = list(dict.fromkeys(map(Path, folders)))
    for folder in folders:
        try:
            run = Run.load(folder)
            _check_level(run, shown)
            indices = [run.best] if seed is None and len(folders) > 1 else run.shown(seed)
            if snapshot is not None:
                run.at(snapshot)
            shown += [Shown(run, index) for index in indices]
        except user_errors() as error:
            faults.append(error)
    return shown, faults


def _check_level(run: Run, shown: Sequence[Shown]) -> None:
    """Raise `UserError` for a run on another level than those that are shown already."""
    level = run.problem.gridworld.level
    if not shown or level == (first := shown[0].run.problem.level):
        return
    settings = [field.name for field in dataclasses.fields(level)]
    differing = [name for name in settings if getattr(level, name) != getattr(first, name)]
    where = f"'{level.name}'"
    if level.name == first.name:
        where += f" with another {' and '.join(differing)}"
    raise UserError(
        f"{run.folder.path} is on level {where}, {shown[0].run.folder.path} on '{first.name}': maps of one figure "
        "share a level, so it is left out."
    )
