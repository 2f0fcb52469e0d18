"""Make the page of all studies from their folders: `python docs/gallery.py STUDIES`, where STUDIES/NAME are folders.

Copies each figure (and film) to docs/images/study-NAME.png and writes docs/gallery.md from the verdicts, in the order
of `gridrl study list`. Where a study was run more than once, the last folder that is complete is taken.
"""

import shutil
import sys
from pathlib import Path

from gridrl.errors import UserError
from gridrl.studies.folders import latest
from gridrl.studies.registry import studies
from gridrl.studies.rollouts import FILM

DOCS = Path(__file__).parent
HEAD = """\
# Gallery

Every study with its figure and its verdict, made by `python docs/gallery.py`. How to read and to write studies:
[studies.md](studies.md). Seconds are those of the machine that made the page, which had other work, too.

| study | question | verdict |
|---|---|---|
"""


def section(folder: Path, name: str, images: Path) -> str:
    """Copy a study's pictures, and return its verdict as a section of the page."""
    text = (folder / "verdict.md").read_text(encoding="utf-8")
    shutil.copyfile(folder / "figure.png", images / f"study-{name}.png")
    text = "#" + text.replace("(figure.png)", f"(images/study-{name}.png)")
    if (folder / FILM).is_file():
        shutil.copyfile(folder / FILM, images / f"study-{name}.gif")
        text += f"\n![{name}, the film](images/study-{name}.gif)\n"
    return text


def row(text: str, name: str, question: str) -> str:
    """Return a study's row of the table."""
    verdict = next(line for line in text.splitlines() if line.startswith("Verdict: "))
    return f"| [{name}](#{name}) | {question} | {verdict.removeprefix('Verdict: ').rstrip('.')} |\n"


def page(parent: Path, images: Path) -> str:
    """Return the page of all studies that were run into folders under `parent`."""
    sections, rows = [], []
    for study in studies():
        try:
            folder = latest(parent, study)
        except UserError as error:
            print(f"left out: {error}")
            continue
        sections.append(section(folder, study.name, images))
        rows.append(row(sections[-1], study.name, study.question))
    return "\n".join([HEAD + "".join(rows), *sections])


if __name__ == "__main__":
    (DOCS / "gallery.md").write_text(page(Path(sys.argv[1]), DOCS / "images"), encoding="utf-8")
