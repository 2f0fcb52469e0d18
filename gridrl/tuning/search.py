"""A search for settings: trials in rounds, each round trained as shards of one sweep.

What is chosen in a round depends on the rounds before it and on nothing else. So a search is the same whoever does the
work, with any number of processes, and however often it was killed: a round that was broken off is chosen again, the
same, and what its shards have done is there.
"""

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tomli_w

from gridrl.checkpoint import write_atomically
from gridrl.errors import UserError
from gridrl.make_run import make_config
from gridrl.problem import ProblemSettings
from gridrl.run_config import RunConfig
from gridrl.sweeps.engine import Engine
from gridrl.sweeps.run import run_configs
from gridrl.sweeps.shard import Shard
from gridrl.training_settings import TrainSettings
from gridrl.tuning.journal import Journal, Trial
from gridrl.tuning.ranges import Ranges
from gridrl.tuning.score import last, scores
from gridrl.tuning.settings import SearchSettings

if TYPE_CHECKING:
    from rich.console import Console

DECLARATION, JOURNAL = "search.toml", "journal.log"


@dataclasses.dataclass(frozen=True)
class Search:
    """What is searched: an agent on a problem, what is fixed, and what may be chosen."""

    agent: str
    problem: ProblemSettings
    fixed: dict[str, Any]
    ranges: Ranges
    settings: SearchSettings

    @property
    def training(self) -> dict[str, Any]:
        """How a run is trained, where `gridrl train` would do otherwise."""
        steps, period = self.settings.steps, self.settings.eval_period
        return {
            "steps": steps,
            "eval_period": max(steps // 20, 1) if period is None else period,
            "eval_episodes": self.settings.eval_episodes,
        }

    def config(self, chosen: Mapping[str, Any], seeds: Sequence[int]) -> RunConfig:
        """Return what trains the agent with some settings; raises `SettingsError` for ones that are not right."""
        training = TrainSettings(**self.training)
        return make_config(self.agent, self.problem, training, self.fixed | dict(chosen), seeds)

    def declare(self, folder: Path) -> None:
        """Write all that decides a search into `folder`; raises `UserError` where another one is there already."""
        from importlib.metadata import version

        shard = Shard.of(self.config({}, self.settings.seen))
        declared = {
            "defaults": dataclasses.asdict(shard),
            "ranges": {name: each.to_toml() for name, each in self.ranges.items()},
            "sampler": {
                "at_once": self.settings.at_once,
                "sampler_seed": self.settings.sampler_seed,
                "optuna": version("optuna"),
            },
        }
        text = tomli_w.dumps(_without_none(declared))
        path = folder / DECLARATION
        if path.is_file():
            _check_same(folder, path.read_text(encoding="utf-8"), text)
        else:
            write_atomically(path, text.encode())


class Judged(NamedTuple):
    """What settings earn with seeds that the search did not see."""

    label: str
    chosen: dict[str, Any]
    scores: np.ndarray  # [R]
    greedy: np.ndarray  # greedy return at the very end, [R]


def try_all(search: Search, journal: Journal, engine: Engine, folder: Path, console: "Console") -> list[Trial]:
    """Train what is left of the trials, and return all of them.

    Raises `KeyboardInterrupt` when it was stopped by Ctrl-C: the same again goes on.
    """
    wanted, size = search.settings.trials, search.settings.at_once
    while (done := len(journal.trials)) < wanted:
        first = done - done % size
        chosen = journal.propose(first, size)[done - first : wanted - first]
        configs = [search.config(each, search.settings.seen) for each in chosen]
        labels = [f"trial {done + number}" for number in range(len(chosen))]
        tables = run_configs(configs, labels, engine, folder, console)
        for each, config, table in zip(chosen, configs, tables, strict=True):
            journal.record(each, scores(table, config).tolist())
        best = best_of(journal.trials)
        found = "every run broke" if best is None else f"the best is trial {best.number} with {best.score:.1f}"
        console.print(f"{done + len(chosen)} of {wanted} trials; {found}")
    return journal.trials


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """Return the trial with the highest score, the first of equal ones; None where a run of every one broke."""
    sound = [trial for trial in trials if not np.isnan(trial.score)]
    return max(sound, key=lambda trial: trial.score, default=None)


def judge(search: Search, best: Trial, engine: Engine, folder: Path, console: "Console") -> tuple[Judged, Judged]:
    """Train the best settings and the defaults anew with the unseen seeds, and return what they earn."""
    candidates: list[tuple[str, dict[str, Any]]] = [("the best found", best.chosen), ("the defaults", {})]
    configs = [search.config(chosen, search.settings.unseen) for _, chosen in candidates]
    tables = run_configs(configs, [label for label, _ in candidates], engine, folder, console)
    ours, theirs = (
        Judged(label, chosen, scores(table, config), last(table, config, "greedy_return"))
        for (label, chosen), config, table in zip(candidates, configs, tables, strict=True)
    )
    return ours, theirs


def _without_none(value: Any) -> Any:
    """Return nested values without what is None, which TOML has no word for."""
    if isinstance(value, Mapping):
        return {key: _without_none(each) for key, each in value.items() if each is not None}
    return value


def _check_same(folder: Path, there: str, asked: str) -> None:
    try:
        found, wanted = _flat(tomllib.loads(there)), _flat(tomllib.loads(asked))
    except tomllib.TOMLDecodeError:
        raise UserError(f"{folder / DECLARATION} is damaged; choose another folder with --out.") from None
    for name in found | wanted:
        if found.get(name) != wanted.get(name):
            short = name.removeprefix("defaults.").removeprefix("config.")
            raise UserError(
                f"{folder} holds a search with {short} {found.get(name, 'not set')}, and this one has "
                f"{wanted.get(name, 'none')}; give the same, or another folder with --out."
            )


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in table.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat
