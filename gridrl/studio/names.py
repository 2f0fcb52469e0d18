"""Names of files that are not taken."""

from collections.abc import Collection
from itertools import count
from pathlib import Path


def numbered(stem: str, ending: str, promised: Collection[Path] = ()) -> Path:
    """Return the first of `stem`-1, `stem`-2, ... with this ending that is neither in this folder nor `promised`."""
    paths = (Path(f"{stem}-{number}{ending}") for number in count(1))
    return next(path for path in paths if path not in promised and not path.exists())
