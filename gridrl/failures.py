"""Runs that broke: the last row that each has in metrics.csv, and a file of what it broke on, to be looked at."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gridrl import checkpoint

if TYPE_CHECKING:
    import pandas

BROKE_ON = "broke on "  # in metrics.csv, before the name of what was no finite number
ADVICE = {"reward": "look at what the environment pays", "observation": "look at what the environment shows"}
LEARNING_ADVICE = "lower --learning-rate, or look at the rewards"


class Failure(NamedTuple):
    """A run that was taken out."""

    seed: int
    step: int
    name: str  # of what was no finite number: reward, observation, or a metric
    value: float  # that it had
    folder: Path  # where what it broke on is kept, as far as it is

    @property
    def path(self) -> Path:
        """The file with what it broke on: `checkpoint.load` returns nested dictionaries of arrays."""
        return self.folder / f"seed-{self.seed}-step-{self.step}.safetensors"

    @property
    def sentence(self) -> str:
        """What happened, where to look and what to do."""
        where = f"What it broke on is in {self.path}; " if self.path.is_file() else "To go on: "
        advice = ADVICE.get(self.name, LEARNING_ADVICE)
        return f"seed {self.seed} broke at step {self.step} on its {self.name}, {self.value}. {where}{advice}."

    def save(self, seen: dict[str, Any]) -> None:
        """Write what it broke on, nested dictionaries of arrays; raises `OSError` where it cannot be written."""
        self.folder.mkdir(exist_ok=True)
        state = {"seed": self.seed, "step": self.step, "name": self.name, "value": str(self.value)}
        checkpoint.save(self.path, state | seen)


def failures_in(metrics: "pandas.DataFrame", folder: Path) -> list[Failure]:
    """Return the runs that broke, as the table of what was measured tells it; `folder` is where their files are."""
    rows = metrics[metrics["metric"].str.startswith(BROKE_ON)]
    columns = (rows[column].tolist() for column in ("run", "step", "metric", "value"))
    return [
        Failure(seed, step, metric.removeprefix(BROKE_ON), value, folder)
        for seed, step, metric, value in zip(*columns, strict=True)
    ]
