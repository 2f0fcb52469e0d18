"""See, understand and measure value-based reinforcement learning on grids.

`gridrl.train`, `gridrl.load`, `gridrl.solve` and `gridrl.value_map` are the command line's work in Python.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridrl.api import load, solve, train, value_map

__all__ = ["load", "solve", "train", "value_map"]


def __getattr__(name: str) -> Any:
    # Deferred, so that `gridrl --help` need not wait for torch.
    if name in __all__:
        from gridrl import api

        return getattr(api, name)
    raise AttributeError(f"module 'gridrl' has no attribute {name!r}")
