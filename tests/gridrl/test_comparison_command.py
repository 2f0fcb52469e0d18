"""`gridrl compare`: what is trained, what is taken as it is, and what is said of mistakes."""

from collections.abc import Generator
from pathlib import Path

import pandas
import pytest

from gridrl.commands import compare
from gridrl.comparison.contestants import prepare, sort_out
from gridrl.errors import UserError
from gridrl.problem import ProblemSettings
from gridrl.run_folder import RunFolder
from gridrl.training import start
from gridrl.training_settings import TrainSettings
from gridrl_agents.errors import SettingsError

SMALL = ProblemSettings(env="dense-small-v0", coins=2)
QUICK = TrainSettings(seeds=2, steps=300, eval_period=100, eval_episodes=1)
OPTIONS = ["--coins", "2", "--seeds", "2", "--steps", "300", "--eval-period", "100", "--eval-episodes", "1"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def a_run(path: str, agent: str = "q-learning", problem: ProblemSettings = SMALL) -> str:
    start(agent, problem, QUICK, {}, out=Path(path)).run()
    return path


def test_agents_are_trained_once_and_compared(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["q-learning", "sarsa", *OPTIONS]
    assert compare.main([*words, "--out", "c"]) == 0
    assert {path.name for path in Path("c").iterdir()} == {"comparison.md", "comparison.csv", "comparison.png", "runs"}
    assert list(pandas.read_csv("c/comparison.csv")["label"]) == ["q-learning", "sarsa"]
    shown = capsys.readouterr().out
    assert "training q-learning, sarsa: 2 run(s) of each agent" in shown
    assert "gridrl watch c/runs/" in shown
    files = [path for path in Path("c/runs").rglob("*") if path.is_file()]
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
    assert compare.main([*words, "--out", "c"]) == 0
    assert "training" not in capsys.readouterr().out
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before


def test_run_folders_are_taken_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.main([a_run("mine"), a_run("runs/yours")]) == 0
    (folder,) = Path("comparisons").iterdir()
    assert folder.name == "dense-small-v0-1"
    assert not (folder / "runs").exists()
    # Both are of q-learning, and so are called by their folders.
    assert list(pandas.read_csv(folder / "comparison.csv")["label"]) == ["mine", "yours"]
    assert "gridrl bias mine runs/yours" in capsys.readouterr().out


def test_ctrl_c_says_how_to_go_on_and_that_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(jobs: object, num_processes: object) -> Generator[None]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("sys.argv", ["gridrl", "compare", "q-learning"])
    with monkeypatch.context() as stopped:
        stopped.setattr("gridrl.parallel.train_all", interrupt)
        assert compare.main(["q-learning", *OPTIONS]) == 130
    assert "To go on: gridrl compare q-learning --out comparisons/dense-small-v0-1" in capsys.readouterr().out
    assert compare.main(["q-learning", *OPTIONS, "--out", "comparisons/dense-small-v0-1"]) == 0
    assert RunFolder.open("comparisons/dense-small-v0-1/runs/q-learning").step == 300


def test_labels_tell_agents_and_folders_apart() -> None:
    mine, other, again = a_run("runs/mine"), a_run("other/mine"), a_run("sarsa-run", "sarsa")
    words = [mine, "q-learning", other, again, "my_agents:Curious"]
    with pytest.raises(SettingsError, match="my_agents cannot be imported"):
        sort_out(words, Path("c"))
    folders = sort_out(words[:-1], Path("c")).folders
    assert folders == {
        "mine": Path("runs/mine"),
        "q-learning": Path("c/runs/q-learning"),
        "other/mine": Path("other/mine"),
        "sarsa": Path("sarsa-run"),
    }


def test_unfinished_runs_come_before_the_short_ones_and_finished_ones_not_at_all() -> None:
    a_run("c/runs/sarsa", "sarsa")
    contestants = sort_out(["q-learning", "dqn", "sarsa"], Path("c"))
    assert [job.name for job in prepare(contestants, SMALL, QUICK, "")] == ["dqn", "q-learning"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "gridrl compare needs agents or run folders"),
        (["q-learning", "q-learning"], "q-learning is named twice"),
        (["dqm"], "unknown agent 'dqm'; did you mean 'dqn'?"),
        (["runs/nowhere"], "runs/nowhere is no folder"),
        (["q-learning", "--threshold", "50"], "--threshold is a share of the best possible"),
        (["q-learning", "--out", "full"], "full exists and holds something else"),
        (["q-learning", "--out", "full/file"], "full/file is a file"),
        (["mine", "--steps", "5"], "--steps is for agents to be trained"),
        (["mine", "--coins", "3"], "--coins is for agents to be trained"),
        (["mine", "sarsa"], "sarsa would learn dense-small-v0, but q-learning learned dense-small-v0 --coins 2; "),
        (["q-learning", "--coins", "2", "--out", "c"], "was made with --steps 300 --eval-period 100"),
        (["q-learning", *OPTIONS, "--coins", "3", "--out", "c"], "was made with --env dense-small-v0 --coins 2"),
    ],
)
def test_mistakes_get_a_sentence_and_leave_nothing(arguments: list[str], sentence: str) -> None:
    Path("full").mkdir()
    Path("full/file").write_text("something")
    if "mine" in arguments:
        a_run("mine")
    if "c" in arguments:
        a_run("c/runs/q-learning")
    before = sorted(Path().rglob("*"))
    with pytest.raises((UserError, SettingsError)) as error:
        compare.main(arguments)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)
    assert sorted(Path().rglob("*")) == before
