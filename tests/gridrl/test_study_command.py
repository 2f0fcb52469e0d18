"""`gridrl study`: what is listed, run, written and refused."""

from importlib import import_module
from pathlib import Path

import pandas
import pytest

from gridrl.__main__ import main
from gridrl.studies import registry
from gridrl.studies.registry import find, studies


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "250")


def test_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "list"]) == 0
    shown = capsys.readouterr().out
    for study in studies():
        assert study.name in shown
        assert study.question.endswith("?")
        assert study.claim.endswith(".")
        assert callable(study.steps.measure)


def test_a_run_leaves_figure_data_and_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "run", "polynomials", "--budget", "smoke", "--seeds", "4", "--out", "found"]) == 0
    shown = capsys.readouterr().out
    out = tmp_path / "found"
    names = {"figure.png", "verdict.md", "settings.toml", "fits.csv", "errors.csv", "means.csv"}
    assert {path.name for path in out.iterdir()} == names
    assert all(name in shown for name in names)
    assert (out / "figure.png").read_bytes().startswith(b"\x89PNG")
    page = (out / "verdict.md").read_text(encoding="utf-8")
    study = find("polynomials")
    for words in (study.question, study.claim, study.source, "--budget smoke --seeds 4", "(figure.png)"):
        assert words in page
    # The tables that are kept say the same as those that were measured: judging and drawing need no more.
    tables = {path.stem: pandas.read_csv(path) for path in out.glob("*.csv")}
    verdict = study.steps.judge(tables)
    assert f"Verdict: {verdict.outcome}." in page
    for finding in verdict.findings:
        assert f"* {finding.word}: {finding.text}" in page
        assert f"{finding.word}: {finding.text}" in shown
    assert study.steps.draw(tables).axes
    assert "gridrl study run polynomials --budget short" in shown


@pytest.mark.parametrize("name", ["textbook", "polynomials", "priorities"])
def test_one_seed_shows_what_can_be_shown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "run", name, "--budget", "smoke", "--seeds", "1"]) == 0
    assert "within the noise" in capsys.readouterr().out
    assert Path("studies", name, "figure.png").is_file()


def test_all_of_them(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(registry, "_ROWS", (find("polynomials"), find("priorities")))
    monkeypatch.setattr(registry, "_FILES", ())
    for _ in range(2):
        assert main(["study", "run", "all", "--budget", "smoke", "--seeds", "2"]) == 0
    folders = {path.name for path in Path("studies").iterdir()}
    assert folders == {"polynomials", "polynomials-2", "priorities", "priorities-2"}
    assert main(["study", "run", "all", "--budget", "smoke", "--seeds", "2", "--out", "both"]) == 0
    assert {path.name for path in Path("both").iterdir()} == {"polynomials", "priorities"}
    assert capsys.readouterr().err == ""


def test_the_gallery_is_made_of_the_latest_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "docs")
    gallery = import_module("gallery")
    for seeds in ("2", "3"):
        assert main(["study", "run", "polynomials", "--budget", "smoke", "--seeds", seeds]) == 0
    (tmp_path / "images").mkdir()
    page = gallery.page(Path("studies"), tmp_path / "images")
    study = find("polynomials")
    assert f"| [polynomials](#polynomials) | {study.question} | the claim" in page
    assert "\n## polynomials\n" in page
    assert "--budget smoke --seeds 3" in page
    assert "--seeds 2" not in page
    assert "(images/study-polynomials.png)" in page
    newest = Path("studies", "polynomials-2", "figure.png").read_bytes()
    assert (tmp_path / "images" / "study-polynomials.png").read_bytes() == newest
    assert "textbook" not in page, "it was not run"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "bias-nose"], "unknown study 'bias-nose'; did you mean 'bias-noise'?"),
        (["rum", "textbook"], "unknown study command 'rum'; did you mean 'run'?"),
        (["run", "textbook", "--seeds", "0"], "--seeds must be 1 or more, got 0"),
        (["run", "polynomials", "--out", "full"], "full exists and is not empty; choose another folder with --out."),
    ],
)
def test_mistakes_get_one_sentence(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("full").mkdir()
    Path("full", "kept").touch()
    assert main(["study", *arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study"]) == 2
    assert main(["study", "--help"]) == 0
    assert "gridrl study list" in capsys.readouterr().out
