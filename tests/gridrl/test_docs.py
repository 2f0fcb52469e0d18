"""The documentation's own examples: they run, and are as short as they say."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gridrl.__main__ import main
from gridrl.errors import UserError
from gridrl.studies.registry import find
from gridrl_agents.registry import agent_names, describe, paper

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_your_own_agent_in_forty_lines(tmp_path: Path) -> None:
    page = DOCS / "write-your-own-agent.md"
    (code,) = blocks(page, "python")
    assert len(code.splitlines()) <= 40
    (tmp_path / "my_agents.py").write_text(code)
    (commands,) = blocks(page, "console")
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "120"}
    for line in commands.strip().splitlines():
        program = [sys.executable, "-P", "-m", "gridrl", *shlex.split(line)[1:]]  # -P: as the installed program starts
        done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (line, done.stderr)
    assert "bonus" in done.stdout
    assert "bonus = 20.0" in (tmp_path / "runs" / "curious" / "config.toml").read_text()


def test_a_study_of_your_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example, part = blocks(DOCS / "studies.md", "toml")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "myopia.toml").write_text(example)
    assert main(["study", "run", "myopia.toml", "--budget", "smoke", "--engine", "serial"]) == 0
    page = (tmp_path / "studies" / "myopia" / "verdict.md").read_text(encoding="utf-8")
    assert page.count("\n* ") == 2
    assert "* holds: return at epsilon .05, in the last quarter of training: 'gamma .95' " in page
    assert "* holds: max Q at the start, over the whole training: 'gamma .95' " in page
    assert "Verdict: the claim holds." in page
    (tmp_path / "betas.toml").write_text(example[: example.index("[[parts]]")].replace("gamma 0", "beta .2") + part)
    with pytest.raises(UserError, match=r"unknown variant in part 1 of the claim 'beta \.8'"):
        find("betas.toml")


@pytest.mark.parametrize("name", agent_names())
def test_every_agent_has_its_page(name: str) -> None:
    text = (DOCS / "agents" / f"{name}.md").read_text(encoding="utf-8")
    assert "## Result" in text
    assert "<!-- result -->" not in text, "measured by docs/agents/measure.py"
    assert "eviation" in text
    row = f"| [{name}]({name}.md) | {describe(name)} | {paper(name)} |"
    assert row in (DOCS / "agents" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
