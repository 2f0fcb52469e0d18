"""What a trial is judged by."""

from typing import TYPE_CHECKING

import numpy as np

from gridrl.run_config import RunConfig

if TYPE_CHECKING:
    import pandas

LAST = 0.25  # share of the training over which a score is taken
WORDS = "return at epsilon .05, mean of the evaluations in the last quarter of the training"


def scores(metrics: "pandas.DataFrame", config: RunConfig) -> np.ndarray:
    """Return what each run of a training earned in its last quarter, [R], by the `return` at epsilon .05.

    Not the greedy return: from one evaluation to the next that of a network jumps, and where the level is deterministic
    it is a single episode. NaN for a run that did not come to the end.
    """
    return _means(metrics, config, "return", (1 - LAST) * config.steps)


def last(metrics: "pandas.DataFrame", config: RunConfig, metric: str) -> np.ndarray:
    """Return a metric of each run at the very end, [R]; NaN for a run that did not come to it."""
    return _means(metrics, config, metric, config.steps - 1)


def _means(metrics: "pandas.DataFrame", config: RunConfig, metric: str, after: float) -> np.ndarray:
    rows = metrics[(metrics["metric"] == metric) & (metrics["step"] > after)]
    by_run = rows.pivot(index="step", columns="run", values="value").reindex(columns=config.seeds)
    return by_run.mean(axis=0, skipna=False).to_numpy(np.float64)
