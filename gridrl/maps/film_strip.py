"""Values as training goes on: a strip of maps, and the frames of a film, from a run's snapshots."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from gridrl.maps.beliefs import Belief, belief
from gridrl.maps.scene import Scene, Shown
from gridrl.maps.situations import Situation
from gridrl.plots.scales import scale_of
from gridrl.plots.style import pixels
from gridrl.plots.value_map import HOW_TO_READ, ValuePanel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NUM_PANELS, NUM_PANELS_OF_SEVERAL = 6, 4  # of a strip, for one run folder and for each of several
HOW_TO_READ_FILM = f"How to read: the same map as training goes on; {HOW_TO_READ.removeprefix('How to read: ')}"
Moment = tuple[int, Belief]  # a step of the training, and what was believed then


def beliefs_over_training(shown: Shown, situation: Situation, steps: Sequence[int]) -> list[Moment]:
    """Return what one run believed at each of `steps`, which must be among its snapshots."""
    run, which = shown
    moments = []
    for step in steps:
        with run.looking_at(step):
            moments.append((step, belief(run.agent, run.problem.gridworld, situation)[which]))
    return moments


def evenly(steps: Sequence[int], count: int) -> list[int]:
    """Return at most `count` of `steps`, evenly chosen, the first and the last among them."""
    places = np.linspace(0, len(steps) - 1, min(count, len(steps))).round().astype(int)
    return [steps[place] for place in places]


def film_strip(scene: Scene) -> "Figure":
    """Draw max_a Q at some snapshots; of several run folders, each in a column of its own, time going down."""
    scene = _one_of_each_run(scene)
    num_runs = len(scene.shown)
    count = NUM_PANELS if num_runs == 1 else NUM_PANELS_OF_SEVERAL
    columns = []
    for shown, name in zip(scene.shown, scene.names, strict=True):
        moments = beliefs_over_training(shown, scene.situation, evenly(shown.run.snapshots, count))
        columns.append([_panel("" if num_runs == 1 else name, moment) for moment in moments])
    if num_runs == 1:
        return scene.figure(columns[0], _title(scene), HOW_TO_READ_FILM)
    panels: list[ValuePanel | None] = [panel for row in zip_longest(*columns) for panel in row]
    return scene.figure(panels, _title(scene), HOW_TO_READ_FILM, columns=num_runs)


def film_frames(scene: Scene) -> Iterator[np.ndarray]:
    """Yield a picture, uint8 [H, W, 3], for each snapshot, all on one scale.

    Of several run folders each frame shows one panel, each as far on in its own training.
    """
    scene = _one_of_each_run(scene)
    steps = [shown.run.snapshots for shown in scene.shown]
    count = max(map(len, steps))
    moments = [
        beliefs_over_training(shown, scene.situation, [each[i * len(each) // count] for i in range(count)])
        for shown, each in zip(scene.shown, steps, strict=True)
    ]
    norm = scale_of([found.values for row in moments for _, found in row])
    for now in zip(*moments, strict=True):
        panels = [_panel(name, moment) for name, moment in zip(scene.names, now, strict=True)]
        yield pixels(scene.figure(panels, _title(scene), HOW_TO_READ_FILM, norm=norm))


def _panel(name: str, moment: Moment) -> ValuePanel:
    step, found = moment
    return ValuePanel(f"{name}, step {step}" if name else f"step {step}", *found)


def _title(scene: Scene) -> str:
    """Name the one run, where no panel does."""
    who = scene.titles[0] if len(scene.shown) == 1 else scene.who
    return f"V of {who} {scene.where}, as training goes on"


def _one_of_each_run(scene: Scene) -> Scene:
    """Return the scene with one run of each folder: the best, where several are shown."""
    shown = []
    for run in scene.runs:
        indices = [which for other, which in scene.shown if other is run]
        shown.append(Shown(run, indices[0] if len(indices) == 1 else run.best))
    return Scene(tuple(shown), scene.situation, scene.cell)
