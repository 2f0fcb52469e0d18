"""How long a training run is, and what is measured on the way. Light to import: these are the command's options."""

import dataclasses

from gridrl.errors import UserError


@dataclasses.dataclass(frozen=True)
class TrainSettings:
    """How long and how many; what is measured and saved on the way."""

    seeds: int = 1
    """How many runs, each with its own seed (0, 1, 2, ...), learn side by side."""
    steps: int = 20_000
    """Environment steps of each run."""
    eval_period: int = 2_000
    """Steps between evaluations."""
    eval_episodes: int = 10
    """Episodes of each run in an evaluation."""
    checkpoint_period: int = 10_000
    """Steps between checkpoints; one is written at the end and at Ctrl-C, too."""

    snapshot_period: int | None = None
    """Steps between snapshots of what is believed, for films and curves; a tenth of the steps if not given."""
    processes: int | None = None
    """Processes that share the runs; one for each core, as far as that is faster, if not given."""
    device: str = "cpu"
    """Where networks and replays are: cpu, or cuda, which takes hundreds of seeds at once in one process."""
    tensorboard: bool = False
    """Whether metrics are also written as TensorBoard events (extra gridrl[tensorboard])."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and not isinstance(value, bool) and value < 1:
                raise UserError(f"{field.name.replace('_', '-')} must be 1 or more, got {value}; give a larger one.")
        if self.device != "cpu" and (self.processes or 1) > 1:
            raise UserError(
                f"one process works on {self.device}, got --processes {self.processes}; leave one of the two out."
            )
