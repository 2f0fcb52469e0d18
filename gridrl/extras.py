"""Packages that only some features need: imported when asked for, and named where they are missing."""

import importlib

from gridrl.errors import UserError


def require(package: str, extra: str, feature: str) -> None:
    """Import `package`, which `feature` needs; raises `UserError` that says how to install it where it is missing."""
    try:
        importlib.import_module(package)
    except ImportError:
        raise UserError(f"{feature} needs a package that is not installed: pip install gridrl[{extra}].") from None
