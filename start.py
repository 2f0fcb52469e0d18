"""One line from a clone to a result, in any shell: `python start.py demo`, or `python start.py test`.

Makes the virtual environment .venv beside this file (or uses the one that is active), installs gridrl into it with the
versions of constraints.txt, and runs `gridrl ARGUMENTS` there; `test` installs what the tests need and runs them.
Needs nothing but Python 3.11 or newer.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"


def main(arguments: list[str]) -> int:
    """Install where that is due, then run; return the exit code of what ran."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what meets an old Python
        print(f"gridrl needs Python 3.11 or newer, this is {sys.version.split()[0]}; start it with a newer one.")
        return 2
    testing = arguments[:1] == ["test"]
    if sys.prefix != sys.base_prefix:
        python, stamps = Path(sys.executable), Path(sys.prefix)
    else:
        python, stamps = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python"), VENV
    if not python.exists():
        print(f"making the virtual environment {VENV} ...", flush=True)
        if subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False).returncode:
            print("That failed; on Debian and Ubuntu, `apt install python3-venv` provides what is missing.")
            return 1
    if install(python, stamps, "test" if testing else ""):
        print("Installing failed; the lines above say why. Most often: no network, or an unusual Python version.")
        return 1
    command = [str(python), "-m", "gridrl", *arguments]
    if testing:  # on all cores; a file's tests together, since some share what they make
        command = [str(python), "-m", "pytest", "-n", "auto", "--dist", "loadfile", *arguments[1:]]
    try:
        return subprocess.run(command, cwd=ROOT if testing else None, check=False).returncode
    except KeyboardInterrupt:  # the command was interrupted, too, and has said what it had to say
        return 130


def install(python: Path, stamps: Path, extra: str) -> int:
    """Install gridrl with `extra`, unless just this was done before; return pip's exit code."""
    wanted = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        wanted.update((ROOT / name).read_bytes())
    stamp = stamps / f"gridrl-installed{extra and '-' + extra}"
    if stamp.exists() and stamp.read_text() == wanted.hexdigest():
        return 0
    print("installing gridrl and what it needs (torch is large: minutes, the first time) ...", flush=True)
    target = str(ROOT) + (f"[{extra}]" if extra else "")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    failed = subprocess.run([*pip, "-c", str(ROOT / "constraints.txt"), "-e", target], check=False).returncode
    if not failed:
        stamp.write_text(wanted.hexdigest())
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
