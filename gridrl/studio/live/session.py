"""A session: minds that learn on one level, stepped together, and what a hand does to them.

It knows no window and no clock of the machine: whoever runs it says when there is time to work, and what time it is.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gridrl.errors import UserError
from gridrl.studio.clock import Clock
from gridrl.studio.live.past import Past
from gridrl.studio.live.tuning import Tuning
from gridrl.studio.live.world import World
from gridrl.studio.measures import names
from gridrl.studio.minds.viewer import Viewer

if TYPE_CHECKING:
    from gridrl.studio.minds.mind import Mind
    from gridrl.studio.truth import Truth

SPEED = 50.0  # steps a second
MESSAGE_S = 6.0  # how long a sentence is shown


def folder_name(mind: str) -> str:
    """Return a name for a mind's folder that every system and shell takes: "dqn-left" for "dqn (left)"."""
    return re.sub(r"[^\w.-]+", "-", mind.rpartition(":")[2]).strip("-")


class Session:
    """Minds on one level, stepped together, and everything that a user does to them.

    `command` is the line that made it, for the run folders, `speed` in steps a second, and `past_share` how much of the
    time the past may take (None: as much as it takes, so that nothing depends on how fast the machine is).

    Parts of it are `world` (the level and the brush), `past` (the moments that were kept) and `tuning` (settings).
    Further attributes that a picture is made from: `minds`, `viewers`, `truth`, `clock`, `kind` (of map), `greedy`,
    `help`, `recording` (the ending of the film that is being made) and `now` (seconds). `version` is another number
    whenever anything but learning has changed what is shown.
    """

    def __init__(
        self,
        minds: "Sequence[Mind]",
        truth: "Truth",
        *,
        command: str = "",
        speed: float = SPEED,
        past_share: float | None = None,
    ) -> None:
        self.minds = tuple(minds)
        self.viewers = tuple(map(Viewer, minds))
        self.truth = truth
        self.clock = Clock(speed)
        self.command = command
        self.kept: tuple[Path, ...] = ()  # the run folders that were written last ...
        self.kept_step = 0  # ... and at which step
        self.kind = "value"
        self.greedy = False
        self.help = False
        self.recording = ""
        self.now = 0.0
        self.version = 0
        self._until = (0, 0)  # steps and updates when a goal was set
        self._message, self._said = "", 0.0
        self.world = World(self)
        self.past = Past(self, past_share)
        self.tuning = Tuning(self)
        self.changed()

    @property
    def mind(self) -> "Mind":
        """The first of the minds."""
        return self.minds[0]

    @property
    def names(self) -> list[str]:
        """What the minds are called, each in a way of its own."""
        return names(self.minds)

    @property
    def step(self) -> int:
        """Steps learned from, of every mind."""
        return self.mind.step

    def changed(self) -> None:
        """Take note that something but learning has changed: what is drawn and known of it is made anew."""
        self.version += 1
        self.world.follow()
        for viewer in self.viewers:
            viewer.follow()
        for mind in self.minds:
            self.truth.ask(mind.level, mind.agent.gamma)

    # Learning.

    def work(self) -> bool:
        """Do a small piece of work; True when it was a step of every mind, False when a part of an evaluation."""
        for mind in self.minds:
            if mind.is_measuring:
                mind.measure()
                return False
        self.past.remember()
        ended = [mind.learn() for mind in self.minds]
        if self.clock.goal and self._is_reached(ended):
            self.clock.goal, self.clock.paused = "", True
        return True

    def watch(self) -> None:
        """Let the greedy episodes that are watched go one step on."""
        for viewer in self.viewers:
            viewer.step()

    def until(self, goal: str) -> None:
        """Learn up to "one step", "an update" or "the episode's end", at full speed, then pause."""
        if not self.is_refused():
            self.clock.goal, self._until = goal, (self.step, self.mind.agent.num_updates)

    def _is_reached(self, ended: Sequence[bool]) -> bool:
        steps, updates = self._until
        match self.clock.goal:
            case "an update":
                return self.mind.agent.num_updates > updates
            case "the episode's end":
                return ended[0]
        return self.step > steps

    def pause(self) -> None:
        """Stand still, or go on."""
        if not self.is_refused():
            self.clock.paused = not self.clock.paused or bool(self.clock.goal)
            self.clock.goal = ""

    # What is shown and kept.

    def keep_run(self, out: Path | None = None) -> None:
        """Write what every mind has learned as a run folder; of two minds, `out` is the folder of their two."""
        folders = []
        for number, (mind, name) in enumerate(zip(self.minds, self.names, strict=True)):
            folder = out if out is None or len(self.minds) == 1 else out / folder_name(name)
            folders.append(mind.keep(folder, self.command, self.past.moments_of(number)))
        self.kept, self.kept_step = tuple(folders), self.step

    def try_to_keep(self) -> None:
        """Write what was learned under the next free names, and say where it is or what is in the way."""
        try:
            self.keep_run()
        except UserError as error:
            return self.say(str(error))
        self.say("wrote " + " and ".join(map(str, self.kept)))

    def say(self, sentence: str) -> None:
        """Show a sentence for some seconds."""
        self._message, self._said = sentence, self.now

    @property
    def message(self) -> str:
        """The sentence that is shown now: what was said last, and then for good that a run broke, if one did."""
        if self.now - self._said < MESSAGE_S and self._message:
            return self._message
        return next((mind.failure for mind in self.minds if mind.failure), "")

    @property
    def why_not_now(self) -> str:
        """Why nothing can be learned or touched now; empty: it can."""
        if self.past.looked_at is None:
            return ""
        return "This is the past: branch here (B), or return to the present (End)."

    def is_refused(self) -> bool:
        """Return whether nothing can be learned or touched now, and say why."""
        if self.why_not_now:
            self.say(self.why_not_now)
        return bool(self.why_not_now)
