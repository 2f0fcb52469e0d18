"""`gridrl doctor`: what works on this machine, and what to do about what does not."""

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridrl.commands.options import parse

Finding = tuple[str, str]  # "ok", "note" or "fault", and a sentence


@dataclass
class Options:
    """Check this machine."""


def main(argv: list[str]) -> int:
    """Print a table of checks; 1 when one of them failed."""
    parse(Options, "doctor", argv, "Check this machine: packages, registration, display, films, disk, speed.")
    from rich.console import Console
    from rich.table import Table

    checks: dict[str, Callable[[], Finding]] = {
        "python": _python,
        "packages": _packages,
        "registration": _registration,
        "pictures": _pictures,
        "display": _display,
        "films": _films,
        "disk": _disk,
        "torch": _torch,
        "speed": _speed,
    }
    table = Table("check", "", "what was found", title="gridrl doctor")
    faults = 0
    for name, check in checks.items():
        try:
            state, text = check()
        except Exception as error:  # a doctor reports, whatever it meets
            state, text = "fault", f"{type(error).__name__}: {error}"
        faults += state == "fault"
        colour = {"ok": "green", "note": "yellow", "fault": "red"}[state]
        table.add_row(name, f"[{colour}]{state}[/]", text)
    Console().print(table)
    print("All that training needs works." if not faults else f"{faults} fault(s): see the table.")
    return 1 if faults else 0


def _python() -> Finding:
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return ("ok", text) if sys.version_info >= (3, 11) else ("fault", f"{text}; gridrl needs Python 3.11 or newer")


def _packages() -> Finding:
    from importlib.metadata import version

    names = ("gridrl", "gymnasium", "numpy", "torch", "pygame-ce", "matplotlib")
    return "ok", ", ".join(f"{name} {version(name)}" for name in names)


def _registration() -> Finding:
    code = "import gymnasium; gymnasium.make('dense-v0')"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if found.returncode == 0:
        return "ok", 'gymnasium.make("dense-v0") works with no import of ours'
    return "note", "Python was started without site-packages' .pth files; write `import gridrl_envs` before make"


def _pictures() -> Finding:
    import gymnasium

    env: Any = gymnasium.make("dense-v0", render_mode="rgb_array")
    env.reset(seed=0)
    begun, frames = time.perf_counter(), 50
    for _ in range(frames):
        picture = env.render()
    rate = frames / (time.perf_counter() - begun)
    return "ok", f"{rate:.0f} frames/s of {picture.shape[1]} x {picture.shape[0]} pixels, with no display"


def _display() -> Finding:
    from gridrl_envs.window import NoDisplayError, Window

    try:
        Window("gridrl doctor").close()
    except NoDisplayError as error:
        return "note", f"{error}"
    return "ok", "windows can be opened (watch, play)"


def _films() -> Finding:
    import numpy as np

    from gridrl.film import write_film

    frames = [np.full((32, 32, 3), shade, dtype=np.uint8) for shade in (0, 128, 255)]
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("gif", "mp4"):
            write_film(frames, Path(folder) / f"film.{suffix}", fps=8)
    return "ok", "films can be written: .gif, .mp4"


def _disk() -> Finding:
    import shutil

    free = shutil.disk_usage(Path.cwd()).free / 1e9
    if not os.access(Path.cwd(), os.W_OK):
        return "fault", f"{Path.cwd()} cannot be written; runs are kept under ./runs: change to another folder"
    return ("ok" if free > 1 else "note"), f"{free:.1f} GB free in {Path.cwd()}; a long run of four seeds takes 0.1 GB"


def _torch() -> Finding:
    import torch

    cuda = "CUDA is there (train with --device cuda)" if torch.cuda.is_available() else "CPU"
    return "ok", f"{torch.__version__}, {cuda}; one thread a process, which is fastest for small networks"


def _speed() -> Finding:
    from gridrl.loop import steps
    from gridrl.problem import Problem, ProblemSettings
    from gridrl_agents.registry import make

    problem = Problem(ProblemSettings())
    env = problem.make_vector(1)
    agent = make(
        "dqn",
        problem.observation_space,
        problem.action_space,
        [0],
        observation_support=problem.observation_support,
        min_replay_size=100,
        replay_capacity=1000,
    )
    obs, _ = env.reset(seed=[0])
    begun, before = 0.0, 0
    for number, _step in enumerate(steps(agent, env, obs)):
        if number == 300:
            begun, before = time.perf_counter(), agent.num_updates
        if number == 800:
            break
    rate = (agent.num_updates - before) / (time.perf_counter() - begun)
    return "ok", f"{rate:.0f} updates/s of DQN on dense-v0, one run"
