"""The studies by name. A study's file is imported only when it is run."""

from gridrl.errors import unknown
from gridrl.studies.study import Study

_ROWS = (
    Study(
        "textbook",
        "Does the maximum of noisy estimates mislead a learner on the textbook's own example?",
        "Q-learning goes left far more often than the 5 % that exploration costs, and Double Q-learning hardly does.",
        "Sutton & Barto, 2nd ed., example 6.7",
        "textbook",
    ),
    Study(
        "bias-noise",
        "How does overestimation grow with the noise of rewards, and with slip?",
        "The more noise, the more Q-learning and DQN overestimate, never less than theorem 1 says; their Double forms "
        "overestimate less.",
        "Thrun & Schwartz 1993; van Hasselt, Guez & Silver 2016",
        "bias_noise",
    ),
    Study(
        "bias-actions",
        "How does overestimation grow with the number of actions?",
        "The more actions there are to choose among, the higher the maximum of their noisy values; a double estimate "
        "does not rise.",
        "van Hasselt, Guez & Silver 2016, theorems 1 and 2, figure 1",
        "bias_actions",
    ),
    Study(
        "polynomials",
        "Does a flexible fit overestimate, too, where nothing but the fit itself errs?",
        "The maximum of ten fitted values lies above the truth over most of the states; a double estimate is nearer.",
        "van Hasselt, Guez & Silver 2016, figure 2",
        "polynomials",
    ),
    Study(
        "priorities",
        "What do priorities change, and what do importance weights change back?",
        "Prioritized draws make the average update larger; weights take that back in part, and wholly at beta 1.",
        "Schaul et al. 2016, sections 3.3 and 3.4",
        "priorities",
    ),
    Study(
        "frontier",
        "Where does a table drown as a level grows, and does a network go on?",
        "A table with a row for every state soon fits no memory; one that grows meets ever more situations that it "
        "never met, and falls behind a network, most of all off its path.",
        "ours",
        "frontier",
        resumes=True,
    ),
)
_STUDIES = {study.name: study for study in _ROWS}


def studies() -> list[Study]:
    """Return all studies, in the order of a lesson."""
    return list(_ROWS)


def find(name: str) -> Study:
    """Return the study of this name; raises `UserError` with the nearest right one for another."""
    if name not in _STUDIES:
        raise unknown("study", name, _STUDIES)
    return _STUDIES[name]
