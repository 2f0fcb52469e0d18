"""Who may import whom, and what must not be imported before it is needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"gridrl": "gridrl", "gridrl_envs": "envs/gridrl_envs", "gridrl_agents": "agents/gridrl_agents"}
ALLOWED = {
    "gridrl": {"gridrl", "gridrl_envs", "gridrl_agents"},
    "gridrl_envs": {"gridrl_envs"},
    "gridrl_agents": {"gridrl_agents"},
}
# What may be imported only in these files (or folders), by anybody.
CONFINED = {
    "pygame": ["envs/gridrl_envs/rendering.py", "envs/gridrl_envs/window.py"],
    "torch": ["agents/gridrl_agents/deep/", "gridrl/commands/doctor.py"],
    "matplotlib": ["gridrl/plots/", "gridrl/maps/figures.py"],
    "distributed": ["gridrl/sweeps/dask_"],
    "optuna": ["gridrl/tuning/journal.py"],
    "tensorboard": ["gridrl/events.py"],
}


def imports(path: Path, *, typing_too: bool = False) -> set[str]:
    """Return the top-level names of all modules that a file imports, leaving out `if TYPE_CHECKING:`."""
    names = set()
    todo: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add((node.module or "").partition(".")[0])
        is_for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if is_for_types and not typing_too:
            todo += node.orelse
        else:
            todo += ast.iter_child_nodes(node)
    return names


def sources(package: str) -> list[Path]:
    found = sorted((ROOT / FOLDERS[package]).rglob("*.py"))
    assert found
    return found


@pytest.mark.parametrize("package", FOLDERS)
def test_imports_go_one_way(package: str) -> None:
    for path in sources(package):
        ours = imports(path, typing_too=True) & FOLDERS.keys()
        assert ours <= ALLOWED[package], path


@pytest.mark.parametrize("package", FOLDERS)
def test_heavy_packages_are_confined(package: str) -> None:
    for path in sources(package):
        name = path.relative_to(ROOT).as_posix()
        for heavy in imports(path) & CONFINED.keys():
            assert name.startswith(tuple(CONFINED[heavy])), f"{name} imports {heavy}"


def loaded_after(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after `code`."""
    code += "\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import gridrl_envs", {"torch", "pygame", "matplotlib", "numpy", "gymnasium"}),
        ("import gymnasium; gymnasium.make('dense-v0').reset(seed=0)", {"torch", "pygame", "matplotlib"}),
        ("from gridrl.__main__ import main; main(['--help'])", {"torch", "pygame", "matplotlib", "numpy", "gymnasium"}),
        ("from gridrl_agents.registry import settings_class; settings_class('dqn')", {"torch", "gymnasium"}),
        ("import gridrl.training_settings, gridrl.problem", {"torch", "pygame", "matplotlib", "gymnasium"}),
    ],
)
def test_nothing_heavy_is_imported_early(code: str, heavy: set[str]) -> None:
    assert not loaded_after(code) & heavy
