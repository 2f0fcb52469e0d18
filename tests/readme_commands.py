"""Run every command and every Python block of the README, in an empty folder: `readme_commands.py FOLDER`.

`python start.py test` is left out: CI has run it by then. Of commands in the text, `--help` is asked for.
"""

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GRIDRL = [sys.executable, "-m", "gridrl"]


def main(folder: Path) -> int:
    """Run all of it; the exit code of the first that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [[sys.executable, str(ROOT / "start.py"), "demo"]]
    for language, body in re.findall(r"```(\w+)\n(.*?)```", text, flags=re.DOTALL):
        if language == "console":
            commands += [[*GRIDRL, *shlex.split(line)[1:]] for line in body.strip().splitlines()]
        elif language == "python":
            commands.append([sys.executable, "-W", "error", "-c", body])
        else:
            print(f"README.md: a block of {language!r} is neither console nor python")
            return 1
    for name in sorted(set(re.findall(r"`gridrl ([a-z]+)", text))):
        commands.append([*GRIDRL, name, "--help"])
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
