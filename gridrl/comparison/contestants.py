"""Who is to be compared: run folders as they are, and agents to be trained first, each into a folder of its own."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gridrl.comparison.measures import problem_words, same_problem
from gridrl.errors import UserError
from gridrl.grouping import num_cores
from gridrl.make_run import make_run_folder
from gridrl.parallel import Job, jobs_of
from gridrl.problem import ProblemSettings
from gridrl.run import make_problem
from gridrl.run_folder import RunFolder
from gridrl.training_settings import TrainSettings
from gridrl_agents.registry import prefers_state, settings_class


@dataclass(frozen=True)
class Contestants:
    """The words of `gridrl compare`, sorted out: label -> run folder, and which of them are agents to be trained."""

    folders: dict[str, Path]
    agents: tuple[str, ...]  # labels that are agents' names


def sort_out(words: Sequence[str], folder: Path) -> Contestants:
    """Tell run folders from agents; agents will be trained into `folder`/runs/AGENT.

    A run folder is called by its agent's name or, where another has that name, by its own. Raises `UserError` for a
    word given twice and for a folder that is none of a run; `SettingsError` for an unknown agent.
    """
    twice = next((word for word in words if words.count(word) > 1), None)
    if twice is not None:
        raise UserError(
            f"{twice} is named twice; to compare it with other settings train it, and name the two folders."
        )
    agents = tuple(word for word in words if not is_run_folder(word))
    for agent in agents:
        settings_class(agent)
    runs = {word: RunFolder.open(word).config.agent for word in words if word not in agents}
    names = [*agents, *runs.values()]
    folders: dict[str, Path] = {}
    for word in words:
        if word in agents:
            folders[word] = folder / "runs" / word.replace(":", ".")
            continue
        label = runs[word] if names.count(runs[word]) == 1 else Path(word).name
        folders[word if label in (*agents, *folders) else label] = Path(word)
    return Contestants(folders, agents)


def is_run_folder(word: str) -> bool:
    """Say whether a word stands for a run folder: there is one, or it looks like a path."""
    return (Path(word) / "config.toml").is_file() or "/" in word or "\\" in word


def prepare(contestants: Contestants, problem: ProblemSettings, settings: TrainSettings, command: str) -> list[Job]:
    """Make the folders of the agents that have none yet; return what is left to train, the longest first.

    Raises `UserError` where a folder that is there was made with other settings, or agents would learn another problem
    than the run folders that they are compared with.
    """
    _check_problem(contestants, problem)
    folders = {agent: contestants.folders[agent] for agent in contestants.agents}
    return prepare_runs([(agent, path, problem) for agent, path in folders.items()], settings, command)


def prepare_runs(runs: Sequence[tuple[str, Path, ProblemSettings]], settings: TrainSettings, command: str) -> list[Job]:
    """Make a folder for each agent and problem, or go on with the one that is there; return what is left to train.

    The longest come first, so that all cores are busy to the end; where there are fewer runs than processes, their
    seeds are put into groups. Raises `UserError` where a folder was made with other settings.
    """
    processes = max((settings.processes or num_cores()) // max(len(runs), 1), 1)
    jobs = []
    for agent, path, problem in sorted(runs, key=lambda run: prefers_state(run[0])):
        if (path / "config.toml").is_file():
            _check_same(path, problem, settings)
        else:
            grouped = dataclasses.replace(settings, processes=processes)
            make_run_folder(agent, problem, grouped, {}, out=path, command=command)
        jobs += jobs_of(agent, RunFolder.open(path))
    return jobs


def _check_problem(contestants: Contestants, problem: ProblemSettings) -> None:
    """Raise `UserError` if the agents would learn another problem than the first run folder's."""
    given = next((label for label in contestants.folders if label not in contestants.agents), None)
    if given is None or not contestants.agents:
        return
    config = RunFolder.open(contestants.folders[given]).config
    ours, theirs = make_problem(contestants.agents[0], problem), make_problem(config.agent, config.problem)
    if not same_problem(ours, theirs):
        raise UserError(
            f"{contestants.agents[0]} would learn {problem_words(ours)}, but {given} learned {problem_words(theirs)}; "
            f"give the same: --env {problem_words(theirs)}"
        )


def _check_same(path: Path, problem: ProblemSettings, settings: TrainSettings) -> None:
    """Raise `UserError` unless the run in `path` is the one that would be trained now."""
    config = RunFolder.open(path).config
    asked = {name: getattr(settings, name) for name in ("steps", "eval_period", "eval_episodes", "checkpoint_period")}
    there = {name: getattr(config, name) for name in asked}
    asked, there = asked | {"seeds": settings.seeds}, there | {"seeds": len(config.seeds)}
    ours, theirs = make_problem(config.agent, problem), make_problem(config.agent, config.problem)
    differing = [f"--{name.replace('_', '-')} {there[name]}" for name in asked if asked[name] != there[name]]
    if not same_problem(ours, theirs) or problem.observation != config.problem.observation:
        differing.insert(0, f"--env {problem_words(theirs)} --observation {config.problem.observation}")
    if differing:
        raise UserError(f"{path} was made with {' '.join(differing)}; give the same, or another folder with --out.")
