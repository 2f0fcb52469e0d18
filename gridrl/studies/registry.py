"""The studies by name: those with a module, imported only when it is run, and those that a text file describes."""

from importlib import resources
from pathlib import Path

from gridrl.errors import unknown
from gridrl.studies.made import Made
from gridrl.studies.study import ModuleStudy, Study

_ROWS = (
    ModuleStudy(
        "textbook",
        "Does the maximum of noisy estimates mislead a learner on the textbook's own example?",
        "Q-learning goes left far more often than the 5 % that exploration costs, and Double Q-learning hardly does.",
        "Sutton & Barto, 2nd ed., example 6.7",
        "textbook",
    ),
    ModuleStudy(
        "bias-noise",
        "How does overestimation grow with the noise of rewards, and with slip?",
        "The more noise, the more Q-learning and DQN overestimate, never less than theorem 1 says; their Double forms "
        "overestimate less.",
        "Thrun & Schwartz 1993; van Hasselt, Guez & Silver 2016",
        "bias_noise",
    ),
    ModuleStudy(
        "bias-actions",
        "How does overestimation grow with the number of actions?",
        "The more actions there are to choose among, the higher the maximum of their noisy values; a double estimate "
        "does not rise.",
        "van Hasselt, Guez & Silver 2016, theorems 1 and 2, figure 1",
        "bias_actions",
    ),
    ModuleStudy(
        "polynomials",
        "Does a flexible fit overestimate, too, where nothing but the fit itself errs?",
        "The maximum of ten fitted values lies above the truth over most of the states; a double estimate is nearer.",
        "van Hasselt, Guez & Silver 2016, figure 2",
        "polynomials",
    ),
    ModuleStudy(
        "priorities",
        "What do priorities change, and what do importance weights change back?",
        "Prioritized draws make the average update larger; weights take that back in part, and wholly at beta 1.",
        "Schaul et al. 2016, sections 3.3 and 3.4",
        "priorities",
    ),
    ModuleStudy(
        "frontier",
        "Where does a table drown as a level grows, and does a network go on?",
        "A table with a row for every state soon fits no memory; one that grows meets ever more situations that it "
        "never met, and falls behind a network, most of all off its path.",
        "ours",
        "frontier",
        resumes=True,
    ),
    ModuleStudy(
        "rollouts",
        "What does an agent do after 5 000, 40 000 and 500 000 updates?",
        "The longer the same agent learns, the more it earns: after the longest time more than after the shortest.",
        "the tutorial's animation",
        "rollouts",
        resumes=True,
    ),
)
# Described by files/NAME.toml, in the order of a lesson.
_FILES = (
    "exploration",
    "dqn-buffer",
    "dqn-target",
    "dqn-batch",
    "dqn-learning-rate",
    "ddqn-target",
    "ddqn-gamma",
    "per-alpha",
    "per-beta",
    "per-buffer",
    "dueling-width",
    "dueling-ablation",
    "ladder",
)


def studies() -> list[Study]:
    """Return all studies, in the order of a lesson."""
    folder = Path(str(resources.files("gridrl.studies") / "files"))
    return [*_ROWS, *(_trained(name, folder / f"{name}.toml") for name in _FILES)]


def find(name: str) -> Study:
    """Return the study of this name, or the one that the user's own file describes, where `name` is a path.

    Raises `UserError` with the nearest right name for an unknown one, and for a file that is no study.
    """
    if name.endswith(".toml"):
        return _trained(Path(name).stem, Path(name), name)
    by_name = {study.name: study for study in studies()}
    if name not in by_name:
        raise unknown("study", name, by_name)
    return by_name[name]


def study_in(folder: Path) -> Study:
    """Return the study that was run into `folder`, by the copy of its file where it has one.

    Raises `UserError` where nothing was.
    """
    from gridrl.studies.trained import COPY

    asked_for = Made.read(folder).study
    if not (folder / COPY).is_file():
        return find(asked_for)
    path = asked_for if asked_for.endswith(".toml") else None
    return _trained(Path(asked_for).stem if path else asked_for, folder / COPY, path)


def _trained(name: str, file: Path, path: str | None = None) -> Study:
    from gridrl.studies.design import Design
    from gridrl.studies.trained import TrainedStudy

    return TrainedStudy.of(name, Design.read(file), path)
