"""Where studies are written: NAME, NAME-2, NAME-3, ... beside each other."""

from pathlib import Path

from gridrl.errors import UserError
from gridrl.studies.study import Study


def _folder(parent: Path, name: str, number: int) -> Path:
    return parent / (name if number == 1 else f"{name}-{number}")


def next_free(parent: Path, name: str) -> Path:
    """Return the first folder of a study that holds nothing."""
    number = 1
    while (folder := _folder(parent, name, number)).exists() and any(folder.iterdir()):
        number += 1
    return folder


def latest(parent: Path, study: Study) -> Path:
    """Return the last folder of a study that was run to its end."""
    number, found = 1, None
    while (folder := _folder(parent, study.name, number)).exists():
        found = folder if (folder / "verdict.md").is_file() else found
        number += 1
    if found is None:
        raise UserError(
            f"{study.name} was not run yet under {parent}; run it (gridrl study run {study.asked_for}), or name "
            "a folder."
        )
    return found
