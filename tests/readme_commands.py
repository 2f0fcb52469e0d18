"""Run every command and every Python block of the README, in an empty folder: `readme_commands.py FOLDER`.

The commands in its tables are run, too: training is cut short, watching makes a film, and of `play` and `edit`, which
wait for keys, only the options are read. `python start.py test` is left out: CI has run it by then. As many run at once
as there are cores; those that need what others have made come after them, in the README's order.
"""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GRIDRL = [sys.executable, "-m", "gridrl"]
INSTEAD = {
    "train": ["--steps", "300", "--eval-period", "300", "--eval-episodes", "1"],
    "watch": ["--video", "film.gif"],
    "live": ["--video", "live.gif", "--seconds", "1"],
    "play": ["--help"],
    "edit": ["--help"],
    "compare": ["--seeds", "2", "--steps", "300", "--eval-period", "100", "--eval-episodes", "1"],
    "tune": ["--trials", "2", "--seeds", "1", "--unseen-seeds", "2", "--steps", "300", "--eval-episodes", "1"],
    "study run": ["--budget", "smoke"],
}
OF_RUNS = ("train", "resume", "evaluate", "watch", "map", "bias")  # what one of them writes others read


def main(folder: Path) -> int:
    """Run all of it; the exit code of one that fails, or 0."""
    folder.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    levels = (ROOT / "docs" / "levels.md").read_text(encoding="utf-8")
    sweep = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
    grid = re.findall(r"```toml\n(.*?)```", sweep, flags=re.DOTALL)[0]
    short = grid.replace("seeds = 8", "seeds = 2").replace("steps = 5000", "steps = 300")
    (folder / "rates.toml").write_text(short, encoding="utf-8")
    (folder / "my.toml").write_text(re.findall(r"```toml\n(.*?)```", levels, flags=re.DOTALL)[0], encoding="utf-8")
    study = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    own = re.findall(r"```toml\n(.*?)```", study, flags=re.DOTALL)[0]
    (folder / "myopia.toml").write_text(own, encoding="utf-8")
    chains: dict[str, list[list[str]]] = {"demo": [[sys.executable, str(ROOT / "start.py"), "demo"]]}
    for number, (language, body) in enumerate(re.findall(r"```(\w+)\n(.*?)```", text, flags=re.DOTALL)):
        if language == "console":
            block = [[*GRIDRL, *shlex.split(line)[1:]] for line in body.strip().splitlines()]
        elif language == "python":
            block = [[sys.executable, "-W", "error", "-c", body]]
        else:
            print(f"README.md: a block of {language!r} is neither console nor python")
            return 1
        chains[f"block {number}"] = block
    for line in dict.fromkeys(re.findall(r"`gridrl ([^`]+)`", text)):
        name, *rest = shlex.split(line)
        if name not in ("demo", "COMMAND") and "FOLDER" not in rest:
            instead = INSTEAD.get(name) or INSTEAD.get(" ".join([name, *rest[:1]]), [])
            chain = chains.setdefault("runs" if name in OF_RUNS else name, [])
            chain.append([*GRIDRL, name, *rest, *instead])
    longest_first = sorted(chains.values(), key=len, reverse=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return max(pool.map(lambda chain: run(chain, folder), longest_first))


def run(commands: Sequence[list[str]], folder: Path) -> int:
    """Run commands one after the other; the exit code of the first that fails, or 0."""
    for command in commands:
        begun = time.perf_counter()
        shown = " ".join(command[1:])[:100].replace("\n", " ")
        finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        print(f"{time.perf_counter() - begun:6.1f} s  {shown}", flush=True)
        if finished.returncode:
            print(finished.stdout[-3000:], finished.stderr[-3000:], sep="\n", flush=True)
            return abs(finished.returncode)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
