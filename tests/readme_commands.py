"""Run every command and every Python block of the README, in an empty folder: `readme_commands.py FOLDER`.

The commands in its tables are run, too: training is cut short, watching makes a film, and of `play`, which waits for
keys, only the options are read. `python start.py test` is left out: CI has run it by then.
"""

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GRIDRL = [sys.executable, "-m", "gridrl"]
INSTEAD = {
    "train": ["--steps", "300", "--eval-period", "300", "--eval-episodes", "1"],
    "watch": ["--video", "film.gif"],
    "play": ["--help"],
    "compare": ["--seeds", "2", "--steps", "300", "--eval-period", "100", "--eval-episodes", "1"],
    "tune": ["--trials", "2", "--seeds", "1", "--unseen-seeds", "2", "--steps", "300", "--eval-episodes", "1"],
    "study run": ["--budget", "smoke"],
}


def main(folder: Path) -> int:
    """Run all of it; the exit code of the first that fails."""
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
    commands = [[sys.executable, str(ROOT / "start.py"), "demo"]]
    for language, body in re.findall(r"```(\w+)\n(.*?)```", text, flags=re.DOTALL):
        if language == "console":
            commands += [[*GRIDRL, *shlex.split(line)[1:]] for line in body.strip().splitlines()]
        elif language == "python":
            commands.append([sys.executable, "-W", "error", "-c", body])
        else:
            print(f"README.md: a block of {language!r} is neither console nor python")
            return 1
    for line in dict.fromkeys(re.findall(r"`gridrl ([^`]+)`", text)):
        name, *rest = shlex.split(line)
        if name not in ("demo", "COMMAND") and "FOLDER" not in rest:
            instead = INSTEAD.get(name) or INSTEAD.get(" ".join([name, *rest[:1]]), [])
            commands.append([*GRIDRL, name, *rest, *instead])
    for command in commands:
        begun = time.perf_counter()
        shown = " ".join(command[1:])[:100].replace("\n", " ")
        finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        print(f"{time.perf_counter() - begun:6.1f} s  {shown}", flush=True)
        if finished.returncode:
            print(finished.stdout[-3000:], finished.stderr[-3000:], sep="\n")
            return finished.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
