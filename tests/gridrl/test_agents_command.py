"""`gridrl agents`: every agent is listed with its paper, every setting with its default and a comment."""

import dataclasses

import pytest

from gridrl.__main__ import main
from gridrl.commands.agents import field_comments
from gridrl_agents.registry import agent_names, describe, paper, settings_class


def test_all_are_listed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["agents"]) == 0
    shown = capsys.readouterr().out
    for name in agent_names():
        assert any(name in line and describe(name) in line and paper(name) in line for line in shown.splitlines()), name


@pytest.mark.parametrize("name", agent_names())
def test_every_setting_has_a_comment(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_class(name)
    comments = field_comments(settings)
    assert main(["agents", name]) == 0
    shown = capsys.readouterr().out
    for field in dataclasses.fields(settings):
        assert len(comments[field.name]) > 10, field.name
        assert field.name.replace("_", "-") in shown


def test_an_unknown_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agents", "rainbwo"]) == 2
    assert "did you mean 'rainbow'?" in capsys.readouterr().err
