"""What a search found, in words and in files: beside the defaults, and with seeds that the search did not see."""

import dataclasses
import json
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tomli_w

from gridrl.comparison.improvement import Improvement, probability_of_improvement
from gridrl.comparison.page import markdown
from gridrl.comparison.tables import Rows, number, with_interval
from gridrl.intervals import Summary, summarise
from gridrl.problem import ProblemSettings
from gridrl.tuning.journal import Trial
from gridrl.tuning.score import WORDS
from gridrl.tuning.search import Judged, Search
from gridrl_agents.registry import settings_class

if TYPE_CHECKING:
    import pandas

BOOTSTRAP_SEED = 0


class Report(NamedTuple):
    """What a search found."""

    search: Search
    trials: list[Trial]
    best: Trial
    ours: Judged  # the best settings
    theirs: Judged  # the defaults

    @property
    def improvement(self) -> Improvement:
        """How probable it is that a run with the best settings beats one with the defaults, both with unseen seeds."""
        return probability_of_improvement(self.ours.scores, self.theirs.scores, np.random.default_rng(BOOTSTRAP_SEED))

    @property
    def excess(self) -> float:
        """By how much the score in the search was above that with unseen seeds."""
        return self.best.score - float(np.mean(self.ours.scores))


def summary(values: np.ndarray) -> Summary:
    """Return the mean over runs with its 95 % bootstrap interval."""
    return summarise(values, np.random.default_rng(BOOTSTRAP_SEED))


def result_rows(report: Report) -> Rows:
    """Return what the best settings and the defaults earn, as rows of text."""
    seen = {report.ours.label: number(report.best.score), report.theirs.label: "-"}
    return [
        {
            "settings": judged.label,
            f"seeds of the search (n={len(report.best.scores)})": seen[judged.label],
            f"unseen seeds (n={len(judged.scores)})": _earned(judged.scores),
            "greedy, at the end": _earned(judged.greedy),
        }
        for judged in (report.ours, report.theirs)
    ]


def _earned(values: np.ndarray) -> str:
    broken = int(np.isnan(values).sum())
    return f"{broken} run(s) broke off" if broken else with_interval(summary(values))


def settings_rows(report: Report) -> Rows:
    """Return what was searched, as rows of text."""
    defaults = settings_class(report.search.agent)(**report.search.fixed)
    return [
        {
            "setting": name,
            "searched": str(each),
            "default": _short(getattr(defaults, name)),
            "best": _short(report.best.chosen[name]),
        }
        for name, each in report.search.ranges.items()
    ]


def sentences(report: Report) -> list[str]:
    """Return what follows from the numbers."""
    found = report.improvement
    broken = sum(int(np.isnan(judged.scores).sum()) for judged in (report.ours, report.theirs))
    if broken:
        return [f"{broken} run(s) with unseen seeds broke off, so that nothing can be said of the settings."]
    interval = "" if np.isnan(found.low) else f" [{found.low:.2f}, {found.high:.2f}]"
    sure = "" if np.isnan(found.p_value) else f", p = {found.p_value:.2g}: {_verdict(found)}"
    excess = report.excess
    told = f"{number(excess)} less" if excess > 0 else f"{number(-excess)} more, by chance"
    if excess == 0:
        told = "just as much, by chance"
    return [
        f"With unseen seeds a run of the best found beats one of the defaults with probability "
        f"{found.probability:.2f}{interval}{sure}.",
        f"The score of {number(report.best.score)} in the search is the highest of {len(report.trials)} that noise is "
        f"part of, and so too high on average: with unseen seeds the same settings earn {told}.",
    ]


def _verdict(found: Improvement) -> str:
    if not found.is_sure:
        return "that may be chance"
    return "better than the defaults" if found.probability > 0.5 else "worse than the defaults"


def page(report: Report, command: str) -> str:
    """Return the report as a page in Markdown."""
    search, settings = report.search, report.search.settings
    broken = [str(trial.number) for trial in report.trials if np.isnan(trial.score)]
    return PAGE.format(
        title=f"{search.agent} on {search.problem.env}: {len(report.trials)} trials",
        steps=settings.steps,
        seeds=settings.seeds,
        results=markdown(result_rows(report)),
        sentences="\n\n".join(sentences(report)),
        best=report.best.number,
        settings=markdown(settings_rows(report)),
        score=WORDS,
        broken=f"\nTrials of which a run broke off: {', '.join(broken)}.\n" if broken else "",
        train=train_command(report),
        command=command,
    )


def trials_table(report: Report) -> "pandas.DataFrame":
    """Return all trials: number, what was chosen, score, and what each run earned."""
    import pandas

    rows = [
        {"trial": trial.number}
        | {name: _plain(value) for name, value in trial.chosen.items()}
        | {"score": trial.score}
        | {f"seed_{seed}": score for seed, score in zip(report.search.settings.seen, trial.scores, strict=True)}
        for trial in report.trials
    ]
    return pandas.DataFrame(rows)


def unseen_table(report: Report) -> "pandas.DataFrame":
    """Return each run with an unseen seed: settings, run (its seed), score, greedy return at the end."""
    import pandas

    seeds = report.search.settings.unseen
    tables = [
        pandas.DataFrame(
            {"settings": judged.label, "run": seeds, "score": judged.scores, "greedy_return": judged.greedy}
        )
        for judged in (report.ours, report.theirs)
    ]
    return pandas.concat(tables, ignore_index=True)


def best_toml(report: Report) -> str:
    """Return the best settings as a file for `gridrl sweep`, with the unseen seeds."""
    return tomli_w.dumps(
        {
            "agent": report.search.agent,
            "seeds": report.search.settings.unseen,
            "settings": _all_settings(report),
        }
    )


def train_command(report: Report) -> str:
    """Return the line that trains with the best settings."""
    defaults = dataclasses.asdict(settings_class(report.search.agent)())
    words = ["gridrl", "train", report.search.agent]
    for name, value in _all_settings(report).items():
        if name in defaults and _plain(defaults[name]) == _plain(value):
            continue
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            words += [
                f"--{option}",
                *map(str, value if isinstance(value, list) else [value]),
            ]
    return shlex.join([*words, "--seeds", str(report.search.settings.unseen_seeds)])


def _all_settings(report: Report) -> dict[str, Any]:
    """Return what trains with the best settings, by the names of the options, without what is as always."""
    search, usual = report.search, ProblemSettings(env="")
    problem = dataclasses.asdict(search.problem)
    given = {name: value for name, value in problem.items() if value != getattr(usual, name)}
    chosen = search.fixed | report.best.chosen
    return given | search.training | {name: _listed(value) for name, value in chosen.items()}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _plain(value: Any) -> Any:
    """Return a value that can stand in a cell of a table."""
    return json.dumps(value) if isinstance(value, list | tuple) else value


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(_plain(value))


PAGE = """\
# {title}

{results}

Score: {score}; averages over runs with 95 % bootstrap intervals. Each trial was trained for {steps} steps with {seeds}
seed(s). The best found and the defaults were then trained anew, with seeds that the search did not see.

{sentences}

## The best settings, trial {best}

{settings}

    {train}

`best.toml` is the same for `gridrl sweep`, with the unseen seeds.

![trials](tune.png)
{broken}
Made by:

    {command}
"""
