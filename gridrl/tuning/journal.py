"""Optuna's part: what was tried, in its journal file, and what to try next. Optuna is imported in this file alone."""

import contextlib
import json
import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridrl.errors import UserError
from gridrl.extras import require
from gridrl.run_folder import writing
from gridrl.tuning.ranges import Choice, Range, Ranges

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

DIGITS = 3  # of the numbers that are chosen: more would say nothing, and be tedious to type
STUDY = "gridrl"  # the study's name in the journal


class Trial(NamedTuple):
    """Settings that were tried, and what each run earned with them."""

    number: int
    chosen: dict[str, Any]
    scores: list[float]  # [R]; NaN for a run that broke

    @property
    def score(self) -> float:
        """The mean over runs; NaN where one broke."""
        return float(np.mean(self.scores))


class Journal:
    """The trials of a search. One process at a time writes them, and only when they are done, each in one line.

    Raises `UserError` where Optuna is not installed or the file is damaged.
    """

    def __init__(self, path: Path, ranges: Ranges, seed: int) -> None:
        require("optuna", "search", "gridrl tune")
        import optuna
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock, JournalStorage

        self._path = path
        self._seed = seed
        self._ranges = ranges
        self._distributions = {name: _distribution(each) for name, each in ranges.items()}
        with writing(path), _quiet():
            _mend(path)
            backend = JournalFileBackend(str(path), JournalFileOpenLock(str(path)))
            try:
                self._study = optuna.create_study(
                    storage=JournalStorage(backend), study_name=STUDY, direction="maximize", load_if_exists=True
                )
            except (ValueError, KeyError) as error:
                raise UserError(
                    f"{path} is damaged ({error}); remove it: the same command then reads the trials from their "
                    "results, and trains none of them again."
                ) from None

    @property
    def trials(self) -> list[Trial]:
        """All trials that are done, in their order."""
        return [
            Trial(
                trial.number,
                self._decoded(trial.params),
                [math.nan if score is None else score for score in trial.user_attrs["scores"]],
            )
            for trial in self._study.get_trials(deepcopy=False)
        ]

    def propose(self, first: int, count: int) -> list[dict[str, Any]]:
        """Return `count` settings to try, chosen by what trials 0 to `first` - 1 earned; the same, whenever asked.

        Chosen by the tree-structured Parzen estimator of all settings together, at random for the first ten. Source:
        Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization".
        """
        import optuna

        with _quiet():
            seed = int(np.random.SeedSequence([self._seed, first]).generate_state(1)[0])
            sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)
            study = optuna.create_study(sampler=sampler, direction="maximize")
            study.add_trials(self._study.get_trials(deepcopy=False)[:first])
            asked = [study.ask(self._distributions) for _ in range(count)]
        return [self._decoded(trial.params) for trial in asked]

    def record(self, chosen: Mapping[str, Any], scores: Sequence[float]) -> None:
        """Keep the next trial; one of whose runs some broke counts as failed, and nothing is learned from it."""
        from optuna.trial import TrialState, create_trial

        broke = bool(np.isnan(scores).any())
        trial = create_trial(
            state=TrialState.FAIL if broke else TrialState.COMPLETE,
            value=None if broke else float(np.mean(scores)),
            params={name: _encoded(self._ranges[name], value) for name, value in chosen.items()},
            distributions=self._distributions,
            user_attrs={"scores": [None if math.isnan(score) else float(score) for score in scores]},
        )
        with writing(self._path), _quiet():
            self._study.add_trial(trial)

    def _decoded(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _decoded(each, params[name]) for name, each in self._ranges.items()}


def _distribution(each: Range) -> "BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(each, Choice):
        return CategoricalDistribution([_encoded(each, value) for value in each.values])
    if each.whole:
        return IntDistribution(int(each.low), int(each.high), log=each.log)
    return FloatDistribution(each.low, each.high, log=each.log)


def _encoded(each: Range, value: Any) -> Any:
    """Return a value as Optuna takes it: one of a list as text, since lists of lists are possible."""
    return json.dumps(value) if isinstance(each, Choice) else value


def _decoded(each: Range, value: Any) -> Any:
    if isinstance(each, Choice):
        return json.loads(value)
    rounded = float(f"{value:.{DIGITS}g}")
    return min(max(int(rounded) if each.whole else rounded, each.low), each.high)


def _mend(path: Path) -> None:
    """Drop a last line that was cut short, and the lock of a process that was killed while it wrote it."""
    Path(f"{path}.lock").unlink(missing_ok=True)
    if not path.exists():
        return
    whole = path.read_bytes().rfind(b"\n") + 1
    if whole < path.stat().st_size:
        os.truncate(path, whole)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna's log, and its warnings of what is experimental, from the user."""
    from optuna import logging
    from optuna.exceptions import ExperimentalWarning

    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        logging.set_verbosity(verbosity)
