"""`gridrl tune AGENT`: search for settings, and say what they are worth with seeds that the search did not see."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridrl.commands.options import command_line, parse, unchecked
from gridrl.errors import UserError
from gridrl.problem import ProblemSettings
from gridrl.sweeps.engine import EngineSettings
from gridrl.tuning.settings import SearchSettings
from gridrl_agents.registry import agent_names, describe, settings_class

if TYPE_CHECKING:
    from rich.console import Console

    from gridrl.comparison.tables import Rows
    from gridrl.tuning.report import Report
    from gridrl.tuning.search import Search

USAGE = """usage: gridrl tune AGENT [OPTIONS]        gridrl tune AGENT --help tells the options

agents:
{agents}"""


def main(argv: list[str]) -> int:
    """Search for settings of the agent named first in `argv`."""
    if not argv or argv[0].startswith("-"):
        print(USAGE.format(agents="\n".join(f"  {name:12} {describe(name)}" for name in agent_names())))
        return 0 if argv and argv[0] in ("-h", "--help") else 2
    name, *rest = argv
    settings = settings_class(name)
    AgentSettings: Any = unchecked(settings)

    @dataclass
    class Options:
        search: SearchSettings
        problem: ProblemSettings
        agent: AgentSettings
        """What the agent does with what it sees; what is given here is not searched."""
        work: EngineSettings
        ranges: Path | None = None
        """TOML file that declares what is searched, as docs/tune.md shows; by default the agent's usual ranges."""
        out: Path | None = None
        """Folder to write; by default searches/AGENT-ENV. What is there goes on."""

    options: Any = parse(Options, f"tune {name}", rest, f"Search for settings of {name}: {describe(name)}")

    from rich.console import Console

    from gridrl.commands.progress import INTERRUPTED
    from gridrl.extras import require
    from gridrl.run_folder import RunFolder, writing

    require("optuna", "search", "gridrl tune")
    search = _search(name, options, _given(rest, settings))
    folder = options.out or Path("searches") / f"{name}-{options.problem.env}".replace(":", ".").replace("/", ".")
    console = Console(soft_wrap=True, highlight=False, markup=False)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with RunFolder(folder).lock():
        try:
            report = _report(search, options.work, folder, console)
        except KeyboardInterrupt:
            console.print(f"Stopped; what was learned is saved. To go on, the same again: {command_line()}")
            return INTERRUPTED
        _write(report, folder, console)
    return 0


def _given(argv: Sequence[str], settings: Any) -> set[str]:
    """Return the names of the agent's settings that the command line sets, be it to their defaults."""
    words = {word.lstrip("-").partition("=")[0].replace("-", "_") for word in argv if word.startswith("--")}
    return {field.name for field in dataclasses.fields(settings) if words & {field.name, f"no_{field.name}"}}


def _search(name: str, options: Any, given: set[str]) -> "Search":
    """Return what is to be searched, checked."""
    from gridrl.run import make_agent, make_problem
    from gridrl.tuning.ranges import check_ranges, read_ranges
    from gridrl.tuning.search import Search
    from gridrl.tuning.usual_ranges import usual_ranges

    values = {setting: getattr(options.agent, setting) for setting in sorted(given)}
    fixed = {setting: value for setting, value in values.items() if value is not None}
    if options.ranges is None:
        ranges = usual_ranges(name, fixed)
    else:
        ranges = read_ranges(options.ranges, name)
        for setting in given & ranges.keys():
            option = setting.replace("_", "-")
            raise UserError(f"--{option} is fixed, and {options.ranges} searches it; leave one of the two out.")
    search = Search(name, options.problem, fixed, ranges, options.search)
    config = search.config({}, search.settings.seen)
    make_agent(name, config.agent_settings, make_problem(name, config.problem), [0])
    check_ranges(name, fixed, ranges)
    return search


def _report(search: "Search", work: EngineSettings, folder: Path, console: "Console") -> "Report":
    """Do what is left of the search, and judge what it found."""
    from gridrl.run_folder import writing
    from gridrl.sweeps.engine import make_engine
    from gridrl.tuning.journal import Journal
    from gridrl.tuning.report import Report
    from gridrl.tuning.search import JOURNAL, best_of, judge, try_all

    settings, engine = search.settings, make_engine(work)
    with writing(folder):
        search.declare(folder)
    journal = Journal(folder / JOURNAL, search.ranges, settings.sampler_seed)
    console.print(
        f"{search.agent} on {search.problem.env}: {settings.trials} trials of {settings.seeds} run(s) and "
        f"{settings.steps} steps, into {folder}\nsearching "
        + "; ".join(f"{name}: {each}" for name, each in search.ranges.items())
    )
    trials = try_all(search, journal, engine, folder, console)[: settings.trials]
    best = best_of(trials)
    if best is None:
        raise UserError("in every trial some run broke off; look at the rewards, or search other ranges.")
    console.print(f"training trial {best.number} and the defaults anew, with {settings.unseen_seeds} unseen seed(s)")
    return Report(search, trials, best, *judge(search, best, engine, folder, console))


def _write(report: "Report", folder: Path, console: "Console") -> None:
    """Write what was found into the folder, and print the most of it."""
    from gridrl.plots.style import save
    from gridrl.plots.tuning import tuning_figure
    from gridrl.run_folder import writing
    from gridrl.tuning import report as words
    from gridrl.tuning.score import WORDS

    search = report.search
    title = f"{search.agent} on {search.problem.env}: {len(report.trials)} trials"
    with writing(folder):
        (folder / "tune.md").write_text(words.page(report, command_line()), encoding="utf-8")
        (folder / "best.toml").write_text(words.best_toml(report), encoding="utf-8")
        words.trials_table(report).to_csv(folder / "trials.csv", index=False)
        words.unseen_table(report).to_csv(folder / "unseen.csv", index=False)
        unseen = [(judged.label, judged.scores) for judged in (report.ours, report.theirs)]
        scores = [trial.score for trial in report.trials]
        save(tuning_figure(scores, unseen, num_seeds=search.settings.seeds, title=title), folder / "tune.png")
    _print(console, f"score: {WORDS}", words.result_rows(report))
    _print(console, f"the best settings, trial {report.best.number}", words.settings_rows(report))
    for sentence in words.sentences(report):
        console.print(sentence)
    console.print(
        f"Wrote {folder}: tune.md, tune.png, best.toml, trials.csv, unseen.csv, results/. Next:\n"
        f"  {words.train_command(report)}\n  gridrl sweep {folder / 'best.toml'}"
    )


def _print(console: "Console", title: str, rows: "Rows") -> None:
    """Print rows of text as a table; an interval stands below its average."""
    from rich.table import Table

    table = Table(title=title)
    for number, column in enumerate(rows[0]):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*(text.replace(" [", "\n[") for text in row.values()))
    console.print(table)
