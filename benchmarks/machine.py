"""The machine that was measured on, so that a number is never without it."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("gridrl", "numpy", "torch", "gymnasium", "stable_baselines3", "cpprb", "minigrid", "pygame-ce")


def describe_machine() -> dict[str, Any]:
    """Return processor, cores, memory, system and versions; None for a package that is not installed."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_GB": _memory(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {package: _version(package) for package in PACKAGES},
    }


def load() -> float | None:
    """Return the mean number of processes that wanted a core in the last minute, where the system tells."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _processor() -> str:
    """Return the processor's name with family and model: "Intel(R) Xeon(R) Processor" alone says little."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = dict(re.findall(r"^(model name|cpu family|model|cache size)\s*: (.*)$", text, flags=re.MULTILINE))
    if "model name" not in found:
        return platform.machine()
    return (
        f"{found['model name']} (family {found.get('cpu family')}, model {found.get('model')}, "
        f"cache {found.get('cache size')})"
    )


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, ValueError, OSError):  # not every system knows these names
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
