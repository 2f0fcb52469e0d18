"""What a mind's boards, cell facts, plots, numbers and batch show: plain values, worked out from it in each frame."""

from gridrl.studio.measures.batch import batch
from gridrl.studio.measures.curves import colours, names, plots
from gridrl.studio.measures.facts import facts
from gridrl.studio.measures.maps import KINDS, cell_map, difference, truth_of
from gridrl.studio.measures.numbers import numbers
from gridrl.studio.measures.rollouts import Rollouts
from gridrl.studio.measures.scales import shared_scale

__all__ = [
    "KINDS",
    "Rollouts",
    "batch",
    "cell_map",
    "colours",
    "difference",
    "facts",
    "names",
    "numbers",
    "plots",
    "shared_scale",
    "truth_of",
]
